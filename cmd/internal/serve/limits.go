package serve

import (
	"cmp"
	"math"
	"time"

	"github.com/coclico/coclico/cmd/internal/guard"
)

// PictureMemory is the default of [Limits].PictureMemory.
const PictureMemory = 1 << 30

// Limits bound what clients can make a server do. A zero field has the default.
type Limits struct {
	Body        int64         // bytes of a body; 64 MiB
	Pixels      int           // of a picture to encode; 100 million
	Size        int           // pixels of the longer side of a painting; 1024
	Candidates  int           // of an encode; 16
	Queue       int           // decodes that wait; 16
	ClientQueue int           // decodes of one client that wait; half of Queue
	Keep        time.Duration // how long pictures are kept; an hour
	KeepBytes   int64         // of the pictures that are kept; 256 MiB

	BodyMemory    int64         // bytes of bodies in memory, half of them for one client; 512 MiB, or 8 * Body if that is more
	BodyTime      time.Duration // to send a body; a minute
	PictureMemory int64         // bytes of pictures that are encoded; 1 GiB
	OnePicture    int64         // bytes of one, which is encoded alone if it takes more than PictureMemory; no limit
	Encodes       int           // pictures that are encoded at once; 16
	Connections   int           // half of them for one client; half of the files that the process may open, at most 32,768
	Streams       int           // of events, and clients that wait for a decode; 16,384 of each
	Grace         time.Duration // that a decode may take to finish when the server stops; other requests have a fifth more; 20 seconds
}

func (l Limits) orDefault() Limits {
	body := cmp.Or(l.Body, 64<<20)
	return Limits{
		Body:          body,
		Pixels:        cmp.Or(l.Pixels, 100_000_000),
		Size:          cmp.Or(l.Size, 1024),
		Candidates:    cmp.Or(l.Candidates, 16),
		Queue:         cmp.Or(l.Queue, 16),
		ClientQueue:   cmp.Or(l.ClientQueue, (cmp.Or(l.Queue, 16)+1)/2),
		Keep:          cmp.Or(l.Keep, time.Hour),
		KeepBytes:     cmp.Or(l.KeepBytes, 256<<20),
		BodyMemory:    cmp.Or(l.BodyMemory, max(512<<20, 8*body)), // as it grows, a body takes up to three times its size
		BodyTime:      cmp.Or(l.BodyTime, time.Minute),
		PictureMemory: cmp.Or(l.PictureMemory, PictureMemory),
		OnePicture:    cmp.Or(l.OnePicture, math.MaxInt64),
		Encodes:       cmp.Or(l.Encodes, 16),
		Connections:   cmp.Or(l.Connections, defaultConnections(guard.Files())),
		Streams:       cmp.Or(l.Streams, 1<<14),
		Grace:         cmp.Or(l.Grace, 20*time.Second),
	}
}

// defaultConnections returns how many connections a process may have that may
// open so many files. The others are for the archive and the admin listener.
func defaultConnections(files int) int { return max(2, min(files/2, 1<<15)) }

// Limits that no flag changes.
const (
	maxFile     = 1 << 20           // bytes of a file; the longest has 140 kB
	maxWait     = 300 * time.Second // of Prefer: wait
	maxSearches = 4                 // at once
	maxLists    = 64 << 20          // bytes that lists take while they are written, half of them for one client
)
