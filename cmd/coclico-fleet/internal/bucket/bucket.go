// Package bucket is where a fleet's pictures come from and where its results go:
// a folder, or a bucket of an object store.
//
// Results depend on two properties of it. An object appears whole or not at all,
// and Put never replaces one: of several workers that made the same object, the
// first wins, and the others learn it. So work that is done twice is done once.
// In a folder, Has and Put ignore empty files, which a killed process may have
// left. In a folder without links, several workers may replace the same empty
// file: the last one wins, and each of them believes that it has won.
//
// A folder is written by this package and not by gocloud.dev/blob/fileblob. In
// version 0.47.0 that neither syncs a file nor puts it atomically if it is
// absent, and its listing omits names: it goes through "a/" before "a-b", but
// continues a page after the greatest name so far.
package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"gocloud.dev/gcerrors"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/files"
)

// A Bucket is a folder, or the objects below a prefix in an object store. Its
// methods may be called concurrently, and try again what an object store may do
// at a second try. Their errors begin with the object's name; a missing object
// is [fs.ErrNotExist], one that exists where none may [fs.ErrExist], and a name
// that the bucket cannot hold a [NameError].
type Bucket struct {
	url   string
	store store

	// Fault, if not nil, is called before and after every write, for tests. Its
	// error is the write's.
	Fault func(name string, after bool) error

	// Passed, if not nil, counts what List leaves out of a folder: links to
	// folders, what is no file, and names that begin with a dot. It is for one
	// List at a time.
	Passed *batch.Passed
}

// A store has the operations of a kind of buckets. A name is valid, see
// [CheckName].
type store interface {
	get(ctx context.Context, name string, limit int64) ([]byte, Object, error)
	put(ctx context.Context, name string, fill func(io.Writer) error, absent bool) error
	list(ctx context.Context, prefix string) iter.Seq2[Object, error]
	has(ctx context.Context, name string) (bool, error)
	remove(ctx context.Context, name string) error
	tidy(ctx context.Context, prefix string)
	close() error
}

// An Object is what a listing says about an object.
type Object struct {
	Name string
	Size int64
	Time time.Time // when it was last modified
	ETag string    // "" if the store has none

	kind batch.Kind // of a name in a folder: what is not Wanted is no object
}

// Open opens a bucket by its URL, such as s3://name/prefix?region=eu-west-1, or a
// folder by its path. A folder need not exist.
func Open(ctx context.Context, where string) (*Bucket, error) {
	switch {
	case where == "":
		return nil, errors.New("an empty name for a bucket")
	case !strings.Contains(where, "://"):
		return openFolder(where)
	case IsFolder(where):
		u, err := url.Parse(where)
		if err != nil || u.Host != "" || u.RawQuery != "" {
			return nil, fmt.Errorf("%s: not the URL of a folder, such as file:///data/out", where)
		}
		return openFolder(filepath.FromSlash(u.Path))
	}
	return openCloud(ctx, where)
}

// IsFolder reports whether Open takes a name for that of a folder.
func IsFolder(where string) bool {
	scheme, _, found := strings.Cut(where, "://")
	return !found || scheme == "file"
}

// URL returns the bucket's URL, by which Open opens it from anywhere. It holds no
// secrets: those are in the environment.
func (b *Bucket) URL() string { return b.url }

// Folder returns the path of a folder, and "" for any other bucket.
func (b *Bucket) Folder() string {
	if f, ok := b.store.(*folder); ok {
		return f.dir
	}
	return ""
}

// Room returns [files.ErrFull] for a folder whose disk is full. Other buckets have
// room.
func (b *Bucket) Room() error {
	if dir := b.Folder(); dir != "" {
		return files.Room(dir)
	}
	return nil
}

// Close releases the bucket.
func (b *Bucket) Close() error { return b.store.close() }

// Get returns an object of at most limit bytes.
func (b *Bucket) Get(ctx context.Context, name string, limit int64) (data []byte, o Object, err error) {
	err = b.try(ctx, name, func() error {
		data, o, err = b.store.get(ctx, name, limit)
		return err
	})
	return data, o, err
}

// Has reports whether there is an object of a name.
func (b *Bucket) Has(ctx context.Context, name string) (found bool, err error) {
	err = b.try(ctx, name, func() error {
		found, err = b.store.has(ctx, name)
		return err
	})
	return found, err
}

