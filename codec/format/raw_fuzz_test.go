package format

import (
	"bytes"
	"math/rand"
	"testing"
)

// FuzzUnpack reads any bytes with any parameters: the result is an error, or
// symbols that pack to the same bytes.
func FuzzUnpack(f *testing.F) {
	for _, p := range []Params{{}, {3, 2, 2, 3}, {5, 3, 4, 1}, {1, 16, 64, 8}} {
		p = p.WithDefaults()
		data := Pack(p, rawSymbols(rand.New(rand.NewSource(5)), p))
		f.Add(data, p.Dimensions, p.DimensionBits, p.MapSize, p.ColorBits)
		f.Add(data[1:], p.Dimensions, p.DimensionBits, p.MapSize, p.ColorBits)
		f.Add(append(data, 0), p.Dimensions, p.DimensionBits, p.MapSize, p.ColorBits)
	}
	f.Add([]byte{0x83, 0xbd, 0x41}, 1, 1, 2, 3) // a padding bit
	f.Add([]byte{}, -1, 0, 0, 0)
	f.Fuzz(func(t *testing.T, data []byte, dim, dimensionBits, size, colorBits int) {
		p := Params{dim, dimensionBits, size, colorBits}
		s, err := Unpack(p, data)
		if err != nil {
			return
		}
		if !bytes.Equal(Pack(p, s), data) {
			t.Fatal("packing gives other bytes")
		}
	})
}

// FuzzParams: valid parameters have a size within the limit, and symbols of that
// size round-trip.
func FuzzParams(f *testing.F) {
	f.Add(0, 0, 0, 0)
	f.Add(768, 1, 8, 2)
	f.Add(1<<16, 16, 64, 8)
	f.Add(-1, 17, 7, 9)
	f.Fuzz(func(t *testing.T, dim, dimensionBits, size, colorBits int) {
		p := Params{dim, dimensionBits, size, colorBits}
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
