package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/inspect"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
)

func infoCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "info FILE...",
		Short: "Describe files, or how this machine computes",
		Long: `Info prints what a file tells: its size, its CLIP bits and its color map. CLIP
bits are read with the model that the file was made with; everything else needs
no model. For raw bits, with --raw, the length and the format's parameters give
the number of CLIP dimensions, a multiple of 8. On a terminal the color map is a
picture, in true colors if $COLORTERM is truecolor or 24bit, and without colors
if $NO_COLOR is set. A PNG that decode --keep-stream wrote stands for the stream
in it, any other picture for the file that encode makes of it without flags, and
- for standard input.

For several files, and for folders, it prints a table, with --json a line each.

With --machine it prints which implementations of the arithmetic this machine
can run.`,
		Example:           "  coclico info photo.coclico\n  coclico info photo.coclico --json\n  coclico info out/\n  coclico info --machine",
		ValidArgsFunction: completeFiles(append([]string{streamExt[1:]}, pictureEndings...)...),
	}
	flags := cmd.Flags()
	how, model := readingFlags(flags), modelFlag(cmd)
	asJSON := flags.Bool("json", false, "print JSON")
	machine := flags.Bool("machine", false, "print how this machine computes")
	side := options.Whole(flags, "size", 0, 1, codec.MaxSize, "pixels of the longer side that bits per pixel are counted at (default the model's own)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *machine != (len(args) == 0) {
			return usagef("info needs FILEs or --machine")
		}
		if *machine {
			if err := options.NoEffect(flags, "--machine is about no file", append([]string{"model", "raw", "size"}, options.FormatNames...)...); err != nil {
				return err
			}
			return printMachine(s, *asJSON)
		}
		r, err := how()
		if err != nil {
			return err
		}
		i := &inspector{files: f, screen: s, shelf: &shelf{flag: *model}, reading: r, side: *side}
		defer i.shelf.close()
		if err := i.checkModel(); err != nil {
			return err
		}
		if len(args) > 1 || isFolder(args[0]) {
			return printTable(cmd.Context(), i, args, *asJSON)
		}
		subject, err := i.open(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		d := inspect.Describe(subject)
		if *asJSON {
			return s.JSON(d)
		}
		d.Print(s)
		return nil
	}
	return cmd
}

// printTable prints a line for each file, and what is wrong with those that
// cannot be described.
func printTable(ctx context.Context, i *inspector, inputs []string, asJSON bool) error {
	failed := 0
	fail := func(err error) {
		i.screen.Complain(err.Error())
		failed++
	}
	paths, passed, err := findFiles(ctx, i.screen, inputs, fail)
	if err != nil {
		return err
	}
	board := i.screen.Board()
	defer board.Close()
	board.Start(len(paths))
	t := tabwriter.NewWriter(i.screen.Out, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(t, inspect.Header)
	}
	flush := func() error {
		board.Close() // both may be on one terminal
		return t.Flush()
	}
	for n, path := range paths {
		board.Begin(path)
		subject, err := i.open(ctx, path)
		switch {
		case ctx.Err() != nil:
			return errors.Join(flush(), interruptedError(fmt.Sprintf("interrupted after %d of %d files", n, len(paths))))
		case err != nil:
			board.Close()
			fail(err)
			board.Failed()
			continue
		case asJSON:
			board.Close()
			err = i.screen.JSON(inspect.Describe(subject))
		default:
			fmt.Fprintln(t, inspect.Describe(subject).Row())
			if n%tableLines == tableLines-1 {
				err = flush()
			}
		}
		if err != nil {
			return err
		}
		board.Done()
	}
	if err := flush(); err != nil {
		return err
	}
	if err := printPassed(i.screen, passed, asJSON); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d failed, listed above", failed)
	}
	return nil
}

// tableLines is how many lines are aligned with each other: more would be kept in
// memory, and from whoever waits for them.
const tableLines = 100

// findFiles lists the files among the inputs and in folders. What is wrong with
// an input is left to fail.
func findFiles(ctx context.Context, s *terminal.Screen, inputs []string, fail func(error)) (paths []string, passed batch.Passed, err error) {
	bar := s.Bar()
	defer bar.Close()
	for _, input := range inputs {
		if input == files.Stdio {
			paths = append(paths, input)
			continue
		}
		found, over, err := batch.Find(ctx, input, isStreamName, "*"+streamExt+" files", looking(bar))
		if err != nil {
			err = cmp.Or(takenForFolder(input), err)
		}
		switch {
		case ctx.Err() != nil:
			return nil, passed, ctx.Err()
		case err != nil:
			fail(err)
			continue
		}
		for _, f := range found {
			if f.Err != nil {
				fail(files.Named(f.Path, f.Err))
				continue
			}
			paths = append(paths, f.Path)
		}
		passed.Add(over)
	}
	return paths, passed, nil
}
