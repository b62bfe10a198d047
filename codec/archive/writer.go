package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options configures a [Writer].
type Options struct {
	// Origin is how the rows are made. Its Fingerprint must be the archive's.
	// An empty one is taken from the archive.
	Origin Origin

	// MustExist makes it an error if the folder has no archive, which is
	// created otherwise.
	MustExist bool

	// ShardRows is the number of rows of a full shard, 0 for a million.
	ShardRows int64

	// Interval is after how long rows are committed at the latest, while rows
	// arrive; 0 is half a minute. A run that is killed loses the rows of that
	// time.
	Interval time.Duration

	// Context, if not nil, ends the merging of small shards, which can take as
	// long as writing some of them did. Rows are committed nevertheless.
	Context context.Context

	// Damaged, if not nil, makes [Merge] skip shards, or the rest of shards,
	// that cannot be read, and is called with the error of each. A row that was
	// replaced or removed in a shard that is skipped counts again.
	Damaged func(err error)
}

// Defaults of Options.
const (
	DefaultShardRows = 1_000_000
	DefaultInterval  = 30 * time.Second
)

// Limits of the rows that a Writer keeps in memory before it sorts them.
const (
	chunkRows  = 1 << 16
	chunkBytes = 24 << 20
)

// A Writer adds rows to an archive. An archive has one Writer at a time; a second
// gets [ErrBusy]. A Writer must be closed. Its methods must not be called
// concurrently.
//
// Adding rows is fastest in the order of their names. They may come in any
// order, and memory does not bound their number.
type Writer struct {
	dir  string
	opt  Options
	lock *os.File
	held bool // the lock, so that no other process writes

	manifest *Manifest
	first    int   // number of the first shard that may be merged with others
	rows     []Row // not written yet
	arena    []byte
	bytes    int // of rows
	sorted   bool
	part     *part // being written
	since    time.Time
	err      error // the first one, after which nothing is written
}

// NewWriter opens the archive in a folder for writing, or creates one. It
// repairs what a killed run left: it adopts shards that are complete and not in
// the manifest, and removes the rest. Nil options are the zero ones, with which
// an archive can be opened and not created. That a row's file was made with the
// archive's model is for the caller to see to: the Writer does not parse it.
func NewWriter(dir string, o *Options) (*Writer, error) {
	w := &Writer{dir: dir, opt: *cmp.Or(o, &Options{}), sorted: true}
	w.opt.ShardRows = cmp.Or(w.opt.ShardRows, DefaultShardRows)
	w.opt.Interval = cmp.Or(w.opt.Interval, DefaultInterval)
	w.opt.Context = cmp.Or(w.opt.Context, context.Background())
	if err := w.open(); err != nil {
		if w.lock != nil {
			w.lock.Close()
		}
		return nil, inFolder(dir, err)
	}
	return w, nil
}

// checkOwn refuses a folder that has no archive and other files: a million rows
// among them would be hard to take out again.
func checkOwn(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, ManifestName)); err == nil {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, ".") && shardNumber(name) < 0 {
			return fmt.Errorf("is no archive, and has %s: an archive needs a folder of its own", name)
		}
	}
	return nil
}

// lockName is the name of the file that a writer locks. It stays.
const lockName = "_lock"

// lockFile is lock; a test has none.
var lockFile = lock

