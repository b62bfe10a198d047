package main

import (
	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/inspect"
	"github.com/coclico/coclico/cmd/internal/terminal"
)

func compareCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compare A B",
		Short: "Compare two files",
		Long: `Compare prints the cosine of the CLIP vectors of two files (what they show: 1 is
the same), and the mean square error of their color maps at 32 x 32 pixels in
RGB from 0 to 1 (where they have which colors). For the paper's profile and for
raw bits it also prints how many bits of the vectors differ; those of the tuned
profile mean something only all together. CLIP bits are read with the model that
the files were made with. A picture stands for the file that encode makes of it
without flags.`,
		Example:           "  coclico compare a.coclico b.coclico\n  coclico compare photo.jpg again.png --json",
		Args:              twoArgs("two FILEs"),
		ValidArgsFunction: completeFiles(append([]string{streamExt[1:]}, pictureEndings...)...),
	}
	how, model := readingFlags(cmd.Flags()), modelFlag(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := how()
		if err != nil {
			return err
		}
		if args[0] == files.Stdio && args[1] == files.Stdio {
			return usagef("standard input can be only one of the two")
		}
		i := &inspector{files: f, screen: s, shelf: &shelf{flag: *model}, reading: r}
		defer i.shelf.close()
		if err := i.checkModel(); err != nil {
			return err
		}
		var both [2]inspect.Subject
		for n := range both {
			if both[n], err = i.open(cmd.Context(), args[n]); err != nil {
				return err
			}
		}
		c, err := inspect.Compare(both[0], both[1])
		if err != nil {
			return err
		}
		if *asJSON {
			return s.JSON(c)
		}
		c.Print(s.Out)
		return nil
	}
	return cmd
}
