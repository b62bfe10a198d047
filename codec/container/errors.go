package container

import (
	"fmt"

	"github.com/coclico/coclico/codec/stream"
)

// FormatError and UnsupportedError are those of package stream.
type (
	FormatError      = stream.FormatError
	UnsupportedError = stream.UnsupportedError
)

const (
	errMagic     = FormatError("it is no .coclico file (a file of raw bits is read with --raw)")
	errShort     = FormatError("it ends in its header")
	errTrailing  = FormatError("it is longer than its parameters allow")
	errAltered   = FormatError("it was cut or changed: its symbols are not written so")
	errNumber    = FormatError("a number in its header is out of range")
	errExtension = FormatError("its header has a flag that this version does not know")

	errNoRoom     = UnsupportedError("a profile or a fingerprint that a file has no room for")
	errVectorBits = UnsupportedError("bits of a vector outside 1 to 5 for each dimension")
	errShape      = UnsupportedError("a whole picture with one side more than 6 times the other: crop it")
	errSteps      = UnsupportedError("steps outside 1 to 1024")
	errGuidance   = UnsupportedError("guidance outside 0 to 655.35")
	errStrength   = UnsupportedError("strength outside 0 to 1")
)

// versionError names the version of a file that a later program wrote.
func versionError(v int) error {
	return UnsupportedError(fmt.Sprintf("a .coclico file of version %d; this program reads version %d", v, Version))
}

// A ModelError reports a file of another model than the one it is to be decoded with.
type ModelError struct {
	File, Model         uint16 // fingerprints, their first 10 bits
	FileName, ModelName string // what they are called, if that is known
}

func (e *ModelError) Error() string {
	name := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	return fmt.Sprintf("it was made with %s (%03x), not with %s (%03x)", name(e.FileName, "another model"), e.File, name(e.ModelName, "this one"), e.Model)
}
