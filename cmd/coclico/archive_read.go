package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/archive"
)

// A rowLine is what archive ls --json prints about a row.
type rowLine struct {
	Name        string `json:"name"`
	NameBytes   []byte `json:"name_bytes,omitempty"` // of a path that is not UTF-8
	Bytes       int    `json:"bytes"`
	Width       int    `json:"width,omitempty"`
	Height      int    `json:"height,omitempty"`
	SourceBytes int64  `json:"source_bytes"`
	SourceTime  string `json:"source_time"`
	Error       string `json:"error,omitempty"`
}

func newRowLine(r *archive.Row) rowLine {
	return rowLine{
		Name: r.Name, NameBytes: files.Bytes(archive.Unquote(r.Name)), Bytes: len(r.Data), Width: r.Width, Height: r.Height,
		SourceBytes: r.Size, SourceTime: r.Time.Format("2006-01-02T15:04:05.000Z07:00"), Error: r.Error,
	}
}

func archiveLsCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ls ARCHIVE [GLOB...]",
		Short:   "List the names in an archive",
		Long:    "Ls lists the names in an archive, in their order.\n\n" + globHelp,
		Example: "  coclico archive ls A\n  coclico archive ls A '*.png' photos/2024/ --long",
		Args:    archiveArgs("", 0),
	}
	asJSON := cmd.Flags().Bool("json", false, "print a line of JSON for each name")
	long := cmd.Flags().BoolP("long", "l", false, "print sizes, times and errors too")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *asJSON && *long {
			return usagef("--long has no effect: --json prints everything")
		}
		t := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
		lines := 0
		err := eachRow(cmd.Context(), s, new(rowBar), args[0], args[1:], func(r *archive.Row) error {
			if lines++; lines%1000 == 0 {
				t.Flush() // what is aligned is kept in memory
			}
			switch {
			case *asJSON:
				return s.JSON(newRowLine(r))
			case *long:
				what := terminal.Printable(r.Name)
				if r.Error != "" {
					what += ": " + terminal.Printable(r.Error)
				}
				fmt.Fprintf(t, "%d\t%dx%d\t%d\t%s\t %s\n", len(r.Data), r.Width, r.Height, r.Size, r.Time.Local().Format(time.DateTime), what)
			default:
				fmt.Fprintln(s.Out, terminal.Printable(r.Name))
			}
			return s.OutErr()
		})
		t.Flush()
		return err
	}
	return cmd
}

// eachRow calls f for the rows whose names match. It complains about shards that
// cannot be read, and returns an error at the end if there were any, or if a
// pattern has matched nothing. If another process rewrites the archive
// meanwhile, the rows that follow are those that it has then.
func eachRow(ctx context.Context, s *terminal.Screen, bar *rowBar, dir string, patterns []string, f func(*archive.Row) error) error {
	defer bar.Close()
	var g globs
	bad, shards, last, done := map[string]bool{}, 0, "", int64(0)
	read := func() error {
		a, err := openArchive(dir)
		if err != nil {
			return err
		}
		defer a.Close()
		if g == nil {
			if g, err = newGlobs(a, patterns); err != nil {
				return err
			}
		}
		shards = len(a.Shards())
		total := rowsOf(a)
		for r, err := range a.RowsAfter(last) {
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, archive.ErrChanged):
				return err
			case errors.Is(err, archive.ErrOverlap):
				return files.Named(dir, err)
			case err != nil:
				bar.Close()
				if message := files.Named(dir, err).Error(); !bad[message] { // once, though the archive is opened again
					s.Complain(message)
					bad[message] = true
				}
				continue
			}
			bar.show(done, total)
			done++
			last = r.Name
			if !g.match(r.Name) {
				continue
			}
			if err := f(r); err != nil {
				return err
			}
		}
		return nil
	}
	err := read()
	for errors.Is(err, archive.ErrChanged) {
		err = read()
	}
	switch none := g.unmatched(); {
	case err != nil:
		return err
	case len(bad) > 0:
		return badShards(dir, len(bad), shards)
	case len(none) > 0:
		return missingError(fmt.Sprintf("%s: no name matches %s", dir, strings.Join(none, ", ")))
	}
	return nil
}

// badShards is the error of shards that were complained about.
func badShards(dir string, bad, shards int) error {
	return missingError(fmt.Sprintf("%s: %d of %d shards could not be read, listed above", dir, bad, shards))
}

// A missingError means that rows are missing among those that were asked for. It
// is a string.
type missingError string

func (e missingError) Error() string { return string(e) }

func archiveGetCmd(f *files.IO) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get ARCHIVE NAME -o FILE",
		Short: "Write the .coclico file of a picture in an archive",
		Long: `Get writes the .coclico file of a picture in an archive, to standard output if
FILE is -. FILE is replaced if it exists; one that is named like a picture is
replaced with --force only.`,
		Example: "  coclico archive get A photos/a.jpg -o a.coclico",
		Args:    twoArgs("an ARCHIVE and a NAME"),
	}
	output := cmd.Flags().StringP("output", "o", "", "`file` to write (required)")
	force := cmd.Flags().Bool("force", false, "replace a FILE that is named like a picture")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *output == "" {
			return usagef("archive get needs an output: -o FILE")
		}
		if err := files.Overwrites(args[0], *output); err != nil {
			return err
		}
		if err := keepPicture(*output, *force); err != nil {
			return err
		}
		data, err := member(args[0], args[1])
		if err != nil {
			return files.Named(files.Member(args[0], args[1]), err)
		}
		return f.Write(cmd.Context(), *output, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	}
	return cmd
}

