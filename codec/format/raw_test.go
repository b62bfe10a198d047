package format

import (
	"bytes"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"math/rand"
	"reflect"
	"testing"
)

// rawSymbols returns random symbols of parameters p.
func rawSymbols(rng *rand.Rand, p Params) Symbols {
	p = p.WithDefaults()
	s := Symbols{Vector: make([]uint16, p.Dimensions)}
	for i := range s.Vector {
		s.Vector[i] = uint16(rng.Intn(1 << p.DimensionBits))
	}
	plane := func(n int) []uint8 {
		codes := make([]uint8, n)
		for i := range codes {
			codes[i] = uint8(rng.Intn(1 << p.ColorBits))
		}
		return codes
	}
	n := p.MapSize * p.MapSize
	s.Y, s.U, s.V = plane(n), plane(n/4), plane(n/4)
	return s
}

func TestRawRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for range 500 {
		p := Params{1 + rng.Intn(100), 1 + rng.Intn(16), 2 + 2*rng.Intn(32), 1 + rng.Intn(8)}
		s := rawSymbols(rng, p)
		data := Pack(p, s)
		if len(data) != p.Bytes() {
			t.Fatalf("%+v: %d bytes, want %d", p, len(data), p.Bytes())
		}
		if back, err := Unpack(p, data); err != nil || !reflect.DeepEqual(back, s) {
			t.Fatalf("%+v: the symbols do not round-trip (%v)", p, err)
		}
	}
}

// TestLayout compares with streams written by hand from FORMAT.md.
func TestLayout(t *testing.T) {
	color := ColorMap{Y: []uint8{0, 1, 6, 7}, U: []uint8{5}, V: []uint8{2}}
	for _, c := range []struct {
		p    Params
		s    Symbols
		want string
	}{
		{Params{3, 2, 2, 3}, Symbols{[]uint16{1, 2, 3}, color}, "6c1dea"},
		{Params{1, 1, 2, 3}, Symbols{[]uint16{1}, color}, "83bd40"},
		{Params{2, 16, 2, 1}, Symbols{[]uint16{0x1234, 0xabcd}, ColorMap{[]uint8{1, 0, 0, 0}, []uint8{0}, []uint8{1}}}, "1234abcd84"},
		{Params{1, 9, 2, 8}, Symbols{[]uint16{0x101}, ColorMap{[]uint8{1, 2, 3, 4}, []uint8{5}, []uint8{255}}}, "808081018202ff80"},
	} {
		data := Pack(c.p, c.s)
		if hex.EncodeToString(data) != c.want {
			t.Errorf("%+v: %x, want %s", c.p, data, c.want)
		}
		if back, err := Unpack(c.p, data); err != nil || !reflect.DeepEqual(back, c.s) {
			t.Errorf("%+v: round-trips to %v (%v)", c.p, back, err)
		}
	}
}

// TestPaper checks that the zero parameters give the paper's 120 bytes, and that
// their layout has not moved.
func TestPaper(t *testing.T) {
	s := rawSymbols(rand.New(rand.NewSource(2)), Params{})
	data := Pack(Params{}, s)
	if len(data) != 120 || crc32.ChecksumIEEE(data) != 0xcb009293 {
		t.Errorf("%d bytes of checksum %#x", len(data), crc32.ChecksumIEEE(data))
	}
	for i, code := range s.Vector {
		if uint16(data[i/8]>>(7-i%8)&1) != code {
			t.Fatalf("bit %d is not the sign of dimension %d", i, i)
		}
	}
	for i, code := range append(append(append([]uint8{}, s.Y...), s.U...), s.V...) {
		if data[96+i/4]>>(6-i%4*2)&3 != code {
			t.Fatalf("color sample %d is not at bit %d", i, 768+2*i)
		}
	}
}

func TestBadRaw(t *testing.T) {
	p := Params{Dimensions: 5, DimensionBits: 3, MapSize: 4, ColorBits: 1} // 39 bits
	data := Pack(p, rawSymbols(rand.New(rand.NewSource(3)), p))
	flip := bytes.Clone(data)
	flip[len(flip)-1] ^= 1
	for _, c := range []struct {
		data []byte
		want error
	}{
		{nil, errTruncated},
		{data[:4], errTruncated},
		{append(bytes.Clone(data), 0), errTrailing},
		{make([]byte, 1<<20), errTrailing},
		{flip, errPadding},
	} {
		_, err := Unpack(p, c.data)
		var format FormatError
		if err != c.want || !errors.As(err, &format) {
			t.Errorf("%d bytes: %v, want %v", len(c.data), err, c.want)
		}
	}
	if _, err := Unpack(p, data); err != nil {
		t.Error(err)
	}
}

func TestBadPackPanics(t *testing.T) {
	good := rawSymbols(rand.New(rand.NewSource(4)), Params{})
	large := rawSymbols(rand.New(rand.NewSource(4)), Params{})
	large.V[3] = 4
	long := rawSymbols(rand.New(rand.NewSource(4)), Params{})
	long.Vector = append(long.Vector, 0)
	for name, f := range map[string]func(){
		"code too large":     func() { Pack(Params{}, large) },
		"too many codes":     func() { Pack(Params{}, long) },
		"other parameters":   func() { Pack(Params{MapSize: 4}, good) },
		"invalid parameters": func() { Pack(Params{MapSize: 7}, good) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
