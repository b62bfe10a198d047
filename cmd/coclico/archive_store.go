package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"iter"
	"strings"
	"sync"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
)

// An archiveStore is the archive that a batch fills.
type archiveStore struct {
	dir    string
	writer *archive.Writer
	how    *encoding
	model  codec.ModelID
	known  *knownRows

	mu  sync.Mutex
	old map[string]*archive.Row // rows of jobs between Done and their ends

	// Where there is a tar or zip file, a name may come twice: the later picture
	// counts. It must not be compared with a row that this run replaces, so
	// redone has hashes of names that this run encodes again; only Done uses it.
	// And if it cannot be read, the earlier one is kept: added has hashes of the
	// names of pictures that this run has added. Without such a file both are nil.
	redone, added map[uint64]bool
	seed          maphash.Seed

	width, height int   // of the picture that was worked on last
	kept          int64 // pictures in the archive whose sources could not be read
}

// name returns a job's name in the archive.
func (s *archiveStore) name(j batch.Job) string { return j.Output[len(s.dir)+len("::"):] }

// Done implements [batch.Store]. A picture that was not read is tried again.
func (s *archiveStore) Done(j batch.Job) bool {
	row := s.known.get(s.name(j))
	if row != nil && s.redone != nil {
		hash := maphash.String(s.seed, row.Name)
		if s.redone[hash] {
			return false
		}
		done := s.unchanged(row, j)
		if !done {
			s.redone[hash] = true
		}
		return done
	}
	return s.unchanged(row, j)
}

// unchanged reports whether a row is what a job would make. If it is not, but
// the source is the same, the row is kept for add to compare.
func (s *archiveStore) unchanged(row *archive.Row, j batch.Job) bool {
	if row == nil || row.Size != j.Size || row.Time.UnixMilli() != j.Time.UnixMilli() {
		return false
	}
	if file, err := codec.Parse(row.Data); err == nil && file.ModelID() == s.model && s.how.matches(file) {
		return true // its page has a CRC: the vector need not be decoded
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.old[row.Name] = row
	return false
}

// Foreign implements [batch.Store].
func (s *archiveStore) Foreign(batch.Job) error { return nil }

// work is the encoder's, and remembers the picture's dimensions for Put.
func (s *archiveStore) work(encode func(context.Context, batch.Job, viewed) (func(io.Writer) error, error)) func(context.Context, batch.Job, viewed) (func(io.Writer) error, error) {
	return func(ctx context.Context, j batch.Job, src viewed) (func(io.Writer) error, error) {
		if s.width, s.height = 0, 0; src.img != nil {
			s.width, s.height = src.img.Bounds().Dx(), src.img.Bounds().Dy()
		}
		return encode(ctx, j, src)
	}
}

// Put implements [batch.Store].
func (s *archiveStore) Put(j batch.Job, fill func(io.Writer) error) (int64, error) {
	if len(s.name(j)) > archive.MaxName {
		return 0, errName(j)
	}
	var b bytes.Buffer
	if err := fill(&b); err != nil {
		return 0, err
	}
	file, err := codec.Parse(b.Bytes())
	if err == nil && file.ModelID() != s.model {
		err = fmt.Errorf("its stream is of model %v, the archive of %v; --from-pixels encodes the picture instead", file.ModelID(), s.model)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", j.Input, err)
	}
	err = s.add(&archive.Row{Name: s.name(j), Data: b.Bytes(), Width: s.width, Height: s.height, Size: j.Size, Time: j.Time})
	if err != nil {
		return 0, batch.Fatal(err)
	}
	if s.added != nil {
		s.added[maphash.String(s.seed, s.name(j))] = true
	}
	return int64(b.Len()), nil
}

// errName reports a picture whose name is too long for an archive.
func errName(j batch.Job) error {
	return fmt.Errorf("%.100s...: a name of more than %d bytes, which an archive cannot hold", j.Input, archive.MaxName)
}

// report adds the row of a picture that was not read, unless the archive has the
// picture, also since a moment ago, or may have it in a shard that is damaged.
func (s *archiveStore) report(_ int, r batch.Result) {
	if r.Status != batch.Failed || len(s.name(r.Job)) > archive.MaxName {
		return
	}
	old, err := s.known.archive.Get(s.name(r.Job))
	if s.added[maphash.String(s.seed, s.name(r.Job))] || err == nil && old.Error == "" || err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.take(s.name(r.Job))
		s.kept++
		return
	}
	reason := strings.TrimPrefix(r.Err.Error(), r.Input+": ")
	if len(reason) > archive.MaxName {
		reason = reason[:archive.MaxName]
	}
	// The writer remembers the error.
	_ = s.add(&archive.Row{Name: s.name(r.Job), Error: strings.ToValidUTF8(reason, "?"), Size: r.Size, Time: r.Time})
}

// add adds a row, unless the archive has it.
func (s *archiveStore) add(r *archive.Row) error {
	if old := s.take(r.Name); old != nil && bytes.Equal(old.Data, r.Data) && old.Error == r.Error {
		return nil
	}
	return unwritten(s.dir, s.writer.Add(r))
}

// flush commits what was added.
func (s *archiveStore) flush() error { return unwritten(s.dir, s.writer.Flush()) }

// take returns the row that unchanged has kept for a job, or nil.
func (s *archiveStore) take(name string) *archive.Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.old[name]
	delete(s.old, name)
	return old
}

// knownRows finds rows of an archive, fast if they are asked for in order: then it
// walks from one name to the next.
type knownRows struct {
	archive   *archive.Archive
	scattered bool   // the rows cannot be read in order
	last      string // the name that was asked for last, of those in order

	next func() (*archive.Row, error, bool) // nil while there is no walk
	stop func()
	row  *archive.Row // that the walk has come to
}

// maxWalk is how many rows are read on the way to a name. Finding it takes about
// as long.
const maxWalk = 4096

func newKnownRows(a *archive.Archive) *knownRows {
	return &knownRows{archive: a, scattered: a.Manifest().Overlap() > archive.MaxOverlap}
}

// get returns the row of a name, or nil if no shard has a readable one.
func (k *knownRows) get(name string) *archive.Row {
	if name > k.last {
		row, there := k.walk(name)
		if k.last = name; there {
			return row
		}
	}
	row, err := k.archive.Get(name)
	if err != nil {
		return nil
	}
	return row
}

// walk walks to where a name is or would be, and returns its row or nil. It
// reports whether it has come there: if not, the next walk begins at the name.
func (k *knownRows) walk(name string) (row *archive.Row, there bool) {
	if k.last == "" || k.scattered {
		return nil, false
	}
	if k.next == nil {
		k.next, k.stop = iter.Pull2(k.archive.RowsAfter(k.last))
	}
	for range maxWalk {
		switch {
		case k.row == nil || k.row.Name < name:
		case k.row.Name > name:
			return nil, true
		default:
			return k.row, true
		}
		var more bool
		if k.row, _, more = k.next(); !more {
			return nil, true
		}
	}
	k.end()
	return nil, false
}

// end ends a walk.
func (k *knownRows) end() {
	if k.next != nil {
		k.stop()
	}
	k.next, k.row = nil, nil
}

func (k *knownRows) close() error {
	k.end()
	return k.archive.Close()
}

// explain adds what to do to an error of writing to an archive.
func explain(err error) error {
	if errors.Is(err, archive.ErrModel) {
		return fmt.Errorf("%w (--model chooses)", err)
	}
	return err
}
