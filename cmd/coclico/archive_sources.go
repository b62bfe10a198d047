package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/pack"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec/archive"
)

// sources are what an archive is made of: tar and zip files, and then the rest in
// the order of the names that they have there. Of pictures nothing that grows with
// their number is kept.
type sources struct {
	files  *files.IO
	out    string
	inputs []sourceInput
	list   jobList
}

// A sourceInput is an argument: a picture, a folder of pictures, or a tar or zip
// file of them.
type sourceInput struct {
	path   string
	prefix string // of its names; a picture's is its name
	folder bool
	pack   bool
}

// findSources looks at the arguments. No two may have names in common, as far as
// is seen before folders, tar and zip files are read.
func findSources(f *files.IO, out string, args []string) (*sources, error) {
	s := &sources{files: f, out: out}
	for _, arg := range args {
		in := sourceInput{path: arg, folder: isFolder(arg), pack: arg == files.Stdio || (pack.IsPack(arg) || pack.IsForeign(arg)) && files.IsRegular(arg)}
		base := filepath.Base(arg)
		switch _, err := os.Stat(arg); {
		case in.pack && slices.Contains(args[:len(s.inputs)], files.Stdio) && arg == files.Stdio:
			return nil, usagef("- is standard input, which can be read only once")
		case in.pack:
		case err != nil:
			return nil, files.Named(arg, err)
		case !in.folder:
			in.prefix = base
		case files.Inside(out, arg):
			return nil, fmt.Errorf("the archive %s is in %s, which would be its own input: choose a folder outside", out, arg)
		case base != "." && base != ".." && base != string(filepath.Separator):
			in.prefix = base + "/"
		}
		s.inputs = append(s.inputs, in)
	}
	slices.SortStableFunc(s.inputs, compareInputs)
	for i, b := range s.inputs {
		for _, a := range s.inputs[:i] {
			if !a.pack && !b.pack && (a.prefix == b.prefix || a.has(b.prefix)) && filepath.Clean(a.path) != filepath.Clean(b.path) {
				return nil, fmt.Errorf("%s and %s would both have the names %s: give them to two runs with two archives", a.path, b.path, strings.TrimSuffix(b.prefix, "/"))
			}
		}
	}
	s.inputs = slices.CompactFunc(s.inputs, func(a, b sourceInput) bool { return filepath.Clean(a.path) == filepath.Clean(b.path) })
	return s, nil
}

// compareInputs puts tar and zip files first, whose pictures those on the disk
// replace, and the others in the order of their names.
func compareInputs(a, b sourceInput) int {
	switch {
	case a.pack && !b.pack:
		return -1
	case b.pack && !a.pack:
		return 1
	}
	return strings.Compare(a.prefix, b.prefix)
}

// has reports whether the names of a folder's contents may begin as another
// input's do.
func (in sourceInput) has(prefix string) bool {
	if !in.folder || in.prefix != "" {
		return false
	}
	_, err := os.Stat(filepath.Join(in.path, filepath.FromSlash(prefix)))
	return err == nil
}

// packed reports whether there is a tar or zip file.
func (s *sources) packed() bool {
	return slices.ContainsFunc(s.inputs, func(in sourceInput) bool { return in.pack })
}

// count counts the pictures, unless some are in a tar or zip file, and tells
// progress how many there are so far. A folder without pictures is an error.
func (s *sources) count(ctx context.Context, progress func(n int)) error {
	total := 0
	for _, in := range s.inputs {
		switch {
		case in.pack:
		case !in.folder:
			total++
		default:
			n := 0
			var passed batch.Passed
			for f, err := range batch.Walk(ctx, in.path, wantsPicture) {
				if err != nil {
					return err
				}
				if !passed.Count(f) {
					n++
				}
				progress(total + n)
			}
			if n == 0 {
				return passed.Nothing(in.path, "pictures")
			}
			total += n
		}
	}
	if !s.packed() {
		s.list.total = total
	}
	return nil
}

// jobs yields a job for each picture.
func (s *sources) jobs(ctx context.Context) iter.Seq2[batch.Job, error] {
	return func(yield func(batch.Job, error) bool) {
		for _, in := range s.inputs {
			var err error
			switch {
			case in.pack:
				err = s.unpack(ctx, in, yield)
			case in.folder:
				err = s.walk(ctx, in, yield)
			case !yield(s.job(in.path, in.prefix), nil):
				return
			}
			if err != nil {
				if err != errStop {
					yield(batch.Job{}, err)
				}
				return
			}
		}
	}
}

// A begunJobs is jobs whose first one has been read already.
type begunJobs struct {
	first batch.Job
	more  bool // there is a first
	next  func() (batch.Job, error, bool)
	stop  func()
}

// begun reads the first of jobs. The caller must call stop.
func begun(jobs iter.Seq2[batch.Job, error]) (*begunJobs, error) {
	b := &begunJobs{}
	b.next, b.stop = iter.Pull2(jobs)
	var err error
	if b.first, err, b.more = b.next(); err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

// all yields the jobs, once.
func (b *begunJobs) all(yield func(batch.Job, error) bool) {
	var err error
	for j, more := b.first, b.more; more; j, err, more = b.next() {
		b.first = batch.Job{} // memory
		if !yield(j, err) {
			return
		}
	}
}

// errStop means that the caller of an iterator wants no more.
var errStop = errors.New("stop")

// job returns the job of a file.
func (s *sources) job(path, name string) batch.Job {
	j := batch.Job{Input: path, Output: files.Member(s.out, archive.Quote(name))}
	if info, err := os.Stat(path); err == nil {
		j.Size, j.Time = info.Size(), info.ModTime()
	}
	return j
}

func (s *sources) walk(ctx context.Context, in sourceInput, yield func(batch.Job, error) bool) error {
	for f, err := range batch.Walk(ctx, in.path, wantsPicture) {
		if err != nil {
			return err
		}
		if s.list.passed.Count(f) {
			continue
		}
		rel, err := filepath.Rel(in.path, f.Path)
		if err != nil {
			return err
		}
		j := s.job(f.Path, in.prefix+filepath.ToSlash(rel))
		if j.Unread = f.Err; !yield(j, nil) {
			return errStop
		}
	}
	return nil
}

// unpack yields the pictures in a tar or zip file.
func (s *sources) unpack(ctx context.Context, in sourceInput, yield func(batch.Job, error) bool) error {
	r, err := s.files.Stream(ctx, in.path)
	if err != nil {
		return err
	}
	defer r.Close()
	for e, err := range pack.Entries(r) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return files.Named(in.path, err)
		}
		shown := files.Name(in.path) + "/" + e.Name
		switch {
		case e.Outside || !isPictureName(e.Name) && !picture.Known(e.Head(picture.Sniffed)):
			s.list.passed.Count(batch.Found{Path: shown, Kind: batch.Other})
			continue
		case strings.HasPrefix(path.Base(e.Name), ".") || strings.Contains(e.Name, "/."): // a folder at the top was named
			s.list.passed.Count(batch.Found{Path: shown, Kind: batch.Hidden})
			continue
		}
		j := batch.Job{Input: shown, Output: files.Member(s.out, archive.Quote(e.Name)), Open: e.Open, Size: e.Size, Time: e.Time}
		if !yield(j, nil) {
			return errStop
		}
	}
	return nil
}
