package format

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"
)

// TestVectorReader: one reader reads the vectors of files of all kinds, also of
// damaged ones, as File.Vector decodes them.
func TestVectorReader(t *testing.T) {
	rng := rand.New(rand.NewSource(7))
	for range 20 {
		m := randomPrior(rng, 1+rng.Intn(200))
		r := NewVectorReader(m)
		for round := range 300 {
			h := randomHeader(rng)
			h.Dimensions, h.Fingerprint = len(m.Moments), m.Fingerprint
			if rng.Intn(2) == 0 {
				h.DimensionBits = 1
			}
			h.VectorBits = 1 + rng.Intn(MaxTunedBits*h.Dimensions)
			h = h.normal()
			v := h.vectorCoder(m)
			data := Marshal(h, randomSymbols(rng, h, v, round%3), m)
			if round%5 == 0 {
				data = data[:len(data)-rng.Intn(len(data)/2)]
			}
			f, err := Parse(data)
			if err != nil {
				continue
			}
			got, want := make([]uint16, h.Dimensions), make([]uint16, h.Dimensions)
			v = f.vectorCoder(m)
			if f.stored {
				v.each((&bitString{f.data[f.beginBytes():], f.headBits}).read, want)
			} else {
				d := f.decoder
				v.code(d.Symbol, want)
			}
			for i := range got {
				got[i] = uint16(rng.Uint32()) // what was in it does not matter
			}
			if err := r.Vector(got, f); f.Fingerprint != m.Fingerprint {
				if err == nil {
					t.Fatal("vector of another model's file")
				}
			} else if err != nil || !slices.Equal(got, want) {
				t.Fatalf("%+v: %v, want %v (%v)", f.Header, got, want, err)
			}
		}
	}
}

func TestVectorReaderErrors(t *testing.T) {
	m := randomPrior(rand.New(rand.NewSource(1)), 40)
	r := NewVectorReader(m)
	codes := make([]uint16, 40)
	for _, change := range []func(h *Header){
		func(h *Header) { h.Dimensions = 48 },
		func(h *Header) { h.Fingerprint ^= 1 },
	} {
		h := NewHeader(40)
		h.Fingerprint = m.Fingerprint
		change(&h)
		other := m
		other.Moments = append(slices.Clone(m.Moments), make([]Moment, h.Dimensions-40)...)
		f, err := Parse(Marshal(h, zeroSymbols(h), other))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Vector(codes, f); err != errPrior {
			t.Errorf("%+v: %v", h, err)
		}
	}
	raw, err := ParseRaw(Pack(Params{Dimensions: 40}, Symbols{[]uint16{39: 1}, newColorMap(8)}), Params{Dimensions: 40})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Vector(codes, raw); err != nil || codes[39] != 1 {
		t.Error(codes, err)
	}
}

// BenchmarkVector reads files of random codes whose maps are smooth, and checks
// each (File), or does not (Reader).
func BenchmarkVector(b *testing.B) {
	rng := rand.New(rand.NewSource(1))
	m := Prior{Moments: make([]Moment, 768)}
	for i := range m.Moments {
		m.Moments[i] = Moment{Mean: int64(rng.NormFloat64() * 0.1 * (1 << 24)), Std: 1 << 23}
	}
	for _, profile := range []Profile{Paper, Tuned} {
		h := NewHeader(768).WithProfile(profile)
		var files [][]byte
		for range 64 {
			s := randomSymbols(rng, h, h.vectorCoder(m), 2)
			for i := range s.Vector {
				v := float64(m.Moments[i].Mean) + rng.NormFloat64()*(1<<23)
				s.Vector[i] = 0
				if v > 0 {
					s.Vector[i] = 1
				}
			}
			files = append(files, Marshal(h, s, m))
		}
		each := func(name string, read func(f *File) error) {
			b.Run(fmt.Sprintf("%s/profile=%s", name, profile), func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					f, err := Parse(files[i%len(files)])
					if err == nil {
						err = read(f)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		r, codes := NewVectorReader(m), make([]uint16, 768)
		each("Parse", func(f *File) error { return nil })
		each("Reader", func(f *File) error { return r.Vector(codes, f) })
		each("File", func(f *File) error { _, err := f.Vector(m); return err })
	}
}
