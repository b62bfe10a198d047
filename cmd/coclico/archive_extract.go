package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/pack"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/weights"
)

func archiveExtractCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "extract ARCHIVE [GLOB...] -o OUT",
		Short: "Write the .coclico files of an archive",
		Long: `Extract writes the .coclico files of an archive into a folder, as encode would
have: photos/a.jpg as OUT/photos/a.jpg.coclico. Names that would lead out of the
folder, and those that are longer than they need be, such as ./a.jpg, are
refused. A file that is in the way is replaced if it is a .coclico file, or what
a power failure left of one, and is otherwise left alone and reported. If OUT
ends in .tar, .tar.gz, .tgz or .zip, it is such a file, which is replaced with
--force only, and only if every name that is asked for could be read; - is a tar
file on standard output.

Ctrl-C leaves whole files; in a folder the same command resumes with the rest.

` + globHelp,
		Example: "  coclico archive extract A -o out/\n  coclico archive extract A '*.png' -o pngs.tar",
		Args:    archiveArgs("", 0),
	}
	output := cmd.Flags().StringP("output", "o", "", "`folder`, or tar or zip file, to write (required)")
	force := cmd.Flags().Bool("force", false, "replace a tar or zip file")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		*output = files.Output(*output)
		if *output == "" {
			return usagef("archive extract needs an output: -o OUT")
		}
		if *force && !pack.IsPack(*output) {
			return usagef("--force has no effect: it replaces a tar or zip file")
		}
		if err := files.Overwrites(args[0], *output); err != nil {
			return err
		}
		e := &extraction{screen: s, bar: newRowBar(s, "extracting"), dir: args[0], patterns: args[1:]}
		e.replaces = *output != files.Stdio && files.IsRegular(*output)
		var err error
		if *output == files.Stdio || pack.IsPack(*output) {
			if !*force && *output != files.Stdio {
				if err := keepFile(*output, errors.New("exists: --force replaces it")); err != nil {
					return err
				}
			}
			err = f.Write(cmd.Context(), *output, func(w io.Writer) error { return e.pack(cmd.Context(), *output, w) })
		} else if err = checkFolder(*output); err != nil {
			return fmt.Errorf("%w; a tar or zip file ends in .tar, .tar.gz, .tgz or .zip", err)
		} else {
			err = e.folder(cmd.Context(), *output)
		}
		if err == nil && *output != files.Stdio {
			_, err = fmt.Fprintf(s.Out, "%d extracted\n", e.done)
		}
		if err == nil {
			err = e.missing
		}
		if err == nil && e.failed > 0 {
			err = fmt.Errorf("%d failed, listed above", e.failed)
		}
		return err
	}
	return cmd
}

// An extraction writes the files of an archive.
type extraction struct {
	screen       *terminal.Screen
	bar          *rowBar
	dir          string
	patterns     []string
	replaces     bool // a tar or zip file
	done, failed int
	missing      error // why not all rows were read; the file is whole without them
}

// each calls write with each file and its path, and lists what fails. A
// fatalError ends it.
func (e *extraction) each(ctx context.Context, write func(path string, r *archive.Row) error) error {
	err := eachRow(ctx, e.screen, e.bar, e.dir, e.patterns, func(r *archive.Row) error {
		name := archive.Unquote(r.Name)
		err := checkPath(name)
		if r.Error != "" {
			err = errors.New(r.Error)
		}
		if err != nil {
			err = files.Named(files.Member(e.dir, r.Name), err)
		} else {
			err = write(name+streamExt, r)
		}
		if err == nil {
			e.done++
			return nil
		}
		if errors.As(err, new(fatalError)) {
			return err
		}
		e.bar.Close()
		e.screen.Complain(err.Error())
		e.failed++
		return nil
	})
	if errors.As(err, new(missingError)) {
		e.missing, err = err, nil
	}
	return err
}

// checkPath refuses a name that cannot be a file's path, or that is another
// spelling of a path.
func checkPath(name string) error {
	switch {
	case !filepath.IsLocal(filepath.FromSlash(name)):
		return errors.New("a name that leads out of the folder")
	case strings.ContainsRune(name, 0):
		return errors.New("a name with a NUL, which no file has")
	case path.Clean(name) != name:
		return fmt.Errorf("not the shortest name of the file %s, which another row may have", path.Clean(name))
	}
	return nil
}