// Put writes an object, unless there is one: then the error is [fs.ErrExist].
// After an error of the store, it may have been written nevertheless.
func (b *Bucket) Put(ctx context.Context, name string, data []byte) error {
	return b.write(ctx, name, filling(data), true)
}

// PutFrom is Put of what fill writes. Fill is called again for every try.
func (b *Bucket) PutFrom(ctx context.Context, name string, fill func(io.Writer) error) error {
	return b.write(ctx, name, fill, true)
}

// Replace writes an object, or replaces it.
func (b *Bucket) Replace(ctx context.Context, name string, data []byte) error {
	return b.write(ctx, name, filling(data), false)
}

// ReplaceFrom is Replace by what fill writes. Fill is called again for every try.
func (b *Bucket) ReplaceFrom(ctx context.Context, name string, fill func(io.Writer) error) error {
	return b.write(ctx, name, fill, false)
}

func filling(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	}
}

func (b *Bucket) write(ctx context.Context, name string, fill func(io.Writer) error, absent bool) error {
	return b.try(ctx, name, func() error {
		if b.Fault != nil {
			if err := b.Fault(name, false); err != nil {
				return err
			}
		}
		err := b.store.put(ctx, name, fill, absent)
		if b.Fault != nil && err == nil {
			err = b.Fault(name, true)
		}
		return err
	})
}

// List returns the objects whose names begin with prefix, in the order of their
// names, byte by byte.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for o, err := range b.store.list(ctx, prefix) {
			if err != nil {
				err = fmt.Errorf("%s: %w", b.url, plain(err))
			}
			if o.kind != batch.Wanted {
				if b.Passed != nil {
					b.Passed.Count(batch.Found{Path: o.Name, Kind: o.kind})
				}
				continue
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// Remove removes an object, if there is one.
func (b *Bucket) Remove(ctx context.Context, name string) error {
	err := b.try(ctx, name, func() error { return b.store.remove(ctx, name) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// RemoveAll removes the objects whose names begin with prefix.
func (b *Bucket) RemoveAll(ctx context.Context, prefix string) error {
	var names []string
	for o, err := range b.List(ctx, prefix) {
		if err != nil {
			return err
		}
		names = append(names, o.Name)
	}
	for _, name := range names {
		if err := b.Remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Tidy removes what killed writers have left in a folder, below a prefix that ends
// in a slash: their drafts, and empty folders. The prefix "" is for the names
// without a folder. Object stores have neither.
func (b *Bucket) Tidy(ctx context.Context, prefix string) { b.store.tidy(ctx, prefix) }

// tries is how often an operation is tried, and pause how long before the second
// time; each further pause is four times as long.
const (
	tries = 5
	pause = 100 * time.Millisecond
)

// try calls f until there is no error, or one that another try cannot help.
func (b *Bucket) try(ctx context.Context, name string, f func() error) error {
	if err := CheckName(name); err != nil {
		return fmt.Errorf("%.100q: %w", name, err)
	}
	wait := pause
	for n := 1; ; n++ {
		err := plain(f())
		switch {
		case err == nil:
			return nil
		case n == tries || permanent(err) || ctx.Err() != nil:
			return fmt.Errorf("%s: %w", name, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait/2 + rand.N(wait)): // not all workers at once
		}
		wait *= 4
	}
}

// permanent reports whether another try would end in the same error.
func permanent(err error) bool {
	for _, e := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, ErrLong, files.ErrFull, context.Canceled} {
		if errors.Is(err, e) {
			return true
		}
	}
	if errors.As(err, new(NameError)) {
		return true
	}
	code := gcerrors.Code(err)
	return code == gcerrors.InvalidArgument || code == gcerrors.Unimplemented
}

// plain turns an error of a store into one of package fs, where there is one.
func plain(err error) error {
	switch gcerrors.Code(err) {
	case gcerrors.OK:
		return nil
	case gcerrors.NotFound:
		return fs.ErrNotExist
	case gcerrors.FailedPrecondition, gcerrors.AlreadyExists:
		return fs.ErrExist
	case gcerrors.PermissionDenied:
		return fmt.Errorf("%w: %v", fs.ErrPermission, err)
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// ErrLong is the error of an object with more bytes than are to be read.
var ErrLong = errors.New("larger than what is read")
