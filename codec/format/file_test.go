package format

import (
	"bytes"
	"math/rand"
	"reflect"
	"slices"
	"sync"
	"testing"
)

// randomPrior has moments of every kind, odd ones too.
func randomPrior(rng *rand.Rand, dim int) Prior {
	m := Prior{uint16(rng.Intn(1 << FingerprintBits)), make([]Moment, dim)}
	for i := range m.Moments {
		mean, std := uint16(rng.Intn(0x3c00)), uint16(rng.Intn(0x3c00)) // up to 1
		if rng.Intn(2) == 0 {
			mean |= 0x8000
		}
		switch rng.Intn(16) {
		case 0:
			std = 0
		case 1:
			mean, std = 0x7bff, 1 // the largest and the smallest
		case 2:
			std |= 0x8000
		}
		m.Moments[i] = Moment{Mean: Float16(mean), Std: Float16(std)}
	}
	return m
}

// randomHeader differs from the default in some fields.
func randomHeader(rng *rand.Rand) Header {
	h := NewHeader(768)
	change := func(f func()) {
		if rng.Intn(3) == 0 {
			f()
		}
	}
	change(func() { h = NewHeader(1 + rng.Intn(1000)) })
	change(func() { h.DimensionBits = 1 + rng.Intn(16) })
	change(func() {
		h = h.WithProfile(Tuned)
		h.VectorBits = 1 + rng.Intn(5*h.Dimensions)
		h.Spread = uint8(rng.Intn(4))
		h.Range = Range{Low: uint8(rng.Intn(8)), High: uint8(rng.Intn(8)), Chroma: uint8(rng.Intn(8))}
	})
	change(func() { h.MapSize = 2 + 2*rng.Intn(32) })
	change(func() { h.ColorBits = 1 + rng.Intn(8) })
	change(func() { h.Shape = Shape(rng.Intn(maxShape + 1)) })
	change(func() { h.Steps = 1 + rng.Intn(1024) })
	change(func() { h.Guidance = rng.Intn(65536) })
	change(func() { h.Strength = rng.Intn(1001) })
	change(func() { h.Seed = rng.Uint64() >> rng.Intn(64) })
	change(func() { h.Candidate = uint8(rng.Intn(MaxCandidates)) })
	change(func() {
		if h.Profile == Tuned {
			h.Color = rng.Intn(101)
		}
	})
	return h
}

// randomSymbols returns symbols of a kind: 0 anything, 1 all the same, 2 as
// smooth as a picture's.
func randomSymbols(rng *rand.Rand, h Header, v vectorCoder, kind int) Symbols {
	s := zeroSymbols(h)
	walk := 0
	next := func(_ uint64, n int) uint64 {
		if n == 0 {
			return 0
		}
		switch kind {
		case 0:
			walk = rng.Intn(1 << n)
		case 2:
			walk = min(max(walk+rng.Intn(3)-1, 0), 1<<n-1)
		}
		return uint64(min(walk, 1<<n-1))
	}
	v.each(next, s.Vector)
	s.ColorMap.each(next, h.ColorBits)
	return s
}

func zeroSymbols(h Header) Symbols {
	return Symbols{make([]uint16, h.Dimensions), newColorMap(h.MapSize)}
}

// read returns all of a file, as the codec reads it.
func read(data []byte, m Prior) (Header, Symbols, error) {
	f, err := Parse(data)
	if err != nil {
		return Header{}, Symbols{}, err
	}
	codes, err := f.Vector(m)
	return f.Header, Symbols{codes, f.Map}, err
}

func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for round := range 2000 {
		h := randomHeader(rng)
		m := randomPrior(rng, h.Dimensions)
		h.Fingerprint = m.Fingerprint
		h = h.normal()
		s := randomSymbols(rng, h, h.vectorCoder(m), round%3)
		data := Marshal(h, s, m)
		f, err := Parse(data)
		if err != nil || f.Header != h || !reflect.DeepEqual(f.Map, s.ColorMap) || !bytes.Equal(f.Bytes(), data) {
			t.Fatalf("%+v: the header and the map do not round-trip (%v)", h, err)
		}
		if back, err := f.Vector(m); err != nil || !slices.Equal(back, s.Vector) {
			t.Fatalf("%+v: the vector does not round-trip (%v)", h, err)
		}
		if n := storedBytes(h); f.Stored() != (len(data) == n) || len(data) > n {
			t.Fatalf("%+v: %d bytes, stored %v; %d stored", h, len(data), f.Stored(), n)
		}
		if !h.extended() && len(data) > h.Bytes()+h.beginBytes() {
			t.Fatalf("%d bytes, raw %d", len(data), h.Bytes())
		}
	}
}

// storedBytes returns the length of a file of plain bits.
func storedBytes(h Header) int {
	bits := h.HeaderBits() + h.symbolBits()
	if h.Profile == Tuned {
		bits += SpreadBits + 3*RangeBits
	}
	return (bits + 7) / 8
}

