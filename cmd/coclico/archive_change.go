package main

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/archive"
)

func archiveRemoveCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove ARCHIVE GLOB...",
		Short: "Remove names from an archive",
		Long: `Remove removes names from an archive. Their bytes stay until archive compact
rewrites it.

` + globHelp,
		Example: "  coclico archive remove A photos/private/",
		Args:    archiveArgs(" and a GLOB", 1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		w, err := writeArchive(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		defer func() { err = closeArchive(args[0], w, err) }()
		n := 0
		err = eachRow(cmd.Context(), s, newRowBar(s, "removing"), args[0], args[1:], func(r *archive.Row) error {
			n++
			return unwritten(args[0], w.Remove(r.Name))
		})
		if err == nil || errors.As(err, new(missingError)) {
			err = cmp.Or(unwritten(args[0], w.Flush()), err)
		}
		switch {
		case err != nil && cmd.Context().Err() != nil:
			return interruptedError(fmt.Sprintf("interrupted with %d removed; the same command removes the rest", n))
		case err == nil || errors.As(err, new(missingError)):
			fmt.Fprintf(s.Out, "%d removed\n", n)
		}
		return err
	}
	return cmd
}

func archiveCompactCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compact ARCHIVE",
		Short: "Rewrite an archive without what was replaced or removed",
		Long: `Compact rewrites an archive as shards of a million rows in one order, without
what was replaced or removed. It needs as much free space as the archive takes,
or twice as much if more than 64 shards may have one name (archive info), until
it is done. Whoever reads the archive meanwhile must open it again.`,
		Example: "  coclico archive compact A",
		Args:    oneArg("ARCHIVE"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		w, err := writeArchive(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		defer func() { err = closeArchive(args[0], w, err) }()
		bar := newRowBar(s, "compacting")
		err = w.Compact(cmd.Context(), bar.show)
		bar.Close()
		if err != nil {
			return unwritten(args[0], err)
		}
		a := w.Archive()
		defer a.Close()
		_, err = fmt.Fprintf(s.Out, "%s: %s in %s\n", terminal.Printable(args[0]), counted(rowsOf(a), "row"), counted(int64(len(a.Shards())), "shard"))
		return err
	}
	return cmd
}

func archiveMergeCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merge ARCHIVE... -o ARCHIVE",
		Short: "Copy the rows of archives to one",
		Long: `Merge copies the rows of archives, which must be of one model, to another, which
is created if need be. Of rows of one name, that of the last archive counts. A
shard that cannot be read is an error. With --skip-damaged it is listed, rows of
the others are copied, and what it replaced or removed counts again.`,
		Example: "  coclico archive merge A B -o C",
		Args:    someArgs("an ARCHIVE"),
	}
	output := cmd.Flags().StringP("output", "o", "", "`folder` of the archive to write (required)")
	skip := cmd.Flags().Bool("skip-damaged", false, "list shards that cannot be read, and copy the rows of the others")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *output == "" {
			return usagef("archive merge needs an archive to write: -o FOLDER")
		}
		if err := checkFolder(*output); err != nil {
			return err
		}
		var from []*archive.Archive
		for _, dir := range args {
			if files.Same(dir, *output) {
				return usagef("-o %s is one of the archives to merge", *output)
			}
			a, err := openArchive(dir)
			if err != nil {
				return err
			}
			defer a.Close()
			from = append(from, a)
		}
		bar := newRowBar(s, "merging")
		damaged, opt := 0, &archive.Options{}
		if *skip {
			opt.Damaged = func(err error) {
				bar.Close()
				damaged++
				s.Complain(err.Error())
			}
		}
		err := archive.Merge(cmd.Context(), *output, from, opt, bar.show)
		bar.Close()
		if err != nil {
			return unwritten(*output, err)
		}
		a, err := openArchive(*output)
		if err != nil {
			return err
		}
		defer a.Close()
		d, err := describeArchive(s, *output, a)
		if err == nil {
			_, err = fmt.Fprintf(s.Out, "%s: %s in %s\n", terminal.Printable(*output), counted(d.Rows, "row"), counted(int64(d.Shards), "shard"))
		}
		if err == nil && damaged > 0 {
			err = fmt.Errorf("%s could not be read, listed above", counted(int64(damaged), "shard"))
		}
		return err
	}
	return cmd
}
