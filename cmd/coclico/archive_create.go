package main

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/kernels"
)

const archiveSourcesHelp = `PICTURE is a picture that encode reads, a folder of them, a tar file (compressed
or not), a zip file or a WebDataset shard, or - for a tar or zip file on
standard input. A picture's name is the one that cp -r would give it: a.jpg, and
photos/sub/b.png below the folder photos, but sub/b.png below photos/. (with the
dot). In a tar or zip file it is the one that it has there. Of several pictures
of one name the last counts, but a picture on the disk counts before those in
tar and zip files. Links in tar and zip files are not followed.

A picture whose size and time have not changed, and whose row records the same
parameters, is not encoded again; --force does it again. One that cannot be read
has a row with its error, unless the archive has the picture, which it keeps; it
is tried again by the next run. Rows of pictures that do not exist any more
stay: archive remove removes them. Ctrl-C, or a run that was killed, leaves a
whole archive with the pictures up to half a minute before, and the same command
resumes with the rest.

Small shards are merged at the end. Whoever has opened the archive to read it
must then open it again; ls and extract do so by themselves.
`

func archiveCreateCmd(f *files.IO, s *terminal.Screen, mustExist bool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create PICTURE... -o ARCHIVE",
		Short: "Encode pictures into an archive",
		Long: `Create encodes pictures as encode does, with the same flags except --raw, into
an archive, which is a folder. If there is one, it is brought up to date.

` + archiveSourcesHelp + builtInHelp,
		Example: `  coclico archive create photos/ -o A
  coclico archive create 00000.tar 00001.tar -o A
  tar c photos | coclico archive create - -o A`,
		Args:              someArgs("a PICTURE"),
		ValidArgsFunction: completeFiles(append([]string{"tar", "tgz", "zip"}, pictureEndings...)...),
	}
	if mustExist {
		cmd.Use = "add PICTURE... -o ARCHIVE"
		cmd.Short = "Add pictures to an archive"
		cmd.Long = `Add encodes pictures as archive create does, into an archive that exists.

` + archiveSourcesHelp
		cmd.Example = "  coclico archive add new/ -o A"
	}
	output := cmd.Flags().StringP("output", "o", "", "`folder` of the archive (required)")
	m := manyFlags(cmd.Flags(), 8, "how many are in memory at once, if that takes at most 2 GiB, and less than half of the memory that is left; the network sees up to 16 of them at a time", "encode again what is in the archive and unchanged")
	how := encodingFlags(cmd)
	options.HideRaw(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *output == "" || *output == files.Stdio {
			return usagef("archive %s needs an archive: -o FOLDER", cmd.Name())
		}
		if err := checkFolder(*output); err != nil {
			return err
		}
		e, err := how()
		if err != nil {
			return err
		}
		defer e.shelf.close()
		if e.options.Raw {
			return usagef("--raw: an archive holds files, which record how they were made")
		}
		return createArchive(cmd.Context(), f, s, m, e, args, *output, mustExist)
	}
	return cmd
}

func createArchive(ctx context.Context, f *files.IO, s *terminal.Screen, m *many, e *encoding, args []string, out string, mustExist bool) (err error) {
	src, err := findSources(f, out, args)
	if err != nil {
		return err
	}
	model, err := e.shelf.choose()
	if err == nil {
		err = model.idErr
	}
	if err != nil {
		return err
	}
	src.list.passed.Keep = m.json
	bar := s.Bar()
	err = src.count(ctx, looking(bar))
	bar.Close()
	if err != nil {
		return err
	}
	jobs, err := begun(src.jobs(ctx)) // before an archive is made of what is no input
	if err != nil {
		return err
	}
	defer jobs.stop()
	w, err := archive.NewWriter(out, &archive.Options{Origin: e.origin(model), MustExist: mustExist, Context: ctx})
	switch {
	case mustExist && errors.Is(err, fs.ErrNotExist):
		return files.Named(out, errNoArchive)
	case err != nil:
		return explain(unwritten(out, err))
	}
	known := newKnownRows(w.Archive())
	defer func() {
		known.close()
		err = closeArchive(out, w, err)
	}()
	board := s.Board()
	store := &archiveStore{dir: out, writer: w, how: e, model: model.id, known: known, old: map[string]*archive.Row{}, seed: maphash.MakeSeed()}
	if src.packed() {
		store.redone, store.added = map[uint64]bool{}, map[uint64]bool{}
	}
	r := &encodeRunner{encoding: e, files: f, board: board}
	src.list.jobs, src.list.flush = jobs.all, store.flush
	err = runJobs(ctx, s, board, m, &batch.Runner[viewed]{Store: store, Open: r.open, Work: store.work(r.work), Report: store.report}, &src.list, "encoded")
	if store.kept > 0 {
		s.Complain(fmt.Sprintf("%s: keeps %s whose source could not be read", out, counted(store.kept, "picture")))
	}
	r.note(s)
	return err
}

// closeArchive closes the writer of the archive in a folder when err, or nothing,
// has ended its use, and what was added has been flushed if it was nothing. An
// error that the writer has returned before is reported once.
func closeArchive(dir string, w *archive.Writer, err error) error {
	e := w.Close()
	switch {
	case e == nil || errors.Is(err, e):
		return err
	case err == nil:
		return fmt.Errorf("%w; no row is lost, and the next run tries again to merge small shards", unwritten(dir, e))
	}
	return errors.Join(err, unwritten(dir, e))
}

// An unwrittenError is an error of writing to an archive, which reports a full
// disk as all commands do.
type unwrittenError struct{ shown, cause error }

func (e unwrittenError) Error() string { return e.shown.Error() }
func (e unwrittenError) Unwrap() error { return e.cause }

// unwritten returns the error of writing to the archive in a folder, or nil.
func unwritten(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(files.Full(err), files.ErrFull):
		return unwrittenError{files.Named(dir, files.ErrFull), err}
	}
	return unwrittenError{err, err}
}

// origin is what an archive's shards record about how their rows were made.
func (e *encoding) origin(m *shelved) archive.Origin {
	return archive.Origin{
		Fingerprint: fmt.Sprintf("%08x", m.print), Model: m.Name, Profile: e.options.Profile.String(), Params: e.params,
		Kernels: kernels.Active(), Software: "coclico " + version(),
	}
}