// TestEscape: whatever the symbols, a file is at most 2 bytes longer than raw
// bits.
func TestEscape(t *testing.T) {
	rng := rand.New(rand.NewSource(2))
	stored := 0
	for round := range 500 {
		m := goldenPrior(768)
		if round%2 == 0 {
			m = randomPrior(rng, 768)
		}
		h := NewHeader(768)
		h.Fingerprint = m.Fingerprint
		n := len(Marshal(h, randomSymbols(rng, h, h.vectorCoder(m), round%3), m))
		if n > 122 {
			t.Fatalf("%d bytes", n)
		}
		if n == 122 {
			stored++
		}
	}
	if stored == 0 || stored == 500 {
		t.Errorf("%d of 500 files are stored", stored)
	}
}

// TestCandidate: a candidate is one byte more, behind the first two, whatever
// the rest of the file; the first one is none.
func TestCandidate(t *testing.T) {
	rng := rand.New(rand.NewSource(5))
	for round := range 200 {
		h := randomHeader(rng)
		m := randomPrior(rng, h.Dimensions)
		s := randomSymbols(rng, h, h.vectorCoder(m), round%3)
		h.Fingerprint, h.Candidate = m.Fingerprint, 0
		plain := Marshal(h, s, m)
		for _, k := range []uint8{1, 15, 63} {
			h.Candidate = k
			want := slices.Insert(bytes.Clone(plain), 2, k)
			want[0] += 1 << 4 // the version
			if got := Marshal(h, s, m); !bytes.Equal(got, want) {
				t.Fatalf("candidate %d of %x: %x, want %x", k, plain, got, want)
			}
		}
	}
}

func TestBadFiles(t *testing.T) {
	rng := rand.New(rand.NewSource(3))
	m := goldenPrior(768)
	h := NewHeader(768)
	h.Fingerprint = m.Fingerprint
	good := Marshal(h, randomSymbols(rng, h, h.vectorCoder(m), 2), m)
	smooth := Marshal(h, zeroSymbols(h), m)
	other := m
	other.Fingerprint ^= 1
	set := func(i int, b byte) []byte {
		d := bytes.Clone(good)
		d[i] = b
		return d
	}
	extended := func(bits ...byte) []byte { return append([]byte{good[0] | 4, good[1]}, bits...) }
	for name, c := range map[string]struct {
		data []byte
		m    Prior
		want error
	}{
		"nothing":        {nil, m, errShort},
		"one byte":       {good[:1], m, errShort},
		"raw bits":       {make([]byte, 120), m, errMagic},
		"text":           {[]byte("once upon a time"), m, errMagic},
		"a JPEG":         {[]byte("\xff\xd8\xff\xe0\x00\x10JFIF"), m, errMagic},
		"UTF-8":          {[]byte("\ufeffonce upon a time"), m, errMagic},
		"version 3":      {set(0, 0xe0|good[0]&15), m, versionError(3)},
		"version 4":      {set(0, 0xf0|good[0]&15), m, versionError(4)},
		"long":           {append(bytes.Clone(good), make([]byte, 120)...), m, errTrailing},
		"a byte more":    {append(bytes.Clone(smooth), 0), m, errAltered},
		"no candidate":   {set(0, 0xd0|good[0]&15)[:2], m, errShort},
		"candidate 0":    {slices.Insert(set(0, 0xd0|good[0]&15), 2, 0), m, errNumber},
		"candidate 64":   {slices.Insert(set(0, 0xd0|good[0]&15), 2, 64), m, errNumber},
		"half":           {good[:len(good)/2], m, errAltered},
		"no map":         {good[:3], other, errAltered}, // no model is needed to tell
		"header alone":   {good[:2], m, errAltered},
		"empty flags":    {extended(0, 0), m, errAltered},
		"empty prompt":   {extended(0b0000_0000, 0b0100_0000), m, errPrompt},
		"strength 1.023": {extended(0b0000_0001, 0b1111_1111, 0b1110_0000), m, errNumber},
		"another size":   {good, Prior{m.Fingerprint, m.Moments[:512]}, errPrior},
	} {
		if _, _, err := read(c.data, c.m); err != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, s, err := read(good, other); err != nil || len(s.Vector) != 768 {
		t.Errorf("with another model's prior: %v", err)
	}
}

// TestShared: goroutines may read one file, which the race detector checks.
func TestShared(t *testing.T) {
	rng := rand.New(rand.NewSource(9))
	m := randomPrior(rng, 64)
	h := NewHeader(64)
	h.Fingerprint = m.Fingerprint
	for _, kind := range []int{0, 1} {
		data := Marshal(h, randomSymbols(rng, h, h.vectorCoder(m), kind), m)
		f, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := f.Vector(m); err != nil {
					t.Error(err)
				}
				f.Map.Probabilities(f.Profile, f.MapSize, f.ColorBits)
			})
		}
		all.Wait()
	}
}

