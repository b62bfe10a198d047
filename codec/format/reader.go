package format

import "github.com/coclico/coclico/codec/format/rangecoder"

// A VectorReader reads the vectors of many files of one model. It keeps what
// depends on the model and on sizes that files have in common, and does not
// check that a file is whole, which takes [File.Vector] most of its time. It must
// not be used concurrently.
type VectorReader struct {
	prior  Prior
	coders map[vectorKind]vectorCoder
}

// A vectorKind is what a vectorCoder depends on besides the prior.
type vectorKind struct {
	profile                   Profile
	dimensionBits, vectorBits int
}

// maxCoders bounds the memory that files of many sizes take.
const maxCoders = 64

// NewVectorReader returns a reader of files of one model.
func NewVectorReader(p Prior) *VectorReader {
	return &VectorReader{prior: p, coders: map[vectorKind]vectorCoder{}}
}

// Vector sets codes to the codes of a file's vector. It returns a [FormatError]
// if the file has another number of dimensions than the prior or, unless it is
// raw, was made with another model. It panics if codes has another length.
func (r *VectorReader) Vector(codes []uint16, f *File) error {
	switch {
	case len(codes) != len(r.prior.Moments):
		panic("format: as many codes as dimensions are needed")
	case f.Dimensions != len(codes) || !f.Raw && f.Fingerprint != r.prior.Fingerprint:
		return errPrior
	case f.Raw:
		copy(codes, f.vector)
		return nil
	}
	v := r.coder(f.Header)
	if f.stored {
		v.plain(f.data[f.beginBytes():], f.headBits, codes)
		return nil
	}
	d := f.decoder
	v.read(&d, codes)
	return nil
}

func (r *VectorReader) coder(h Header) vectorCoder {
	kind := vectorKind{h.Profile, h.DimensionBits, h.VectorBits}
	v, ok := r.coders[kind]
	if !ok {
		if len(r.coders) >= maxCoders {
			clear(r.coders)
		}
		v = h.vectorCoder(r.prior)
		r.coders[kind] = v
	}
	return v
}

// plain is each for a reader of bits from bit at on. All of them are in data.
// Single bits, by far the most frequent, take a way of their own.
func (v vectorCoder) plain(data []byte, at int, codes []uint16) {
	r := bitString{data, at}
	for i := range codes {
		if v.bits[i] == 1 {
			codes[i] = uint16(data[r.at/8] >> (7 - r.at%8) & 1)
			r.at++
			continue
		}
		codes[i] = uint16(r.read(0, int(v.bits[i])))
	}
}

// read is code for a decoder: single bits, most of what there is, take a way of
// their own, and so do equally probable codes.
func (v vectorCoder) read(d *rangecoder.Decoder, codes []uint16) {
	if v.moments != nil && d.Bit(uncommon) == 0 {
		v.moments = nil
	}
	c := coder(d.Symbol)
	for i := range codes {
		switch n := v.bits[i]; {
		case n == 0:
			codes[i] = 0
		case n == 1:
			middle := uint32(1 << (rangecoder.ProbBits - 1))
			if v.moments != nil {
				middle = v.middle[i]
			}
			codes[i] = uint16(d.Bit(middle))
		case v.moments == nil && n <= modeled:
			codes[i] = uint16(d.Uniform(int(n)))
		default:
			codes[i] = v.symbol(c, i, codes[i])
		}
	}
}
