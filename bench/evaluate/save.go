package evaluate

import (
	"io"
	"path/filepath"
)

// Save writes the report and its figures into the output folder, and returns the
// names of the files.
func (e *Evaluation) Save(r *Report) ([]string, error) {
	type file struct {
		name string
		fill func(io.Writer) error
	}
	files := []file{{"table.md", r.Markdown}, {"table.csv", r.CSV}, {"table.tex", r.LaTeX}, {"report.html", r.HTML}}
	for _, f := range r.figures {
		files = append(files, file{f.id + ".svg", contents(f.svg)}, file{f.id + ".png", contents(f.png)})
	}
	var names []string
	for _, f := range files {
		if err := e.Write(filepath.Join(e.Out, f.name), f.fill); err != nil {
			return names, err
		}
		names = append(names, f.name)
	}
	return names, nil
}

// contents returns the function that fills a file with data.
func contents(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}
