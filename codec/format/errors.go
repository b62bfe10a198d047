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

	errDimensions    = UnsupportedError("number of CLIP dimensions outside 1 to 65536")
	errDimensionBits = UnsupportedError("bits of a CLIP dimension outside 1 to 16")
	errMapSize       = UnsupportedError("color map size not an even number from 2 to 64")
	errColorBits     = UnsupportedError("bits of a color sample outside 1 to 8")
	errHeader        = UnsupportedError("header value out of range")
	errVectorBits    = UnsupportedError("bits of the vector outside 1 to 5 for each dimension")
	errShape         = UnsupportedError("one side of the picture is more than 6 times the other: crop it")
	errSteps         = UnsupportedError("steps outside 1 to 1024")
	errGuidance      = UnsupportedError("guidance outside 0 to 655.35")
	errStrength      = UnsupportedError("strength outside 0 to 1")
	errCandidate     = UnsupportedError("candidate outside 0 to 63")
	errPromptText    = UnsupportedError("prompt longer than 1024 bytes, not UTF-8, or with control characters")
	errColor         = UnsupportedError("color guidance outside 0 to 1, or in the paper's profile")
)

// versionError names the version of a file that a later program wrote.
func versionError(v int) error {
	return UnsupportedError(fmt.Sprintf("file version %d; this program reads versions up to %d", v, Version))
}
