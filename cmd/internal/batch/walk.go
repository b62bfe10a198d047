package batch

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coclico/coclico/cmd/internal/files"
)

// A Kind is what a walk does with a name.
type Kind int

const (
	Wanted Kind = iota
	Other       // a file that is neither wanted nor hidden; devices and dangling links too
	Linked      // a link to a folder
	Hidden      // a wanted file, or a folder, whose name begins with a dot
)

// Found is a name that a walk met.
type Found struct {
	Path string
	Kind Kind
	Err  error // of a Wanted name: why it is unknown what it is, or what is below it
}

// Walk walks through a folder and what is below it, in the order of the paths,
// byte by byte, with '/' between their parts. It keeps in memory the names of the
// folders that it is in.
func Walk(ctx context.Context, dir string, wanted func(path string) bool) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) {
		w := &walk{ctx, wanted, yield}
		if names, err := readNames(dir); err != nil {
			yield(Found{}, files.Named(dir, err))
		} else {
			w.folder(dir, names)
		}
	}
}

type walk struct {
	ctx    context.Context
	wanted func(path string) bool
	yield  func(Found, error) bool
}

// folder walks through a folder's names. It reports whether to continue.
func (w *walk) folder(dir string, names []string) bool {
	for _, name := range names {
		if err := w.ctx.Err(); err != nil {
			w.yield(Found{}, err)
			return false
		}
		name, isDir := strings.CutSuffix(name, folderMark)
		path, hidden := filepath.Join(dir, name), strings.HasPrefix(name, ".")
		if isDir && !hidden {
			below, err := readNames(path)
			switch {
			case err != nil:
				if !w.yield(Found{path, Wanted, err}, nil) {
					return false
				}
			case !w.folder(path, below):
				return false
			}
			continue
		}
		kind, err := w.kind(path, isDir, hidden)
		if kind != nothing && !w.yield(Found{path, kind, err}, nil) {
			return false
		}
	}
	return true
}

// nothing is the kind of a hidden file that is not wanted either.
const nothing Kind = -1

// kind returns the kind of a name that is not walked into, and why it could not be
// found out.
func (w *walk) kind(path string, isDir, hidden bool) (Kind, error) {
	if isDir {
		return Hidden, nil
	}
	info, err := files.Lookup(path)
	switch {
	case info != nil && info.IsDir():
		return Linked, nil
	case (err != nil || info != nil && info.Mode().IsRegular()) && w.wanted(path):
		if hidden {
			return Hidden, nil
		}
		return Wanted, err
	case hidden:
		return nothing, nil
	}
	return Other, nil
}

// folderMark follows the names of folders, so that they are sorted as the paths
// below them are.
const folderMark = "/"

// readNames returns the names in a folder, sorted.
func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var names []string
	for {
		entries, err := f.ReadDir(1024) // keeps less in memory than all at once
		for _, e := range entries {
			name := e.Name()
			if e.IsDir() {
				name += folderMark
			}
			names = append(names, name)
		}
		if errors.Is(err, io.EOF) {
			slices.Sort(names)
			return names, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
