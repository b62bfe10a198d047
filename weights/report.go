package weights

import (
	"fmt"
	"strings"
)

// A LoadError lists how a file's tensors differ from those that a model reads.
type LoadError struct {
	File    string
	Missing []string   // read by the model, not in the file
	Shapes  []Mismatch // of another shape
	Types   []Spec     // of a type other than F16, BF16 and F32
	Unread  []string   // in the file, not read by the model
}

// A Mismatch is a tensor of another shape than the configuration implies.
type Mismatch struct {
	Name      string
	Want, Got []int
}

func (m Mismatch) String() string {
	return fmt.Sprintf("%s is %v, not %v", show(m.Name), m.Got, m.Want)
}

// A class is the differences of one kind, one per line.
type class struct {
	title string
	lines []string
}

func (e *LoadError) classes() []class {
	var c [4]class
	c[0].title, c[1].title, c[2].title, c[3].title = "missing", "of another shape", "of an unusable type", "unknown"
	for _, name := range e.Missing {
		c[0].lines = append(c[0].lines, show(name))
	}
	for _, m := range e.Shapes {
		c[1].lines = append(c[1].lines, m.String())
	}
	for _, t := range e.Types {
		c[2].lines = append(c[2].lines, fmt.Sprintf("%s is %v, not F16, BF16 or F32", show(t.Name), t.DType))
	}
	for _, name := range e.Unread {
		c[3].lines = append(c[3].lines, show(name))
	}
	return c[:]
}

// Error returns one line: the file, and for each kind of difference the number
// of tensors and the first three of them.
func (e *LoadError) Error() string {
	const most = 3
	var parts []string
	for _, c := range e.classes() {
		n := len(c.lines)
		if n == 0 {
			continue
		}
		some := strings.Join(c.lines[:min(n, most)], ", ")
		if n > most {
			some += ", ..."
		}
		parts = append(parts, fmt.Sprintf("%d %s (%s)", n, c.title, some))
	}
	return fmt.Sprintf("%s: tensors do not match the network: %s", show(e.File), strings.Join(parts, "; "))
}

// List returns the whole report, one line per tensor.
func (e *LoadError) List() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", show(e.File))
	for _, c := range e.classes() {
		if len(c.lines) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%d %s:\n", len(c.lines), c.title)
		for _, line := range c.lines {
			fmt.Fprintf(&b, "\t%s\n", line)
		}
	}
	return b.String()
}
