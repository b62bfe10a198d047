package archive

import (
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"sync"
)

// An Archive is an archive as it was when it was opened. Once another process has
// replaced a shard, reading that shard is [ErrChanged]. An Archive's methods may
// be called concurrently.
type Archive struct {
	fsys     fs.FS
	dir      string // for errors, if it is known
	manifest *Manifest
	written  fs.FileInfo // of the manifest's file; nil if that is not known
	shards   []*Shard

	mu   sync.Mutex
	open []*Shard // those with a handle, the latest last
}

// maxOpen is how many shards are kept open for Get.
const maxOpen = 64

// opened keeps account of a shard that was just opened.
func (a *Archive) opened(s *Shard) {
	a.mu.Lock()
	var old *Shard
	if a.open = append(a.open, s); len(a.open) > maxOpen {
		old = a.open[0]
		a.open = slices.Delete(a.open, 0, 1)
	}
	a.mu.Unlock()
	if old != nil {
		old.release(false) // waits until it is not in use
	}
}

// Open opens the archive in a folder. It reads the manifest alone: shards are
// opened when they are first read.
func Open(dir string) (*Archive, error) {
	a, err := OpenFS(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	a.dir = dir
	return a, nil
}

// OpenFS opens the archive at the root of a file system, whose files must
// implement [io.ReaderAt].
func OpenFS(fsys fs.FS) (*Archive, error) {
	written, _ := fs.Stat(fsys, ManifestName) // before it is read: a change after that is seen
	m, err := readManifest(fsys)
	if err != nil {
		return nil, err
	}
	a := newArchive(fsys, m)
	a.written = written
	return a, nil
}

func newArchive(fsys fs.FS, m *Manifest) *Archive {
	a := &Archive{fsys: fsys, manifest: m}
	for _, info := range m.Shards {
		a.shards = append(a.shards, &Shard{Info: info, archive: a})
	}
	return a
}

// Close closes the files of the shards. What Rows and Get have returned stays
// valid.
func (a *Archive) Close() error {
	for _, s := range a.shards {
		s.release(true)
	}
	return nil
}

// Changed reports whether the archive has been written to since it was opened, as
// far as the time and the size of its manifest tell.
func (a *Archive) Changed() bool {
	now, err := fs.Stat(a.fsys, ManifestName)
	return err == nil && (a.written == nil || !now.ModTime().Equal(a.written.ModTime()) || now.Size() != a.written.Size())
}

// Manifest returns the archive's manifest. The caller must not change it.
func (a *Archive) Manifest() *Manifest { return a.manifest }

// Shards returns the shards, the oldest first.
func (a *Archive) Shards() []*Shard { return slices.Clone(a.shards) }

// Find returns the row of a name, the shard that has it and the row's number
// there. The error is [fs.ErrNotExist] if the archive has no such name, and for
// no other reason. The row may be of a picture that could not be read, see
// [Row.Error].
func (a *Archive) Find(name string) (*Shard, int64, *Row, error) {
	for _, s := range slices.Backward(a.shards) {
		if name < s.Info.First || name > s.Info.Last {
			continue
		}
		n, ok, err := s.find(name)
		if err != nil {
			return nil, 0, nil, err
		}
		if !ok {
			continue
		}
		row, err := s.Row(n)
		if err == nil && row.Removed() {
			err = fs.ErrNotExist
		}
		if err != nil {
			return nil, 0, nil, err
		}
		return s, n, row, nil
	}
	return nil, 0, nil, fs.ErrNotExist
}

// Get returns the row of a name, see [Archive.Find].
func (a *Archive) Get(name string) (*Row, error) {
	_, _, row, err := a.Find(name)
	return row, err
}

// Rows returns the rows that count, in the order of their names: of several rows
// of one name, that of the newest shard, unless it is a tombstone.
//
// A shard that cannot be read further yields an error, which is a [ShardError],
// and the rows of the others follow it. A caller that continues must know that
// the broken shard's rows are missing, and that a row may have been replaced
// there. After [ErrChanged] it should open the archive again instead. Where too
// many shards overlap, [ErrOverlap] is all that Rows yields.
func (a *Archive) Rows() iter.Seq2[*Row, error] { return a.RowsAfter("") }

// RowsAfter is Rows of those whose names follow one, which the archive need not
// have: the next page of a list. It reads a few pages of each shard to begin.
func (a *Archive) RowsAfter(name string) iter.Seq2[*Row, error] {
	return live(a.shards, name, nil)
}
