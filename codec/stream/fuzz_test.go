package stream

import (
	"bytes"
	"math/rand"
	"testing"
)

// FuzzUnpack reads any bytes with any parameters: an error, or symbols that pack to the same bytes and stand for numbers.
func FuzzUnpack(f *testing.F) {
	for _, p := range []Params{{}, {3, 2, 2, 3}, {5, 3, 4, 1}, {1, 16, 64, 8}} {
		p = p.WithDefaults()
		data := Pack(p, randomSymbols(rand.New(rand.NewSource(5)), p))
		f.Add(data, p.EmbeddingDim, p.EmbeddingBits, p.MapSize, p.ColourBits)
		f.Add(data[1:], p.EmbeddingDim, p.EmbeddingBits, p.MapSize, p.ColourBits)
		f.Add(append(data, 0), p.EmbeddingDim, p.EmbeddingBits, p.MapSize, p.ColourBits)
	}
	f.Add([]byte{0x83, 0xbd, 0x41}, 1, 1, 2, 3) // a padding bit
	f.Add([]byte{}, -1, 0, 0, 0)
	f.Fuzz(func(t *testing.T, data []byte, dim, embeddingBits, size, colourBits int) {
		p := Params{dim, embeddingBits, size, colourBits}
		s, err := Unpack(p, data)
		if err != nil {
			return
		}
		if !bytes.Equal(Pack(p, s), data) {
			t.Fatal("packing gives other bytes")
		}
		p = p.WithDefaults()
		x := make([]float32, p.EmbeddingDim)
		DequantiseEmbedding(x, s.Embedding, p.EmbeddingBits)
		for _, v := range append(x, DequantiseColour(s.Colour, p.MapSize, p.ColourBits)...) {
			if !(v >= -1 && v <= 1) {
				t.Fatalf("a code stands for %v", v)
			}
		}
	})
}

// FuzzParams: valid parameters have a size within the limit, and symbols of that size survive.
func FuzzParams(f *testing.F) {
	f.Add(0, 0, 0, 0)
	f.Add(768, 1, 8, 2)
	f.Add(1<<16, 16, 64, 8)
	f.Add(-1, 17, 7, 9)
	f.Fuzz(func(t *testing.T, dim, embeddingBits, size, colourBits int) {
		p := Params{dim, embeddingBits, size, colourBits}
		if p.Validate() != nil {
			return
		}
		if p.Bytes() < 1 || p.Bytes() > 137216 || p.Bits() > p.Bytes()*8 || p.Bits() <= p.Bytes()*8-8 {
			t.Fatalf("%+v: %d bits in %d bytes", p, p.Bits(), p.Bytes())
		}
		zeros := make([]byte, p.Bytes())
		s, err := Unpack(p, zeros)
		if err != nil || !bytes.Equal(Pack(p, s), zeros) {
			t.Fatalf("%+v: %v", p, err)
		}
	})
}
