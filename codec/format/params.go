package format

// Limits of the parameters. The largest raw stream is 137,216 bytes.
const (
	MaxDimensions    = 1 << 16
	MaxDimensionBits = 16
	MaxMapSize       = 64
	MaxColorBits     = 8
)

// Params are the sizes of a file's symbols. The reader of a raw stream must
// know them; a file carries them. A zero field has the paper's value, so
// Params{} describes the paper's 120 bytes.
type Params struct {
	Dimensions    int // of the CLIP image vector, 1 to 65536; the paper's 768
	DimensionBits int // bits of each dimension, 1 to 16; the paper's 1
	MapSize       int // side of the color map, an even number from 2 to 64; the paper's 8
	ColorBits     int // bits of each sample of the map, 1 to 8; the paper's 2
}

// WithDefaults returns p with the paper's value in every zero field.
func (p Params) WithDefaults() Params {
	if p.Dimensions == 0 {
		p.Dimensions = 768
	}
	if p.DimensionBits == 0 {
		p.DimensionBits = 1
	}
	if p.MapSize == 0 {
		p.MapSize = 8
	}
	if p.ColorBits == 0 {
		p.ColorBits = 2
	}
	return p
}

// Validate returns an [UnsupportedError] if a parameter is outside the format's
// limits.
func (p Params) Validate() error {
	p = p.WithDefaults()
	switch {
	case p.Dimensions < 1 || p.Dimensions > MaxDimensions:
		return errDimensions
	case p.DimensionBits < 1 || p.DimensionBits > MaxDimensionBits:
		return errDimensionBits
	case p.MapSize < 2 || p.MapSize > MaxMapSize || p.MapSize%2 != 0:
		return errMapSize
	case p.ColorBits < 1 || p.ColorBits > MaxColorBits:
		return errColorBits
	}
	return nil
}

// ColorMapBits returns the bits of the color map's codes, 3/2*n*n*b. p must be
// valid.
func (p Params) ColorMapBits() int {
	p = p.WithDefaults()
	return 6 * (p.MapSize / 2) * (p.MapSize / 2) * p.ColorBits
}

// Bits returns the bits of a raw stream's symbols: d*a of the vector and those
// of the color map. p must be valid.
func (p Params) Bits() int {
	p = p.WithDefaults()
	return p.Dimensions*p.DimensionBits + p.ColorMapBits()
}

// Bytes returns the length of a raw stream. p must be valid.
func (p Params) Bytes() int { return (p.Bits() + 7) / 8 }
