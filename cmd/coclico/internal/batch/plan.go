package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A Job is a file to make of another.
type Job struct {
	Input, Output string
}

// A Plan says which files are worked on and what becomes of them.
type Plan struct {
	Out    string                       // the output folder
	Wanted func(path string) bool       // whether a file found in a folder is meant
	Name   func(input string) string    // a result's name (no folders) for an input's
	Same   func(input, out string) bool // whether a result was made from its input as it would be now; nil: always
	Ours   func(out string) bool        // whether a file that stands where a result belongs is an older result; nil: always
	Kind   string                       // what Wanted looks for, "pictures"
}

// Jobs lists the work on files and folders, in the order of the arguments and by name in each. It touches nothing.
func (p *Plan) Jobs(ctx context.Context, inputs []string) ([]Job, error) {
	var jobs []Job
	from := map[string]string{} // results and what they are made of
	for _, input := range inputs {
		found, err := p.find(ctx, input)
		if err != nil {
			return nil, err
		}
		for _, j := range found {
			switch first, there := from[sameName(j.Output)]; {
			case !there:
				from[sameName(j.Output)] = j.Input
				jobs = append(jobs, j)
			case filepath.Clean(first) != filepath.Clean(j.Input):
				return nil, fmt.Errorf("%s and %s would both become %s: give them to two runs with two output folders", first, j.Input, j.Output)
			}
		}
	}
	for _, j := range jobs {
		if SameFile(j.Input, j.Output) {
			return nil, fmt.Errorf("%s would be written over by its own result", j.Input)
		}
	}
	return jobs, nil
}

// find lists the work on one argument.
func (p *Plan) find(ctx context.Context, input string) ([]Job, error) {
	info, err := os.Stat(input)
	if err != nil {
		return nil, named(input, err)
	}
	base := ""
	if info.IsDir() {
		if inside(p.Out, input) {
			return nil, fmt.Errorf("the output folder %s is in %s, which would be its own input: choose one outside", p.Out, input)
		}
		if base = filepath.Base(input); base == "." || base == ".." || base == string(filepath.Separator) {
			base = ""
		}
	}
	files, err := Find(ctx, input, p.Wanted, p.Kind)
	var jobs []Job
	for _, path := range files {
		rel := "."
		if info.IsDir() {
			if rel, err = filepath.Rel(input, filepath.Dir(path)); err != nil {
				return nil, err
			}
		}
		jobs = append(jobs, Job{path, filepath.Join(p.Out, base, rel, p.Name(filepath.Base(path)))})
	}
	return jobs, err
}

// Find returns a file, or the wanted ones of a folder and all below it, of which there must be one: an error calls them kind.
// A folder below that cannot be read is returned like a file, for whoever opens it to say so.
func Find(ctx context.Context, input string, wanted func(path string) bool, kind string) ([]string, error) {
	if info, err := os.Stat(input); err != nil {
		return nil, named(input, err)
	} else if !info.IsDir() {
		return []string{input}, nil
	}
	root := input
	if info, err := os.Lstat(input); err == nil && !info.IsDir() {
		root += string(filepath.Separator) // a link to a folder, which a walk would not enter
	}
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && path != root && d != nil:
			files = append(files, path)
			return nil
		case err != nil:
			return named(input, err)
		case path == root:
			return nil
		case strings.HasPrefix(d.Name(), ".") && d.IsDir():
			return filepath.SkipDir
		case strings.HasPrefix(d.Name(), "."), d.IsDir(), !isFile(path, d), !wanted(path):
			return nil
		}
		files = append(files, path)
		return nil
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s: no %s in this folder", input, kind)
	}
	return files, err
}

// isFile reports whether path is a regular file or a link to one.
func isFile(path string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// inside reports whether folder is dir or below it; folder need not exist.
func inside(folder, dir string) bool {
	dir, folder = resolve(dir), resolve(folder)
	rel, err := filepath.Rel(dir, folder)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// resolve returns the absolute path without links of as much of path as exists, and the rest.
func resolve(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	rest := ""
	for p := path; ; p = filepath.Dir(p) {
		if real, err := filepath.EvalSymlinks(p); err == nil {
			return filepath.Join(real, rest)
		}
		if filepath.Dir(p) == p {
			return path
		}
		rest = filepath.Join(filepath.Base(p), rest)
	}
}

// sameName makes names equal that the file systems of these machines take for one.
func sameName(path string) string {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return strings.ToLower(path)
	}
	return path
}

// SameFile reports whether two names, links too, are of one file.
func SameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// done reports whether a job needs no work.
func (p *Plan) done(j Job) bool {
	in, err := os.Stat(j.Input)
	if err != nil {
		return false
	}
	out, err := os.Stat(j.Output)
	return err == nil && out.Mode().IsRegular() && out.Size() > 0 && out.ModTime().After(in.ModTime()) &&
		p.foreign(j) == nil && (p.Same == nil || p.Same(j.Input, j.Output))
}

// foreign returns an error if what stands where a job's result belongs is not a result.
func (p *Plan) foreign(j Job) error {
	info, err := os.Stat(j.Output)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 || p.Ours == nil || p.Ours(j.Output) {
		return nil
	}
	return named(j.Output, errors.New("is there and is none of the program's results: move it away, or write over it with --force"))
}

// named makes an error begin with the name that the user gave.
func named(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}
