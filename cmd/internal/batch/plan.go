package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/coclico/coclico/cmd/internal/files"
)

// A Job is a file to make of another.
type Job struct {
	Input, Output string

	// Unread is why the input cannot be read, if the walk that found it met that.
	Unread error

	// Open opens the input where it is not the file of its name but a part
	// of another.
	Open func(ctx context.Context) (files.File, error)

	// Size and Time are the input's, for a Store that compares them.
	Size int64
	Time time.Time

	root string // the folder that the input was found in, or its own

	// seen is when the input had last changed before it was opened, or zero.
	seen time.Time
}

// A Plan decides which files are worked on, and what they become.
type Plan struct {
	Out    string                       // the output folder
	Wanted func(path string) bool       // whether a file found in a folder is meant
	Name   func(input string) string    // a result's name (no folders) for an input's
	Same   func(input, out string) bool // whether a result was made of its input as it would be now; nil: always
	Ours   func(out string) bool        // whether a file in a result's place is an older result; nil: always
	Found  func(n int)                  // is told how many files have been found so far; nil: nobody
	Kind   string                       // what Wanted looks for, "pictures"
}

// Jobs lists the work on files and folders, in the order of the arguments and
// by name in each, and what was passed over. It touches nothing.
func (p *Plan) Jobs(ctx context.Context, inputs []string) (jobs []Job, passed Passed, err error) {
	from := map[string]string{} // results and what they are made of
	for _, input := range inputs {
		found, over, err := p.find(ctx, input)
		if err != nil {
			return nil, passed, err
		}
		passed.Add(over)
		for _, j := range found {
			switch first, ok := from[sameName(j.Output)]; {
			case !ok:
				from[sameName(j.Output)] = j.Input
				jobs = append(jobs, j)
			case filepath.Clean(first) != filepath.Clean(j.Input):
				return nil, passed, fmt.Errorf("%s and %s would both become %s: give them to two runs with two output folders", first, j.Input, j.Output)
			}
		}
	}
	read := map[string]string{} // inputs by their full names
	for _, j := range jobs {
		if err := files.Overwrites(j.Input, j.Output); err != nil {
			return nil, passed, err
		}
		read[fullName(j.Input)] = j.Input
	}
	for _, j := range jobs {
		if other, ok := read[fullName(j.Output)]; ok {
			return nil, passed, files.Named(other, fmt.Errorf("would be overwritten by what %s becomes", j.Input))
		}
	}
	return jobs, passed, nil
}

func fullName(path string) string { return sameName(files.FullName(path)) }

// find lists the work on one argument.
func (p *Plan) find(ctx context.Context, input string) ([]Job, Passed, error) {
	info, err := os.Stat(input)
	if _, name, ok := files.SplitMember(input); ok && err != nil {
		return []Job{{Input: input, Output: filepath.Join(p.Out, files.Fit(p.Name(filepath.Base(filepath.FromSlash(name))))), root: p.Out}}, Passed{}, nil
	}
	if err != nil {
		return nil, Passed{}, files.Named(input, err)
	}
	base, root := "", filepath.Dir(input)
	if info.IsDir() {
		if files.Inside(p.Out, input) {
			return nil, Passed{}, fmt.Errorf("the output folder %s is in %s, which would be its own input: choose a folder outside", p.Out, input)
		}
		root = filepath.Clean(input)
		if base = filepath.Base(input); base == "." || base == ".." || base == string(filepath.Separator) {
			base = ""
		}
	}
	found, passed, err := Find(ctx, input, p.Wanted, p.Kind, p.Found)
	var jobs []Job
	for _, f := range found {
		rel := "."
		if info.IsDir() {
			if rel, err = filepath.Rel(input, filepath.Dir(f.Path)); err != nil {
				return nil, passed, err
			}
		}
		name := files.Fit(p.Name(filepath.Base(f.Path)))
		jobs = append(jobs, Job{Input: f.Path, Output: filepath.Join(p.Out, base, rel, name), Unread: f.Err, root: root})
	}
	return jobs, passed, err
}

// Find returns a file, also one in an archive, or the wanted files in a folder
// and below it, and what was passed over there. If a folder has no wanted files,
// the error calls them kind. What cannot be read below it is returned with the
// reason. progress, which may be nil, is told how many files there are so far.
func Find(ctx context.Context, input string, wanted func(path string) bool, kind string, progress func(n int)) (found []Found, passed Passed, err error) {
	info, err := os.Stat(input)
	if _, _, member := files.SplitMember(input); err == nil && !info.IsDir() || err != nil && member {
		return []Found{{Path: input, Kind: Wanted}}, passed, nil
	}
	if err != nil {
		return nil, passed, files.Named(input, err)
	}
	passed.Keep = true // as found has the others' names
	for f, err := range Walk(ctx, input, wanted) {
		if err != nil {
			return found, passed, err
		}
		if !passed.Count(f) {
			found = append(found, f)
		}
		if progress != nil {
			progress(len(found))
		}
	}
	if len(found) == 0 {
		return nil, passed, passed.Nothing(input, kind)
	}
	return found, passed, nil
}

// sameName maps names to one that the file systems of a machine take for the
// same.
func sameName(path string) string {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return strings.ToLower(path)
	}
	return path
}

// changed returns the last time at which a job's input may have become another
// file, or the zero time if it is no regular file. Besides the file itself, folders
// that were moved below the one that the user named count, and links on the way to it.
// Folders above it do not: somebody's chmod of a home, or a container's new root,
// would have everything done again.
func (j Job) changed() time.Time {
	if !files.IsRegular(j.Input) {
		return time.Time{}
	}
	last, err := files.Changed(j.Input)
	if err != nil {
		return time.Time{}
	}
	below := true
	for dir := filepath.Dir(j.Input); ; dir = filepath.Dir(dir) {
		last = files.Latest(last, files.Linked(dir))
		if below {
			last = files.Latest(last, files.Moved(dir))
		}
		if dir == filepath.Dir(dir) {
			return last
		}
		below = below && dir != j.root
	}
}

// done reports whether a job needs no work.
func (p *Plan) done(j Job) bool {
	changed := j.changed()
	out, err := os.Stat(j.Output)
	return err == nil && !changed.IsZero() && out.Mode().IsRegular() && out.Size() > 0 && out.ModTime().After(changed) &&
		p.foreign(j) == nil && (p.Same == nil || p.Same(j.Input, j.Output))
}

// foreign returns an error if the file in a result's place is not a result, or
// cannot be looked up.
func (p *Plan) foreign(j Job) error {
	info, err := files.Lookup(j.Output)
	switch {
	case err != nil:
		return files.Named(j.Output, err)
	case info == nil, !info.Mode().IsRegular(), info.Size() == 0, p.Ours == nil, p.Ours(j.Output):
		return nil
	}
	return files.Named(j.Output, errors.New("exists and is not one of the program's results: move it away, or overwrite it with --force"))
}