// An archiveInfo is what archive info prints.
type archiveInfo struct {
	Archive     string              `json:"archive"`
	Rows        int64               `json:"rows"` // in all shards
	Shards      int                 `json:"shards"`
	Bytes       int64               `json:"bytes"`
	BytesPerRow float64             `json:"bytes_per_row"`
	Overlap     int                 `json:"overlap"` // the most shards that may have one name
	Fingerprint string              `json:"fingerprint"`
	Origins     []archive.Origin    `json:"origins"` // each once
	Files       []archive.ShardInfo `json:"files"`
}

func archiveInfoCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "info ARCHIVE",
		Short: "Describe an archive",
		Long: `Info prints how many rows an archive has, in how many shards, and how they were
made. Rows that were replaced or removed count until archive compact.`,
		Example: "  coclico archive info A",
		Args:    oneArg("ARCHIVE"),
	}
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a, err := openArchive(args[0])
		if err != nil {
			return err
		}
		defer a.Close()
		d, bad := describeArchive(s, args[0], a)
		if *asJSON {
			return errors.Join(s.JSON(d), bad)
		}
		fmt.Fprintf(s.Out, "%s: %s in %s, %d bytes (%.1f a row)\n", terminal.Printable(args[0]), counted(d.Rows, "row"), counted(int64(d.Shards), "shard"), d.Bytes, d.BytesPerRow)
		if d.Overlap > 1 {
			fmt.Fprintf(s.Out, "names:   up to %d shards may have one: archive compact makes it 1\n", d.Overlap)
		}
		fmt.Fprintf(s.Out, "model:   fingerprint %s\n", d.Fingerprint)
		for _, o := range d.Origins {
			fmt.Fprintf(s.Out, "made:    %s\n", terminal.Printable(fmt.Sprintf("model %q, profile %s, %s; kernels %s; %s", o.Model, o.Profile, o.Params, o.Kernels, o.Software)))
		}
		return bad
	}
	return cmd
}

// describeArchive describes an archive. It complains about shards that cannot be
// read, and returns an error besides if there were any.
func describeArchive(s *terminal.Screen, dir string, a *archive.Archive) (*archiveInfo, error) {
	m := a.Manifest()
	d := &archiveInfo{Archive: dir, Shards: len(m.Shards), Fingerprint: m.Fingerprint, Overlap: m.Overlap(), Files: m.Shards, Origins: []archive.Origin{}}
	seen, bad := map[archive.Origin]bool{}, 0
	for _, shard := range a.Shards() {
		d.Rows += shard.Info.Rows
		d.Bytes += shard.Info.Bytes
		o, err := shard.Origin()
		if err != nil {
			s.Complain(files.Named(dir, err).Error())
			bad++
			continue
		}
		if !seen[o] {
			seen[o] = true
			d.Origins = append(d.Origins, o)
		}
	}
	if d.Rows > 0 {
		d.BytesPerRow = float64(d.Bytes) / float64(d.Rows)
	}
	if bad > 0 {
		return d, badShards(dir, bad, d.Shards)
	}
	return d, nil
}

func archiveCheckCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check ARCHIVE",
		Short: "Read all of an archive and compare its checksums",
		Long: `Check reads all of an archive: it compares the SHA-256 of each shard with the
manifest's and the CRC of each page, and decodes each row. What is wrong names
the shard.`,
		Example: "  coclico archive check A",
		Args:    oneArg("ARCHIVE"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a, err := openArchive(args[0])
		if err != nil {
			return err
		}
		defer a.Close()
		bar := newRowBar(s, "checking")
		defer bar.Close()
		shards, damaged, unread, rows := 0, 0, 0, int64(0)
		for shard, err := range a.Check(cmd.Context(), bar.show) {
			if cmd.Context().Err() != nil {
				return cmd.Context().Err()
			}
			shards++
			rows += shard.Info.Rows
			if err != nil {
				bar.Close()
				s.Complain(files.Named(args[0], err).Error())
				if errors.As(err, new(archive.FormatError)) {
					damaged++
				} else {
					unread++
				}
			}
		}
		bar.Close()
		switch {
		case damaged > 0 && unread > 0:
			return fmt.Errorf("%s: of %d shards %d are damaged and %d could not be read, listed above", args[0], shards, damaged, unread)
		case damaged > 0:
			return fmt.Errorf("%s: %d of %d shards are damaged, listed above", args[0], damaged, shards)
		case unread > 0: // it may be whole
			return badShards(args[0], unread, shards)
		}
		fmt.Fprintf(s.Out, "%s: %s, %s: all as they were written\n", terminal.Printable(args[0]), counted(int64(shards), "shard"), counted(rows, "row"))
		return nil
	}
	return cmd
}
