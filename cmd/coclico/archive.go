package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/command"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/archive"
)

func archiveCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "archive",
		Short: "Keep millions of pictures in a folder of Parquet files",
		Long: `An archive is a folder of Parquet files with a row for each picture: its name,
its .coclico file, and the size, time and dimensions of its source. A file of
110 bytes takes 4,096 on a disk, a row about 125. DuckDB, pandas, Polars and
Spark read an archive as it is.

decode, info and compare take A::NAME for the file of a picture in archive A.`,
		Example: `  coclico archive create photos/ -o A
  coclico archive ls A
  coclico decode A::photos/a.jpg -o a.png`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(archiveCreateCmd(f, s, false), archiveCreateCmd(f, s, true), archiveLsCmd(s), archiveGetCmd(f), archiveExtractCmd(f, s),
		archiveInfoCmd(s), archiveCheckCmd(s), archiveRemoveCmd(s), archiveCompactCmd(s), archiveMergeCmd(s), archiveDuplicatesCmd(f, s))
	return cmd
}

// openArchive opens the archive in a folder.
func openArchive(dir string) (*archive.Archive, error) {
	a, err := archive.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = files.Named(dir, errNoArchive)
	}
	return a, err
}

// takenForFolder returns an error about an archive that was taken for a folder of
// files, and nil about any other folder.
func takenForFolder(dir string) error {
	if !files.IsRegular(filepath.Join(dir, archive.ManifestName)) {
		return nil
	}
	return files.Named(dir, fmt.Errorf("is an archive: %s names a picture in it, and coclico archive extract writes its files", files.Member(dir, "NAME")))
}

var errNoArchive = errors.New("no archive in this folder: it has no " + archive.ManifestName)

// writeArchive opens the archive in a folder for writing.
func writeArchive(ctx context.Context, dir string) (*archive.Writer, error) {
	w, err := archive.NewWriter(dir, &archive.Options{MustExist: true, Context: ctx, Origin: archive.Origin{Software: "coclico " + version()}})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, files.Named(dir, errNoArchive)
	}
	return w, unwritten(dir, err)
}

// member returns the .coclico file of a picture in an archive, for [files.IO].
func member(dir, name string) ([]byte, error) {
	a, err := openArchive(dir)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	row, err := find(a, name)
	if err != nil {
		return nil, err
	}
	if row.Error != "" {
		return nil, errors.New("the picture could not be read when it was archived: " + row.Error)
	}
	return row.Data, nil
}

// find returns the row of a name, as the archive or as the user spells it.
func find(a *archive.Archive, name string) (*archive.Row, error) {
	row, err := a.Get(name)
	if errors.Is(err, fs.ErrNotExist) && archive.Quote(name) != name {
		row, err = a.Get(archive.Quote(name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = errNoName
	}
	return row, err
}

var errNoName = errors.New("the archive has no such name")

// counted returns a number of things, "1 row" or "2 rows".
func counted(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// archiveArgs demands an archive and perhaps more.
func archiveArgs(more string, least int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < 1+least {
			return usagef("%s needs an ARCHIVE%s", command.Name(cmd), more)
		}
		return nil
	}
}
