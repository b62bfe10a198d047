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
		for ending, data := range map[string][]byte{".svg": f.svg, ".png": f.png} {
			files = append(files, file{f.id + ending, func(w io.Writer) error {
				_, err := w.Write(data)
				return err
			}})
		}
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