// A fatalError is an error of writing that every other file would meet as well.
type fatalError struct{ error }

func (e fatalError) Unwrap() error { return e.error }

// pack writes a tar or zip file. One that exists is not replaced by a file that
// lacks what could not be read, and an empty file is not made for that reason.
func (e *extraction) pack(ctx context.Context, output string, w io.Writer) error {
	out := pack.NewTar(w)
	switch {
	case pack.IsZip(output):
		out = pack.NewZip(w)
	case pack.IsGzip(output):
		out = pack.NewGzip(w)
	}
	err := e.each(ctx, func(path string, r *archive.Row) error {
		if err := out.Add(path, r.Data, r.Time); err != nil {
			return fatalError{err}
		}
		return nil
	})
	switch {
	case err != nil || e.missing == nil || output == files.Stdio:
	case e.replaces:
		err = fmt.Errorf("%w; %s is left as it was", e.missing, output)
	case e.done == 0:
		err = e.missing
	}
	return cmp.Or(err, out.Close())
}

func (e *extraction) folder(ctx context.Context, output string) error {
	if err := files.Probe(output); err != nil {
		return err
	}
	root, err := os.OpenRoot(output)
	if err != nil {
		return files.Named(output, err)
	}
	defer root.Close()
	err = e.each(ctx, func(path string, r *archive.Row) error {
		dir, base := filepath.Split(filepath.FromSlash(path))
		name := filepath.Join(dir, files.Fit(base))
		return belowError(output, name, writeBelow(root, name, r.Data))
	})
	switch {
	case err != nil && ctx.Err() != nil:
		err = interruptedError(fmt.Sprintf("interrupted with %d extracted; the same command resumes with the rest", e.done))
	case errors.As(err, new(fatalError)):
		err = fmt.Errorf("%w; %d are extracted, and the same command resumes with the rest", err, e.done)
	}
	return err
}

// belowError decides whose error writing a file below a folder met, as that of a
// batch is decided: the folder's if the disk is full or the folder takes no other
// file either, which ends the run, and otherwise that of the file.
func belowError(output, name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(files.Full(err), files.ErrFull):
		return fatalError{files.Named(output, files.ErrFull)}
	case !errors.Is(err, errNotOurs) && !errors.Is(err, files.ErrBusy):
		if err := files.Probe(output); err != nil {
			return fatalError{err}
		}
	}
	return files.Named(filepath.Join(output, name), err)
}

var errNotOurs = errors.New("exists and is not a .coclico file: move it away")

// writeBelow writes a file below a folder, which no name and no link leads out
// of, as a whole or not at all. One that has these bytes is left as it is. It is
// not synced, which would take longer than all the rest: the archive has it, and
// the same command mends what a power failure has cut.
func writeBelow(root *os.Root, name string, data []byte) error {
	if same, err := isBelow(root, name, data); same || err != nil {
		return err
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	draft := weights.DraftOf(name)
	f, err := weights.CreateDraft(root, draft)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = weights.RenameDraft(root, f, draft, name)
	}
	if err != nil {
		weights.DiscardDraft(root, f, draft)
		return err
	}
	if err := f.Close(); !errors.Is(err, os.ErrClosed) { // as it is on Windows
		return err
	}
	return nil
}

// isBelow reports whether a file has these bytes. The error is errNotOurs if what
// exists is neither a .coclico file nor what a power failure may have left of
// this one: its beginning, perhaps with zeros instead of the rest.
func isBelow(root *os.Root, name string, data []byte) (bool, error) {
	info, err := root.Lstat(name)
	switch {
	case err != nil:
		return false, nil // writing reports why
	case !info.Mode().IsRegular() || info.Size() > maxStream:
		return false, errNotOurs
	}
	old, err := root.ReadFile(name)
	if err != nil || bytes.Equal(old, data) {
		return err == nil, err
	}
	cut := len(old) <= len(data) && bytes.HasPrefix(data, bytes.TrimRight(old, "\x00"))
	if _, err := codec.Parse(old); err != nil && !cut {
		return false, errNotOurs
	}
	return false, nil
}
