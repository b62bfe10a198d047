package bucket

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/files"
)

// A folder is a bucket on a disk. What it reads may be a link to elsewhere, as
// in a folder of pictures; what it writes is below it, as os.Root sees to.
type folder struct{ dir string }

func openFolder(dir string) (*Bucket, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(dir)}
	return &Bucket{url: u.String(), store: &folder{dir}}, nil
}

func (f *folder) close() error { return nil }

func (f *folder) get(_ context.Context, name string, limit int64) ([]byte, Object, error) {
	file, err := os.Open(filepath.Join(f.dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, Object{}, missing(err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, Object{}, err
	case info.IsDir():
		return nil, Object{}, fs.ErrNotExist
	case info.Size() > limit:
		return nil, Object{}, ErrLong
	}
	data, err := io.ReadAll(io.LimitReader(file, limit))
	return data, Object{Name: name, Size: info.Size(), Time: info.ModTime()}, err
}

// missing returns fs.ErrNotExist for an error that means that a file does not
// exist, such as that its folder is a file.
func missing(err error) error {
	if isTaken(err) {
		return fs.ErrNotExist
	}
	return err
}

// put writes a draft, syncs it, and gives it its name: by a link, which cannot
// replace a file, or by a rename. The draft is locked until then: see tidy.
func (f *folder) put(_ context.Context, name string, fill func(io.Writer) error, absent bool) error {
	if err := os.MkdirAll(f.dir, 0o777); err != nil {
		return files.Full(err)
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	dir := path.Dir(name)
	draft, file, err := createDraft(root, dir)
	if err != nil {
		return err
	}
	defer files.Root{Root: root}.DiscardDraft(file, draft)
	if err = fill(file); err == nil {
		err = file.Sync()
	}
	switch {
	case err != nil:
		return files.Full(err)
	case !absent:
		err = files.Root{Root: root}.RenameDraft(file, draft, name)
	default:
		err = link(root, file, draft, name)
	}
	if err != nil {
		if info, e := root.Stat(name); e == nil && info.IsDir() {
			return errTaken
		}
		return reason(err)
	}
	return files.OS{}.SyncFolder(filepath.Join(f.dir, filepath.FromSlash(dir)))
}

// link gives a file a second name, which no object may have yet. An empty file
// does not count as an object: see below.
func link(root *os.Root, file *os.File, draft, name string) error {
	err := root.Link(draft, name)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// A file system without links: an empty file claims the name and is
		// replaced at once. A process that is killed in between leaves the claim.
		var claim *os.File
		if claim, err = root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err == nil {
			claim.Close()
			return files.Root{Root: root}.RenameDraft(file, draft, name)
		}
	}
	if errors.Is(err, fs.ErrExist) && isClaim(root, name) {
		time.Sleep(claimTime)
		if isClaim(root, name) {
			return files.Root{Root: root}.RenameDraft(file, draft, name)
		}
	}
	return err
}

// claimTime is how long a claim may be empty, after which whoever made it is
// taken for dead.
const claimTime = time.Second

func isClaim(root *os.Root, name string) bool {
	info, err := root.Stat(name)
	return err == nil && info.Mode().IsRegular() && info.Size() == 0
}

const errTaken = NameError("a name that the folder cannot hold beside others: one is a folder's")

// reason returns files.ErrFull for an error that means a full disk, and a
// NameError for one that means the name.
func reason(err error) error {
	switch {
	case isTaken(err):
		return errTaken
	case isLong(err):
		return NameError("a name that is too long for the folder")
	}
	return files.Full(err)
}

func (f *folder) has(_ context.Context, name string) (bool, error) {
	info, err := os.Stat(filepath.Join(f.dir, filepath.FromSlash(name)))
	if errors.Is(missing(err), fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && !info.IsDir() && info.Size() > 0, err // an empty one may be a claim
}

func (f *folder) remove(_ context.Context, name string) error {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return missing(root.Remove(name))
}

func (f *folder) list(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		dir := path.Dir(prefix + "x") // the folder that all names of the prefix are in
		start := filepath.Join(f.dir, filepath.FromSlash(dir))
		if _, err := os.Stat(start); errors.Is(missing(err), fs.ErrNotExist) {
			return
		}
		for found, err := range batch.Walk(ctx, start, func(string) bool { return true }) {
			if err != nil {
				yield(Object{}, err)
				return
			}
			rel, err := filepath.Rel(f.dir, found.Path)
			if err != nil {
				yield(Object{}, err)
				return
			}
			name := filepath.ToSlash(rel)
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			o, err := object(name, found)
			if errors.Is(err, fs.ErrNotExist) {
				continue // it was just removed
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// object returns the object that a walk has found. A folder that could not be
// read is an error: nobody knows what it has. A link that cannot be looked up, as
// one to itself, is an object, for whose reader the error is.
func object(name string, found batch.Found) (Object, error) {
	if found.Kind != batch.Wanted {
		return Object{Name: name, kind: found.Kind}, nil
	}
	if found.Err != nil {
		if info, err := os.Lstat(found.Path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return Object{Name: name}, nil
		}
		return Object{}, files.Named(name, found.Err)
	}
	info, err := os.Stat(found.Path)
	if err != nil {
		return Object{}, err
	}
	return Object{Name: name, Size: info.Size(), Time: info.ModTime()}, nil
}
