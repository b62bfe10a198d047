package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/files"
)

func manCmd(f *files.IO) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages",
		Long: `Man writes a manual page for every command to a folder, which it creates if
needed: coclico.1, coclico-encode.1 and so on. The program man finds them in the
folders of $MANPATH, or by their path.`,
		Example: "  coclico man man1 && man man1/coclico-encode.1\n  sudo coclico man /usr/local/share/man/man1",
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFolder(args[0]); err != nil {
				return err
			}
			if err := files.Probe(args[0]); err != nil {
				return err
			}
			return writePages(cmd.Context(), f, cmd.Root(), args[0])
		},
	}
}

// writePages writes the pages of a command and of those below it.
func writePages(ctx context.Context, f *files.IO, cmd *cobra.Command, dir string) error {
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			if err := writePages(ctx, f, sub, dir); err != nil {
				return err
			}
		}
	}
	return f.Write(ctx, filepath.Join(dir, pageName(cmd)+".1"), func(w io.Writer) error {
		_, err := io.WriteString(w, manPage(cmd))
		return err
	})
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPage returns a command's manual page, in the macros of man(7). It is not
// cobra's, which reads the text as Markdown: that takes the backslash out of
// "\[", makes italics of two asterisks, dates the page, and is 200 kB of program.
func manPage(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %q 1 \"\" %q CoCliCo\n", strings.ToUpper(pageName(cmd)), "coclico "+version())
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(pageName(cmd)), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n\\fB%s\\fR\n", roff(cmd.UseLine()))
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s", manText(cmd.Long))
	manFlags(&b, "OPTIONS", cmd.NonInheritedFlags())
	manFlags(&b, "OPTIONS OF ALL COMMANDS", cmd.InheritedFlags())
	if cmd.HasExample() {
		fmt.Fprintf(&b, ".SH EXAMPLES\n%s", manText(cmd.Example))
	}
	var others []string
	for _, other := range append([]*cobra.Command{cmd.Parent()}, cmd.Commands()...) {
		if other != nil && (other == cmd.Parent() || other.IsAvailableCommand()) {
			others = append(others, fmt.Sprintf("\\fB%s\\fR(1)", roff(pageName(other))))
		}
	}
	if len(others) > 0 {
		fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", strings.Join(others, ",\n"))
	}
	return b.String()
}

// manText returns paragraphs, which blank lines part. Indented lines stay as they
// are.
func manText(text string) string {
	var b strings.Builder
	indented, blank := false, false
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); line == "" {
			blank = b.Len() > 0
			continue
		}
		now := strings.HasPrefix(line, " ")
		if indented && !now {
			b.WriteString(".EE\n")
		}
		switch {
		case blank && indented && now:
			b.WriteString("\n")
		case blank:
			b.WriteString(".PP\n")
		}
		if now && !indented {
			b.WriteString(".EX\n")
		}
		b.WriteString(roff(line) + "\n")
		indented, blank = now, false
	}
	if indented {
		b.WriteString(".EE\n")
	}
	return b.String()
}

// manFlags writes a section of flags, unless there are none.
func manFlags(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		b.WriteString(".TP\n")
		if f.Shorthand != "" {
			fmt.Fprintf(b, "\\fB\\-%s\\fR, ", f.Shorthand)
		}
		fmt.Fprintf(b, "\\fB\\-\\-%s\\fR", roff(f.Name))
		name, usage := pflag.UnquoteUsage(f)
		if name != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(name))
		}
		fmt.Fprintf(b, "\n%s", roff(usage))
		if !slices.Contains([]string{"", "0", "0s", "false", "[]"}, f.DefValue) {
			fmt.Fprintf(b, " (default %s)", roff(f.DefValue))
		}
		b.WriteString("\n")
	})
}

// escapes are of what man would take for its own, or print as a typographer's
// quote or hyphen, which no shell understands.
var escapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

// roff returns a line of text as one of a manual page.
func roff(line string) string {
	if line = escapes.Replace(line); strings.HasPrefix(line, ".") {
		line = `\&` + line
	}
	return line
}