func TestBadCallsPanic(t *testing.T) {
	m := randomPrior(rand.New(rand.NewSource(4)), 4)
	good := NewHeader(4)
	s := zeroSymbols(good)
	for name, change := range map[string]func(h *Header){
		"steps":     func(h *Header) { h.Steps = 0 },
		"guidance":  func(h *Header) { h.Guidance = 65536 },
		"strength":  func(h *Header) { h.Strength = -1 },
		"shape":     func(h *Header) { h.Shape = 64 },
		"model":     func(h *Header) { h.Dimensions = 5 },
		"profile":   func(h *Header) { h.Profile = 2 },
		"candidate": func(h *Header) { h.Candidate = 64 },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			h := good
			change(&h)
			Marshal(h, s, m)
		}()
	}
}

// TestCorruption: every file that differs from a golden one in one byte is read
// or refused. The default ones take every value of every byte, the others a few.
// What a hostile header may cost is bounded: see TestCost.
func TestCorruption(t *testing.T) {
	rng := rand.New(rand.NewSource(5))
	for _, g := range goldens(t) {
		for i := range g.data {
			for b := range 256 {
				whole := g.name == "default-smooth" || i < 4 && g.name == "everything-smooth"
				if !whole && rng.Intn(2048) > 0 {
					continue
				}
				data := bytes.Clone(g.data)
				data[i] = byte(b)
				m := g.prior
				m.Fingerprint = (uint16(data[0])<<8 | uint16(data[1])) % (1 << FingerprintBits)
				h, s, err := read(data, m)
				if err == nil && !bytes.Equal(Marshal(h, s, m), data) {
					t.Fatalf("%s: byte %d as %d is read as another file's", g.name, i, b)
				}
			}
		}
	}
}

// TestCost counts the samples and dimensions that a file of a few bytes can ask
// for: never more than the format's limits, whatever the bytes.
func TestCost(t *testing.T) {
	rng := rand.New(rand.NewSource(8))
	for range 2000 {
		data := make([]byte, 2+rng.Intn(12))
		rng.Read(data)
		data[0] = 0xc4 | data[0]&0xb // a file of version 1 with an extended header
		f, err := Parse(data)
		if err != nil {
			continue
		}
		if n := len(f.Map.Y) + len(f.Map.U) + len(f.Map.V); n > MaxMapSize*MaxMapSize*3/2 || f.Dimensions > MaxDimensions {
			t.Fatalf("%x: %d samples, %d dimensions", data, n, f.Dimensions)
		}
		if _, err := f.Vector(goldenPrior(768)); f.Dimensions != 768 && err != errPrior {
			t.Fatalf("%x: %v", data, err)
		}
	}
}

func TestShapes(t *testing.T) {
	for _, c := range []struct{ w, h, shape, outW, outH int }{
		{1, 1, 32, 768, 768}, {4, 3, 37, 768, 576}, {3, 2, 39, 768, 512}, {1920, 1080, 42, 768, 432},
		{1080, 1920, 22, 432, 768}, {5, 1, 60, 768, 152}, {6, 1, 63, 768, 128}, {1, 6, 1, 128, 768}, {20000, 19900, 32, 768, 768},
	} {
		s, err := ShapeOf(c.w, c.h)
		if err != nil || int(s) != c.shape {
			t.Errorf("%d x %d is shape %d, want %d (%v)", c.w, c.h, s, c.shape, err)
		}
		if w, h := s.Size(768, 8); w != c.outW || h != c.outH {
			t.Errorf("%d x %d is painted as %d x %d, want %d x %d", c.w, c.h, w, h, c.outW, c.outH)
		}
	}
	for w := 1; w <= 6000; w += 13 { // never further off than half a step and the rounding
		s, err := ShapeOf(w, 1000)
		if w < 167 {
			if err != errShape {
				t.Fatalf("%d x 1000: %v", w, err)
			}
			continue
		}
		ow, oh := s.Size(1<<20, 1)
		if r := float64(ow) * 1000 / float64(oh) / float64(w); r < 0.97 || r > 1.03 {
			t.Fatalf("%d x 1000 is painted as %d x %d", w, ow, oh)
		}
	}
	if w, h := Shape(0).Size(64, 8); w != 64 || h != 64 {
		t.Errorf("the square is %d x %d", w, h)
	}
	if w, h := Shape(1).Size(16, 16); w != 16 || h != 16 {
		t.Errorf("the narrowest at one unit is %d x %d", w, h)
	}
	for _, c := range [][2]int{{0, 1}, {7, 1}, {1, 7}, {20000, 3000}} {
		if _, err := ShapeOf(c[0], c[1]); err != errShape {
			t.Errorf("%v: %v", c, err)
		}
	}
}
