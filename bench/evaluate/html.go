package evaluate

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"image/jpeg"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// mostShown is the number of pictures in the HTML report, and shownSide the
// largest side at which they are shown there: a file that a browser opens.
const (
	mostShown = 48
	shownSide = 256
)

// caption returns a record's numbers in few words.
func caption(r *Record) string {
	var parts []string
	if r.Bytes > 0 {
		parts = append(parts, fmt.Sprintf("%d bytes", r.Bytes))
	}
	if r.Note != "" {
		parts = append(parts, r.Note)
	}
	if v, ok := r.Scores["color"]; ok {
		parts = append(parts, fmt.Sprintf("color %.3f", v))
	}
	return strings.Join(parts, ", ")
}

// A shown is a picture with what the rows made of it.
type shown struct {
	name string
	rows []shownRow
}

// A shownRow is a row's picture, in the output folder.
type shownRow struct {
	name, path, caption string
}

// shown returns the pictures of the HTML report.
func (e *Evaluation) shown() []shown {
	var all []shown
	for _, t := range e.tasks[:min(len(e.tasks), mostShown)] {
		s := shown{name: filepath.Base(t.path)}
		for i := range e.rows {
			r := t.records[e.rows[i].id]
			if e.rows[i].figure || r == nil || r.Error != "" {
				continue
			}
			s.rows = append(s.rows, shownRow{e.rows[i].name, filepath.Join(e.Out, filepath.FromSlash(r.File)), caption(r)})
		}
		all = append(all, s)
	}
	return all
}

//go:embed report.css
var style string

// HTML writes the report as one page that needs no other file.
func (r *Report) HTML(w io.Writer) error {
	var d document
	d.begin(r.Title)
	d.element("h1", r.Title)
	d.warning(r)
	var body [][]string
	for _, l := range r.Lines {
		body = append(body, r.cells(l))
	}
	d.table(r.headings(), body)
	d.warning(r)
	d.list("", slices.Concat(r.Facts, r.Notes))
	d.list("Absent", r.Absent)
	var problems []string
	for _, p := range r.Problems {
		problems = append(problems, p.String())
	}
	d.list("Problems", problems)
	if len(r.figures) > 0 {
		d.element("h2", "Figures")
		d.raw(`<div class="strip plots">`)
		for _, f := range r.figures {
			d.figure(f.title, f.caption, "image/svg+xml", f.svg)
		}
		d.raw("</div>\n")
	}
	d.element("h2", "Pictures")
	if len(r.pictures) < r.evaluated {
		d.element("p", "The first pictures only; the folder pictures has all of them.")
	}
	for _, s := range r.pictures {
		if err := d.strip(s); err != nil {
			return err
		}
	}
	d.element("h2", "As printed elsewhere")
	d.element("p", "On other pictures and crops, not measured here.")
	body = nil
	for _, p := range r.Published {
		body = append(body, p.cells())
	}
	d.table(publishedHeadings, body)
	d.raw("</body>\n</html>\n")
	_, err := d.WriteTo(w)
	return err
}

// A document is an HTML document that is being written. Names of files stand in
// it: whatever is not raw is escaped, and stands in an element or between the
// double quotes of an attribute, where html.EscapeString suffices. html/template
// would do the same, and make the program 7 MB larger: it calls methods by name,
// so the linker would keep all there are.
type document struct{ bytes.Buffer }

func (d *document) raw(markup string) { d.WriteString(markup) }
func (d *document) text(text string)  { d.WriteString(html.EscapeString(text)) }
func (d *document) begin(title string) {
	d.raw(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
`)
	d.element("title", "CoCliCo: "+title)
	d.raw("<style>\n" + style + "</style>\n</head>\n<body>\n")
}

func (d *document) element(name, text string) {
	d.raw("<" + name + ">")
	d.text(text)
	d.raw("</" + name + ">\n")
}

// warning says that the numbers are of synthetic weights, if they are.
func (d *document) warning(r *Report) {
	if r.Synthetic {
		d.raw(`<p class="warning">`)
		d.text(warning)
		d.raw("</p>\n")
	}
}

func (d *document) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	if title != "" {
		d.element("h2", title)
	}
	d.raw("<ul>\n")
	for _, item := range items {
		d.element("li", item)
	}
	d.raw("</ul>\n")
}

func (d *document) table(headings []string, body [][]string) {
	d.raw("<div class=\"wide\"><table>\n")
	d.row("th", headings)
	for _, cells := range body {
		d.row("td", cells)
	}
	d.raw("</table></div>\n")
}

func (d *document) row(cell string, cells []string) {
	d.raw("<tr>")
	for _, c := range cells {
		d.element(cell, c)
	}
	d.raw("</tr>\n")
}

// strip shows what the rows made of a picture, side by side.
func (d *document) strip(s shown) error {
	d.element("h3", s.name)
	d.raw(`<div class="strip">`)
	for _, row := range s.rows {
		data, err := thumbnail(row.path)
		if err != nil {
			return spoiled(row.path, err)
		}
		d.figure(row.name, row.caption, "image/jpeg", data)
	}
	d.raw("</div>\n")
	return nil
}

// figure shows a picture file, which the document holds.
func (d *document) figure(name, caption, mediaType string, data []byte) {
	d.raw(`<figure><img loading="lazy" alt="`)
	d.text(name)
	d.raw(`" src="data:` + mediaType + `;base64,` + base64.StdEncoding.EncodeToString(data) + `"><figcaption>`)
	d.text(name)
	if caption != "" {
		d.raw("<br>")
		d.text(caption)
	}
	d.raw("</figcaption></figure>\n")
}

// thumbnail returns a picture of the output folder as a small JPEG.
func thumbnail(path string) ([]byte, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	p, err := decodePNG(data)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = jpeg.Encode(&b, p.averaged(min(p.Side, shownSide)).Image(), &jpeg.Options{Quality: 90})
	return b.Bytes(), err
}