func (w *Writer) open() (err error) {
	if !w.opt.MustExist {
		if err := os.MkdirAll(w.dir, 0o777); err != nil {
			return err
		}
		if err := checkOwn(w.dir); err != nil {
			return err
		}
	} else if _, err := os.Stat(filepath.Join(w.dir, ManifestName)); err != nil {
		return err
	}
	if w.lock, err = os.OpenFile(filepath.Join(w.dir, lockName), os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return err
	}
	if w.held, err = lockFile(w.lock); err != nil {
		return err
	}
	w.manifest, err = readManifest(os.DirFS(w.dir))
	if errors.Is(err, fs.ErrNotExist) && !w.opt.MustExist {
		if err := w.opt.Origin.check(); err != nil {
			return err
		}
		w.manifest, err = &Manifest{Version: Version, Fingerprint: w.opt.Origin.Fingerprint}, nil
		if err := w.commit(nil, nil); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	w.opt.Origin.Fingerprint = cmp.Or(w.opt.Origin.Fingerprint, w.manifest.Fingerprint)
	if w.opt.Origin.Fingerprint != w.manifest.Fingerprint {
		return fmt.Errorf("%w: %s, not %s", ErrModel, w.opt.Origin.Fingerprint, w.manifest.Fingerprint)
	}
	if err := w.repair(); err != nil {
		return err
	}
	w.first = w.manifest.Next
	return nil
}

// Archive returns the archive as the Writer found or last committed it. The
// caller must close it, and before the Writer, which then replaces shards.
func (w *Writer) Archive() *Archive { return newArchive(os.DirFS(w.dir), w.manifest.clone()) }

// Add adds a row, which replaces an older one of the same name. The Writer keeps
// a copy of the row's Data.
func (w *Writer) Add(r *Row) error {
	if w.err != nil {
		return w.err
	}
	if err := r.check(); err != nil {
		return fmt.Errorf("%.100q: %w", r.Name, err)
	}
	if w.part == nil && len(w.rows) == 0 {
		w.since = time.Now()
	}
	row := *r
	row.Data = w.keep(r.Data)
	if n := len(w.rows); n > 0 && w.rows[n-1].Name >= row.Name {
		w.sorted = false
	}
	w.rows = append(w.rows, row)
	w.bytes += len(row.Data) + len(row.Name) + len(row.Error)
	switch {
	case time.Since(w.since) > w.opt.Interval:
		return w.Flush()
	case len(w.rows) == chunkRows || w.bytes > chunkBytes:
		w.err = inFolder(w.dir, w.write())
	}
	return w.err
}

// Remove removes a name, whether the archive has it or not: it adds a tombstone.
func (w *Writer) Remove(name string) error { return w.Add(&Row{Name: name}) }

// keep copies bytes to the arena.
func (w *Writer) keep(b []byte) []byte {
	const block = 1 << 20
	if cap(w.arena)-len(w.arena) < len(b) {
		w.arena = make([]byte, 0, max(block, len(b)))
	}
	start := len(w.arena)
	w.arena = append(w.arena, b...)
	return w.arena[start:len(w.arena):len(w.arena)]
}

// write sorts the rows in memory and writes them to the part, or to a new one if
// they are not all greater than those there.
func (w *Writer) write() error {
	rows := w.rows
	if !w.sorted {
		slices.SortStableFunc(rows, func(a, b Row) int { return strings.Compare(a.Name, b.Name) })
	}
	for i := range rows {
		if i+1 < len(rows) && rows[i+1].Name == rows[i].Name {
			continue // the later one counts
		}
		if err := w.put(&rows[i]); err != nil {
			return err
		}
	}
	clear(w.rows)
	w.rows, w.bytes, w.sorted, w.arena = w.rows[:0], 0, true, nil
	return nil
}

// put writes a row to the part.
func (w *Writer) put(r *Row) (err error) {
	if w.part != nil && (w.part.info.Last >= r.Name || w.part.info.Rows >= w.opt.ShardRows) {
		if err := w.seal(); err != nil {
			return err
		}
	}
	if w.part == nil {
		if w.part, err = newPart(w.dir, &w.opt.Origin); err != nil {
			return err
		}
	}
	return w.part.add(r)
}

// seal makes the part a shard of the archive.
func (w *Writer) seal() error {
	p := w.part
	w.part = nil
	defer p.discard()
	if err := p.finish(); err != nil {
		return err
	}
	if err := p.publish(w.manifest.Next); err != nil {
		return err
	}
	return w.commit([]ShardInfo{p.info}, nil)
}

// Flush commits all rows that were added.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.err = inFolder(w.dir, w.flush())
	}
	w.since = time.Now()
	return w.err
}

func (w *Writer) flush() error {
	if err := w.write(); err != nil {
		return err
	}
	if w.part != nil {
		if err := w.seal(); err != nil {
			return err
		}
	}
	return w.gather(manyParts)
}

// Close commits all rows and merges small shards, unless one is damaged or the
// file system has no locks. If Add, Flush or Compact could not write, it does
// neither and returns the same error.
func (w *Writer) Close() error {
	err := w.Flush()
	if w.first = 0; err == nil {
		err = inFolder(w.dir, w.gather(2))
	}
	if w.part != nil {
		w.part.discard()
	}
	w.lock.Close()
	w.err = inFolder(w.dir, fs.ErrClosed)
	return err
}
