package evaluate

import (
	"fmt"
	"strings"
)

// A figure is a drawing in both formats.
type figure struct {
	id, title, caption string
	svg, png           []byte
}

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
