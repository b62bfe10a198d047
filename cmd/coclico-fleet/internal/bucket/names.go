package bucket

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the length of the longest name of an object in bytes.
const MaxName = 1024

// CheckName returns an error for the name of an object that might lead out of
// its bucket or folder, or that not every store can hold. Names come from
// strangers: a folder of a name's parts must be a place below the root, whoever
// makes it.
func CheckName(name string) error {
	switch {
	case len(name) > MaxName:
		return errors.New("a name of more than 1,024 bytes")
	case !utf8.ValidString(name):
		return errors.New("a name that is not UTF-8")
	case strings.ContainsFunc(name, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }):
		return errors.New("a name with a backslash or a control character")
	}
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "", ".", "..":
			return errors.New("a name that might lead out of its folder")
		}
	}
	return nil
}
