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
