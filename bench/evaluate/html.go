package evaluate

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/jpeg"
	"io"
	"path/filepath"
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

//go:embed report.html
var page string

var htmlReport = template.Must(template.New("report").Parse(page))

// HTML writes the report as one page that needs no other file. Names are
// escaped by html/template.
func (r *Report) HTML(w io.Writer) error {
	type cell struct {
		Name, Caption string
		Image         template.URL
	}
	type picture struct {
		Name string
		Rows []cell
	}
	data := struct {
		*Report
		Warning           string
		Headings          []string
		Body              [][]string
		PublishedHeadings []string
		PublishedBody     [][]string
		Pictures          []picture
		Figures           []cell
		Rest              bool
	}{Report: r, Headings: r.headings(), PublishedHeadings: publishedHeadings, Rest: len(r.pictures) < r.evaluated}
	if r.Synthetic {
		data.Warning = warning
	}
	for _, l := range r.Lines {
		data.Body = append(data.Body, r.cells(l))
	}
	for _, p := range r.Published {
		data.PublishedBody = append(data.PublishedBody, p.cells())
	}
	for _, f := range r.figures {
		data.Figures = append(data.Figures, cell{f.title, f.caption, dataURI("image/svg+xml", f.svg)})
	}
	for _, s := range r.pictures {
		p := picture{Name: s.name}
		for _, row := range s.rows {
			uri, err := thumbnail(row.path)
			if err != nil {
				return err
			}
			p.Rows = append(p.Rows, cell{row.name, row.caption, uri})
		}
		data.Pictures = append(data.Pictures, p)
	}
	return htmlReport.Execute(w, data)
}

// thumbnail returns a picture of the output folder as a URI.
func thumbnail(path string) (template.URL, error) {
	data, err := readFile(path)
	if err != nil {
		return "", err
	}
	p, err := decodePNG(data)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = jpeg.Encode(&b, p.averaged(min(p.Side, shownSide)).Image(), &jpeg.Options{Quality: 90})
	return dataURI("image/jpeg", b.Bytes()), err
}

// dataURI returns a URI that holds a file. Its characters are base64's, so that
// nothing in the file can end the attribute that it stands in.
func dataURI(kind string, data []byte) template.URL {
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data))
}
