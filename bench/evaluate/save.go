package evaluate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// results matches the names that an evaluation replaces in its output folder.
var results = regexp.MustCompile(`(?i)^(table\.(md|csv|tex)|report\.html|(figure[456]|strength|contact|rate-.*)\.(svg|png))$`)

// checkOut returns an error if the output folder has such names and no journal:
// then they are not an evaluation's.
func (e *Evaluation) checkOut() error {
	if _, err := os.Lstat(filepath.Join(e.Out, journalName)); err == nil {
		return nil
	}
	list, err := os.ReadDir(e.Out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: %w", e.Out, cause(err))
	}
	for _, d := range list {
		if results.MatchString(d.Name()) || e.isRows(d.Name()) {
			return fmt.Errorf("%s: would be replaced, and is no evaluation's, since no %s is beside it: choose another folder", filepath.Join(e.Out, d.Name()), journalName)
		}
	}
	return nil
}

// paintings is the folder of the rows' pictures in the output folder.
const paintings = "pictures"

// isRows reports whether a name in the output folder is that of the rows' pictures,
// and has those of one.
func (e *Evaluation) isRows(name string) bool {
	return name == paintings && slices.ContainsFunc(e.rows, func(r row) bool {
		_, err := os.Lstat(filepath.Join(e.Out, name, r.id))
		return err == nil
	})
}

// contents returns the function that fills a file with data.
func contents(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}
