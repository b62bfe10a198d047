package bucket

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the length of the longest name of an object in bytes.
const MaxName = 1024

// A NameError reports that a bucket cannot hold an object of a name. It is a
// string.
type NameError string

func (e NameError) Error() string { return string(e) }

// CheckName returns a [NameError] for the name of an object that might lead out
// of its bucket or folder, or that not every store can hold. Names come from
// strangers: a folder of a name's parts must be a place below the root, whoever
// makes it.
func CheckName(name string) error {
	switch {
	case len(name) > MaxName:
		return NameError("a name of more than 1,024 bytes")
	case !utf8.ValidString(name):
		return NameError("a name that is not UTF-8")
	case strings.ContainsFunc(name, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }):
		return NameError("a name with a backslash or a control character")
	}
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "", ".", "..":
			return NameError("a name that might lead out of its folder")
		}
	}
	return nil
}
