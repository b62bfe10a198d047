package evaluate

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// plain makes a name fit for a line of text.
func plain(s string) string { return graphic(strings.Join(strings.Fields(s), " ")) }

// graphic replaces the characters that a terminal would obey.
func graphic(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return '?'
	}, s)
}

// markdownEscapes keep a name from being read as Markdown or HTML.
var markdownEscapes = strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, `\`, `\\`)

// Markdown writes the report as Markdown.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	md := func(s string) string { return markdownEscapes.Replace(plain(s)) }
	line := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + md(c) + " ")
		}
		b.WriteString("|\n")
	}
	rule := func(n int) {
		b.WriteString("|---" + strings.Repeat("|--:", n-1) + "|\n")
	}
	list := func(title string, items []string) {
		if len(items) > 0 {
			b.WriteString("\n" + title + "\n\n")
		}
		for _, item := range items {
			b.WriteString("* " + md(item) + "\n")
		}
	}
	fmt.Fprintf(&b, "# %s\n\n", md(r.Title))
	if r.Synthetic {
		fmt.Fprintf(&b, "**%s**\n\n", warning)
	}
	line(r.headings())
	rule(len(r.Columns) + 1)
	for _, l := range r.Lines {
		line(r.cells(l))
	}
	if r.Synthetic {
		fmt.Fprintf(&b, "\n**%s**\n", warning)
	}
	list("What was measured:", r.Facts)
	list("Rows:", r.Notes)
	list("Absent:", r.Absent)
	list("Problems:", r.problems())
	b.WriteString("\nAs printed elsewhere, on other pictures and crops, not measured here:\n\n")
	line(publishedHeadings)
	rule(len(publishedHeadings))
	for _, p := range r.Published {
		line(p.cells())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) headings() []string {
	headings := []string{""}
	for _, c := range r.Columns {
		headings = append(headings, c.Heading())
	}
	return headings
}

func (r *Report) problems() []string {
	var lines []string
	for _, p := range r.Problems {
		lines = append(lines, p.String())
	}
	return lines
}

// CSV writes the table with the ends of the intervals. A cell without a number
// is empty.
func (r *Report) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	head := []string{"row"}
	for _, col := range r.Columns {
		name := col.Name
		if col.Synthetic {
			name += " (synthetic)"
		}
		head = append(head, name, name+" low", name+" high")
	}
	_ = c.Write(head) // c remembers the error
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 8, 64) }
	for _, l := range r.Lines {
		line := []string{plain(l.Name)}
		for _, v := range l.Cells {
			switch {
			case !v.Known:
				line = append(line, "", "", "")
			case !v.Interval:
				line = append(line, number(v.Mean), "", "")
			default:
				line = append(line, number(v.Mean), number(v.Low), number(v.High))
			}
		}
		_ = c.Write(line)
	}
	c.Flush()
	return c.Error()
}

// latexEscapes keep a name from being read as LaTeX. A [ or * that begins a row
// would be an option of the \\ before it, and of \tabularnewline too, which is
// the same.
var latexEscapes = strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`, "[", "{[}", "*", "{*}",
	"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "↑", `$\uparrow$`, "↓", `$\downarrow$`, "±", `$\pm$`, "<", `$<$`, ">", `$>$`)

// LaTeX writes the table as a tabular environment.
func (r *Report) LaTeX(w io.Writer) error {
	var b strings.Builder
	line := func(cells []string) {
		for i, c := range cells {
			if i > 0 {
				b.WriteString(" & ")
			}
			b.WriteString(latexEscapes.Replace(plain(c)))
		}
		b.WriteString(` \\` + "\n")
	}
	comment := func(s string) { fmt.Fprintf(&b, "%% %s\n", plain(s)) }
	comment(r.Title)
	if r.Synthetic {
		comment(warning)
	}
	for _, s := range r.Facts {
		comment(s)
	}
	fmt.Fprintf(&b, "\\begin{tabular}{l%s}\n\\hline\n", strings.Repeat("r", len(r.Columns)))
	line(r.headings())
	b.WriteString("\\hline\n")
	for _, l := range r.Lines {
		line(r.cells(l))
	}
	b.WriteString("\\hline\n")
	if r.Synthetic {
		fmt.Fprintf(&b, "\\multicolumn{%d}{l}{%s} \\\\\n", len(r.Columns)+1, latexEscapes.Replace(warning))
	}
	b.WriteString("\\end{tabular}\n")
	for _, s := range r.Absent {
		comment("absent: " + s)
	}
	for _, s := range r.problems() {
		comment("problem: " + s)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
