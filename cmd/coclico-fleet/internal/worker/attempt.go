package worker

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/codec/archive"
)

// An attempt is one worker's at a chunk, and what earlier ones have left below
// _tries/part-00000007/:
//
//	start-ID          a shard worker has begun
//	note-0017-ID      a careful worker has begun row 17
//	row-0017.parquet  its row
//	kept-ID.parquet   rows that a worker kept when it failed or was stopped
//
// A worker that fails, or that is told to stop, withdraws its start and its note.
// Those that stay are of processes that have ended without a word.
type attempt struct {
	out     *bucket.Bucket
	origin  *archive.Origin
	chunk   int
	sources []bucket.Object
	notes   []int // of each row
	starts  int
	left    bool   // there are objects to remove when the chunk is done
	kept    string // what this attempt keeps its rows in, "" if it has not yet
	found   int    // rows that earlier attempts have made, or this one has kept

	mu   sync.Mutex     // of rows, while several goroutines make them
	rows []*archive.Row // nil for those not made yet
}

const (
	deadly = 2 // notes after which a picture is not tried again
	lost   = 2 // starts after which a chunk is done carefully

	withdrawal = 5 * time.Second // at most, for what is left to do when ctx has ended
)

// tries reads what earlier attempts have left.
func (w *Worker) tries(ctx context.Context, chunk int, sources []bucket.Object) (*attempt, error) {
	t := &attempt{out: w.Out, origin: &w.Origin, chunk: chunk, sources: sources, rows: make([]*archive.Row, len(sources)), notes: make([]int, len(sources))}
	at := map[string]int{}
	for i, s := range sources {
		at[s.Name] = i
	}
	prefix := job.TryName(chunk)
	for o, err := range w.Out.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		t.left = true
		name := strings.TrimPrefix(o.Name, prefix)
		var row int
		switch {
		case strings.HasSuffix(name, ".parquet"):
			if err := t.load(ctx, o.Name, at); err != nil {
				return nil, err
			}
		case strings.HasPrefix(name, "start-"):
			t.starts++
		default:
			if _, err := fmt.Sscanf(name, "note-%d-", &row); err == nil && row >= 0 && row < len(t.notes) {
				t.notes[row]++
			}
		}
	}
	t.found = len(t.good())
	return t, nil
}

// load reads rows that were kept. Rows of another model, or that cannot be read,
// are made again.
func (t *attempt) load(ctx context.Context, name string, at map[string]int) error {
	data, _, err := t.out.Get(ctx, name, maxPart)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another worker has just finished the chunk
	}
	if err != nil {
		return err
	}
	o, rows, err := archive.ReadShard(bytes.NewReader(data), int64(len(data)))
	if err != nil || o.Fingerprint != t.origin.Fingerprint {
		return nil
	}
	for r, err := range rows {
		if err != nil {
			break
		}
		if i, ok := at[r.Name]; ok && !r.Removed() {
			t.rows[i] = r
		}
	}
	return nil
}

// suspect reports whether a chunk's earlier workers have ended without a word.
func (t *attempt) suspect() bool {
	for i, n := range t.notes {
		if n > 0 && t.rows[i] == nil {
			return true
		}
	}
	return t.starts >= lost
}

// start leaves a note that an attempt has begun, and returns its name.
func (t *attempt) start(ctx context.Context) (name string, err error) {
	t.left = true
	name = job.TryName(t.chunk) + "start-" + newID()
	return name, t.out.Replace(ctx, name, nil)
}

// note leaves a note that a row is begun, and returns its name.
func (t *attempt) note(ctx context.Context, row int) (name string, err error) {
	t.left = true
	name = fmt.Sprintf("%snote-%04d-%s", job.TryName(t.chunk), row, newID())
	return name, t.out.Replace(ctx, name, []byte(t.sources[row].Name))
}

// newID returns an ID that no other attempt has.
func newID() string { return strings.ToLower(rand.Text()) }

// afterwards returns a context for what is left to do when an attempt has failed
// or was stopped. It ends a little after ctx, within the grace that a process has
// to end.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	after, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(withdrawal, cancel) })
	return after, func() { stop(); cancel() }
}

// save writes rows for a later attempt.
func (t *attempt) save(ctx context.Context, name string, rows []*archive.Row) error {
	t.left = true
	data, err := encodeShard(t.origin, rows)
	if err != nil {
		return err
	}
	return t.out.Replace(ctx, job.TryName(t.chunk)+name+".parquet", data)
}

// set adds a row. It may be called concurrently, also with keep.
func (t *attempt) set(i int, row *archive.Row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[i] = row
}

// good returns the rows of pictures that were read.
func (t *attempt) good() (rows []*archive.Row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.rows {
		if r != nil && r.Error == "" {
			rows = append(rows, r)
		}
	}
	return rows
}

// keep saves the rows of pictures that were read, if this attempt has made any
// since it last did, when a worker fails or is stopped.
func (t *attempt) keep(ctx context.Context) error {
	rows := t.good()
	if len(rows) <= t.found {
		return nil
	}
	t.kept = cmp.Or(t.kept, "kept-"+newID())
	if err := t.save(ctx, t.kept, rows); err != nil {
		return err
	}
	t.found = len(rows)
	return nil
}

// clean removes what attempts have left at a chunk that is done.
func (t *attempt) clean(ctx context.Context) error {
	if !t.left {
		return nil
	}
	return Forget(ctx, t.out, t.chunk)
}

// Forget removes what attempts have left at a chunk.
func Forget(ctx context.Context, out *bucket.Bucket, chunk int) error {
	err := out.RemoveAll(ctx, job.TryName(chunk))
	out.Tidy(ctx, job.TryName(chunk))
	return err
}
