package stream

// A FormatError reports that the input is not a valid stream.
type FormatError string

func (e FormatError) Error() string { return "invalid stream: " + string(e) }

// An UnsupportedError reports parameters, a vector or a picture that the format has no room for.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "unsupported: " + string(e) }

const (
	errTruncated = FormatError("it ends too early for its parameters")
	errTrailing  = FormatError("bytes after its end")
	errPadding   = FormatError("padding bits that are not zero")

	errEmbeddingDim  = UnsupportedError("an embedding dimension outside 1 to 65536")
	errEmbeddingBits = UnsupportedError("bits of an embedding value outside 1 to 16")
	errMapSize       = UnsupportedError("a colour map size that is not an even number from 2 to 64")
	errColourBits    = UnsupportedError("bits of a colour value outside 1 to 8")
	errNaN           = UnsupportedError("an embedding with a value that is not a number")
	errNoPixels      = UnsupportedError("a picture without pixels")
	errManyPixels    = UnsupportedError("a picture of more than 536870912 pixels")
)
