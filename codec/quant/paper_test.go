package quant

import (
	"math"
	"testing"

	"github.com/coclico/coclico/codec/format"
)

// TestColorOfPlainPictures: a picture of one color round-trips within half a
// level of each of Y, U and V, at every size, every number of bits and from
// every shape of picture.
func TestColorOfPlainPictures(t *testing.T) {
	for _, c := range [][3]byte{{0, 0, 0}, {255, 255, 255}, {255, 0, 0}, {0, 0, 255}, {12, 200, 99}} {
		for n := 2; n <= format.MaxMapSize; n += 6 {
			for bits := 1; bits <= format.MaxColorBits; bits++ {
				for _, shape := range [][2]int{{1, 1}, {3, 17}, {40, 20}} {
					rgb := make([]byte, 0, shape[0]*shape[1]*3)
					for range shape[0] * shape[1] {
						rgb = append(rgb, c[:]...)
					}
					half := 0.5/float64(int(1)<<bits) + 1e-6
					bound := half * (1 + 2*1.772) // of G, the worst: (dY + .299 dR + .114 dB)/.587 is less
					for _, antialias := range []bool{false, true} {
						m := DequantizePaperColor(QuantizePaperColor(NewPlanes(rgb, shape[0], shape[1], n, antialias), n, bits), n, bits)
						for i, v := range m {
							if d := math.Abs(float64(v) - float64(c[i%3])/255); d > bound {
								t.Fatalf("%v, n %d, %d bits, %v: channel %d is %v", c, n, bits, shape, i%3, v)
							}
						}
					}
				}
			}
		}
	}
}

func TestUpsample(t *testing.T) {
	// Two by two, red from 0 to 1 across and green down; blue is outside [0, 1].
	m := []float32{0, 0, 2, 1, 0, 2, 0, 1, -2, 1, 1, -2}
	up := Upsample(m, 2, 4, 6)
	across, down := []float32{0, 0.25, 0.75, 1}, []float32{0, 0, 1. / 3, 2. / 3, 1, 1}
	for y := range 6 {
		for x := range 4 {
			px := up[(y*4+x)*3:][:3]
			blue := min(max(2-4*down[y], 0), 1)
			for c, want := range []float32{across[x], down[y], blue} {
				if math.Abs(float64(px[c]-want)) > 1e-6 {
					t.Errorf("channel %d of (%d, %d) is %v, want %v", c, x, y, px[c], want)
				}
			}
		}
	}
	same := Upsample(m, 2, 2, 2)
	for i, v := range same {
		if v != clamp(m[i]) {
			t.Errorf("at its own size sample %d is %v, want %v", i, v, clamp(m[i]))
		}
	}
}

// TestPaperVectorLevels checks every code of every width: its value is in the
// middle of its level, and round-trips.
func TestPaperVectorLevels(t *testing.T) {
	for bits := 1; bits <= format.MaxDimensionBits; bits++ {
		codes := make([]uint16, 1<<bits)
		for i := range codes {
			codes[i] = uint16(i)
		}
		x := make([]float32, len(codes))
		DequantizePaperVector(x, codes, bits)
		q := math.Pow(2, float64(1-bits))
		for i, v := range x {
			if want := -1 + (float64(i)+0.5)*q; float64(v) != want {
				t.Fatalf("%d bits: code %d stands for %v, want %v", bits, i, v, want)
			}
		}
		back := make([]uint16, len(codes))
		for _, shift := range []float64{0, -0.5 * q, 0.49 * q} { // the middle, the lower edge, just below the upper
			for i := range x {
				x[i] = float32(-1 + (float64(i)+0.5)*q + shift)
			}
			if err := QuantizePaperVector(back, x, bits); err != nil {
				t.Fatal(err)
			}
			for i, code := range back {
				if int(code) != i {
					t.Fatalf("%d bits: code of %v is %d, want %d", bits, x[i], code, i)
				}
			}
		}
	}
}

func TestPaperVectorEdges(t *testing.T) {
	inf := float32(math.Inf(1))
	x := []float32{0, float32(math.Copysign(0, -1)), -1e-45, 1, 1.7, inf, -1, -3, -inf}
	codes := make([]uint16, len(x))
	if err := QuantizePaperVector(codes, x, 1); err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint16{1, 1, 0, 1, 1, 1, 0, 0, 0} {
		if codes[i] != want {
			t.Errorf("the code of %v is %d, want %d", x[i], codes[i], want)
		}
	}
	if err := QuantizePaperVector(codes[:1], []float32{float32(math.NaN())}, 1); err != errNaN {
		t.Errorf("NaN: %v, want %v", err, errNaN)
	}
}

func TestBadCallsPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"odd map":       func() { NewPlanes(make([]byte, 3), 1, 1, 7, false) },
		"short picture": func() { NewPlanes(make([]byte, 3), 2, 1, 8, false) },
		"9 color bits":  func() { QuantizePaperColor(Planes{}, 8, 9) },
		"17 bits":       func() { QuantizePaperVector(nil, nil, 17) },
		"long vector":   func() { Cosine(make([]float32, 3), make([]float32, 4)) },
		"large picture": func() { Score(make([]float32, 3), make([]float32, 12)) },
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

// FuzzPaper: whatever the codes, they stand for numbers within their ranges.
func FuzzPaper(f *testing.F) {
	f.Add([]byte("any codes at all, 24 bytes"), uint8(8), uint8(2), uint8(1))
	f.Add([]byte{}, uint8(0), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, codes []byte, size, depth, width uint8) {
		p := format.Params{Dimensions: 1 + len(codes), DimensionBits: 1 + int(width)%16, MapSize: 2 + 2*(int(size)%32), ColorBits: 1 + int(depth)%8}
		data := make([]byte, p.Bytes())
		copy(data, codes)
		data[len(data)-1] &^= 1<<(p.Bytes()*8-p.Bits()) - 1
		s, err := format.Unpack(p, data)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float32, p.Dimensions)
		DequantizePaperVector(x, s.Vector, p.DimensionBits)
		for _, v := range append(x, DequantizePaperColor(s.ColorMap, p.MapSize, p.ColorBits)...) {
			if !(v >= -1 && v <= 1) {
				t.Fatalf("a code stands for %v", v)
			}
		}
	})
}
