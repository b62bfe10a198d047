package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// A Check is the result of verifying a file of a snapshot.
type Check struct {
	Path  string   // in the snapshot
	Files []string // all names of its bytes on the disk: if they are deleted, a pull downloads it again
	Size  int64
	Gone  bool // it is a link to nothing
	Known bool // its hash is known
	Right bool // its bytes have that hash
}

// Verify hashes the files of a snapshot that this module reads and compares the
// hashes with the names of their blobs. advance, which may be nil, is called
// with the number of bytes after each read.
func Verify(ctx context.Context, snapshot string, advance func(int64)) ([]Check, error) {
	names, err := Readable(snapshot)
	if err != nil {
		return nil, err
	}
	var all []Check
	for _, name := range names {
		c, err := verifyFile(ctx, snapshot, name, advance)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// Readable returns the files in a model's folder and in those of its parts that
// are of a kind that this module reads (safetensors, JSON, text), sorted. The
// folders may be links.
func Readable(dir string) ([]string, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, err
	}
	fsys := os.DirFS(dir)
	var names []string
	for _, pattern := range []string{"*", "*/*"} {
		found, err := fs.Glob(fsys, pattern)
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		switch path.Ext(name) {
		case ".safetensors", ".json", ".txt", ".md":
			info, err := fs.Stat(fsys, name)
			return err == nil && !info.Mode().IsRegular()
		}
		return true
	})
	slices.Sort(names)
	return names, nil
}

func verifyFile(ctx context.Context, dir, name string, advance func(int64)) (Check, error) {
	file := filepath.Join(dir, filepath.FromSlash(name))
	c := Check{Path: name, Files: []string{file}}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		c.Files[0] = real
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		c.Gone = true
		return c, nil
	}
	if err != nil {
		return c, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return c, err
	}
	c.Size = info.Size()
	want := ""
	if target, err := os.Readlink(file); err == nil {
		want = filepath.Base(target)
	} else if want = linkedBlob(dir, info); want != "" {
		c.Files = append(c.Files, filepath.Join(blobsOf(dir), want))
	}
	if !hashName(want) {
		return c, nil
	}
	sum := newSum(want, c.Size)
	if _, err := io.Copy(sum, &reporting{ctx, f, advance}); err != nil {
		return c, fmt.Errorf("%s: %w", file, err)
	}
	c.Known, c.Right = true, fmt.Sprintf("%x", sum.Sum(nil)) == want
	return c, nil
}

func blobsOf(snapshot string) string { return filepath.Join(snapshot, "..", "..", "blobs") }

// linkedBlob returns the name of the blob that is a hard link to the same file,
// or "".
func linkedBlob(snapshot string, info fs.FileInfo) string {
	entries, err := os.ReadDir(blobsOf(snapshot))
	if err != nil {
		return ""
	}
	for _, e := range entries {
		if other, err := e.Info(); err == nil && os.SameFile(info, other) {
			return e.Name()
		}
	}
	return ""
}

// A reporting reader reports how much is read, and stops when its context ends.
type reporting struct {
	ctx     context.Context
	r       io.Reader
	advance func(int64)
}

func (r *reporting) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	if r.advance != nil {
		r.advance(int64(n))
	}
	return n, err
}
