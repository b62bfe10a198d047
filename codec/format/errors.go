package format

import "fmt"

// A FormatError reports that the input is not a valid file or raw stream.
type FormatError string

func (e FormatError) Error() string { return "invalid file: " + string(e) }

// An UnsupportedError reports a picture, a vector or parameters that the format
// cannot hold, or a file of a later version.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "unsupported: " + string(e) }

const (
	errMagic     = FormatError("not a .coclico file")
	errShort     = FormatError("ends within its header")
	errTrailing  = FormatError("longer than its parameters allow")
	errTruncated = FormatError("shorter than its parameters require")
	errPadding   = FormatError("padding bits are not zero")
	errAltered   = FormatError("truncated or corrupt")
	errNumber    = FormatError("number in the header out of range")
	errExtension = FormatError("unknown flag in the header")
	errPrompt    = FormatError("prompt is corrupt")
	errPrior     = FormatError("vector of another number of dimensions than the model's")

	errHeader     = UnsupportedError("header value out of range")
	errShape      = UnsupportedError("one side of the picture is more than 6 times the other: crop it")
	errPromptText = UnsupportedError("prompt longer than 1024 bytes, not UTF-8, or with control characters")
)

// outside reports a number that a file cannot hold, and what it may be.
func outside(what string, v int, limits string) error {
	return UnsupportedError(fmt.Sprintf("%s %d: it is %s", what, v, limits))
}

// versionError names the version of a file that a later program wrote.
func versionError(v int) error {
	return UnsupportedError(fmt.Sprintf("file version %d; this program reads versions up to %d", v, Version))
}
