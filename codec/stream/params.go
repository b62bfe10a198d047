package stream

// Limits of the parameters. The largest stream is 137,216 bytes.
const (
	MaxEmbeddingDim  = 1 << 16
	MaxEmbeddingBits = 16
	MaxMapSize       = 64
	MaxColourBits    = 8
)

// Params are what both sides must know of a raw stream. A field that is zero has the paper's value, so that Params{} is the
// 120-byte stream of the paper.
type Params struct {
	EmbeddingDim  int // values of the CLIP image vector, 1 to 65536; the paper's 768
	EmbeddingBits int // bits of each, 1 to 16; the paper's 1
	MapSize       int // side of the colour map, an even number from 2 to 64; the paper's 8
	ColourBits    int // bits of each of its samples, 1 to 8; the paper's 2
}

// WithDefaults returns p with the paper's value in every field that is zero.
func (p Params) WithDefaults() Params {
	if p.EmbeddingDim == 0 {
		p.EmbeddingDim = 768
	}
	if p.EmbeddingBits == 0 {
		p.EmbeddingBits = 1
	}
	if p.MapSize == 0 {
		p.MapSize = 8
	}
	if p.ColourBits == 0 {
		p.ColourBits = 2
	}
	return p
}

// Validate returns an [UnsupportedError] if a parameter is outside the format's limits.
func (p Params) Validate() error {
	p = p.WithDefaults()
	switch {
	case p.EmbeddingDim < 1 || p.EmbeddingDim > MaxEmbeddingDim:
		return errEmbeddingDim
	case p.EmbeddingBits < 1 || p.EmbeddingBits > MaxEmbeddingBits:
		return errEmbeddingBits
	case p.MapSize < 2 || p.MapSize > MaxMapSize || p.MapSize%2 != 0:
		return errMapSize
	case p.ColourBits < 1 || p.ColourBits > MaxColourBits:
		return errColourBits
	}
	return nil
}

// Bits returns the bits of the symbols: d*a of the vector and 3/2*n*n*b of the colour map. p must be valid.
func (p Params) Bits() int {
	p = p.WithDefaults()
	return p.EmbeddingDim*p.EmbeddingBits + 6*(p.MapSize/2)*(p.MapSize/2)*p.ColourBits
}

// Bytes returns the length of the stream. p must be valid.
func (p Params) Bytes() int {
	return (p.Bits() + 7) / 8
}
