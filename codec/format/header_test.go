package format

import (
	"errors"
	"math"
	"testing"
)

func TestParams(t *testing.T) {
	for _, c := range []struct {
		p           Params
		bits, bytes int
		err         error
	}{
		{Params{}, 960, 120, nil},
		{Params{768, 1, 8, 2}, 960, 120, nil},
		{Params{MapSize: 16, ColorBits: 3}, 768 + 1152, 240, nil},
		{Params{MapSize: 6}, 768 + 108, 110, nil},
		{Params{1, 1, 2, 1}, 7, 1, nil},
		{Params{1 << 16, 16, 64, 8}, 1<<20 + 49152, 137216, nil},
		{Params{Dimensions: -1}, 0, 0, UnsupportedError("number of CLIP dimensions -1: it is 1 to 65536")},
		{Params{Dimensions: 1<<16 + 1}, 0, 0, UnsupportedError("number of CLIP dimensions 65537: it is 1 to 65536")},
		{Params{DimensionBits: 17}, 0, 0, UnsupportedError("bits of a CLIP dimension 17: it is 1 to 16")},
		{Params{DimensionBits: -1}, 0, 0, UnsupportedError("bits of a CLIP dimension -1: it is 1 to 16")},
		{Params{MapSize: 66}, 0, 0, UnsupportedError("color map size 66: it is an even number from 2 to 64")},
		{Params{MapSize: 7}, 0, 0, UnsupportedError("color map size 7: it is an even number from 2 to 64")},
		{Params{MapSize: -8}, 0, 0, UnsupportedError("color map size -8: it is an even number from 2 to 64")},
		{Params{ColorBits: 9}, 0, 0, UnsupportedError("bits of a color sample 9: it is 1 to 8")},
		{Params{ColorBits: math.MinInt}, 0, 0, outside("bits of a color sample", math.MinInt, "1 to 8")},
	} {
		err := c.p.Validate()
		if err != c.err {
			t.Errorf("%+v: %v, want %v", c.p, err, c.err)
		}
		var unsupported UnsupportedError
		if _, unpack := Unpack(c.p, nil); err != nil && (unpack != err || !errors.As(err, &unsupported)) {
			t.Errorf("%+v: Unpack returns %v, want %v", c.p, unpack, err)
		}
		if err == nil && (c.p.Bits() != c.bits || c.p.Bytes() != c.bytes) {
			t.Errorf("%+v: %d bits in %d bytes, want %d in %d", c.p, c.p.Bits(), c.p.Bytes(), c.bits, c.bytes)
		}
	}
}

// TestNeedless: a header that gives a default as a number, alone or beside one
// that the extension is needed for, or that is extended by nothing, is refused.
// No writer makes one.
func TestNeedless(t *testing.T) {
	type number struct {
		name string
		v    uint64
		bits int
	}
	none := number{}
	header := func(profile Profile, fields []number, given int, seed bool) []byte {
		w := bitString{}
		w.write(magic, 4)
		w.write(uint64(profile), 1)
		w.write(1, 1)
		w.write(423, FingerprintBits)
		for i, f := range fields {
			if i != given {
				w.write(0, 1)
				continue
			}
			w.write(1, 1)
			w.write(f.v, f.bits)
		}
		if seed { // 5
			w.write(1, 1)
			w.write(2<<2|1, 6+2)
		} else {
			w.write(0, 1)
		}
		return w.data
	}
	for profile, fields := range [][]number{
		Paper: {{"dimensions", 767, 16}, {"map size", 3, 5}, {"color bits", 1, 3}, {"dimension bits", 0, 4}, none,
			{"steps", 19, 10}, {"guidance", 1200, 16}, {"strength", 880, 10}},
		Tuned: {{"dimensions", 767, 16}, {"map size", 3, 5}, {"color bits", 1, 3}, {"vector bits", 9<<9 | (768 - 512), 5 + 9}, none,
			{"steps", 19, 10}, {"guidance", 1200, 16}, {"strength", 880, 10}, {"color guidance", 80, 7}},
	} {
		p := Profile(profile)
		if _, _, err := readHeader(header(p, fields, -1, false)); err != errAltered {
			t.Errorf("%v, extended by nothing: %v", p, err)
		}
		h, _, err := readHeader(header(p, fields, -1, true))
		if err != nil || h.Seed != 5 {
			t.Errorf("%v, a seed: %v", p, err)
		}
		for i, field := range fields {
			if field == none { // a default that has no number
				continue
			}
			for _, seed := range []bool{false, true} {
				if _, _, err := readHeader(header(p, fields, i, seed)); err != errAltered {
					t.Errorf("%v, %s, with a seed %v: %v", p, field.name, seed, err)
				}
			}
			fields[i].v++ // not the default any more
			if _, _, err := readHeader(header(p, fields, i, true)); err != nil {
				t.Errorf("%v, other %s: %v", p, field.name, err)
			}
		}
	}
}
