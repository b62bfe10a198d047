package format

import (
	"math"
	"math/rand"
	"reflect"
	"slices"
	"testing"

	"github.com/coclico/coclico/codec/format/rangecoder"
)

// randomColor returns a random map, or one that changes slowly.
func randomColor(rng *rand.Rand, n, bits int, smooth bool) ColorMap {
	c := ColorMap{Y: make([]uint8, n*n), U: make([]uint8, n*n/4), V: make([]uint8, n*n/4)}
	for _, plane := range [][]uint8{c.Y, c.U, c.V} {
		v := rng.Intn(1 << bits)
		for i := range plane {
			if smooth {
				v = min(max(v+rng.Intn(3)-1, 0), 1<<bits-1)
			} else {
				v = rng.Intn(1 << bits)
			}
			plane[i] = uint8(v)
		}
	}
	return c
}

func writeMap(c ColorMap, h Header) []byte {
	var e rangecoder.Encoder
	coder(e.Symbol).colorMap(c, h)
	return e.Finish()
}

func readMap(data []byte, h Header) ColorMap {
	c := newColorMap(h.MapSize)
	coder(rangecoder.NewDecoder(data).Symbol).colorMap(c, h)
	return c
}

// paperVector returns the coder of a vector in the paper's profile.
func paperVector(moments []Moment, bits int) vectorCoder {
	return Header{Params: Params{DimensionBits: bits}}.vectorCoder(Prior{Moments: moments})
}

func TestColorRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for round := range 500 {
		n, bits, profile := 2+2*rng.Intn(16), 1+rng.Intn(8), rng.Intn(len(predictors))
		c := randomColor(rng, n, bits, round%2 == 0)
		want := ColorMap{Y: slices.Clone(c.Y), U: slices.Clone(c.U), V: slices.Clone(c.V)}
		h := Header{Profile: Profile(profile), Params: Params{MapSize: n, ColorBits: bits}}
		data := writeMap(c, h)
		if got := readMap(data, h); !reflect.DeepEqual(got, want) || !reflect.DeepEqual(c, want) {
			t.Fatalf("n %d, %d bits, profile %d: the map does not round-trip", n, bits, profile)
		}
		cost := 0.0
		for _, p := range c.Probabilities(h.Profile, n, bits) {
			cost += (16 - math.Log2(float64(p))) / 8
		}
		if math.Abs(cost-float64(len(data))) > 1.5 {
			t.Fatalf("n %d, %d bits: %d bytes, its cost is %.2f", n, bits, len(data), cost)
		}
	}
}

// TestDistribution: whatever the context, every code of every depth has a
// probability, and they add up to 1.
func TestDistribution(t *testing.T) {
	rng := rand.New(rand.NewSource(2))
	for range 2000 {
		bits := 1 + rng.Intn(8)
		ctx := Context{Position: rng.Intn(positions), Activity: rng.Intn(activities), Cross: rng.Intn(crossings)}
		for i := range ctx.Features {
			ctx.Features[i] = rng.Intn(513) - 256
		}
		profile, plane := Profile(rng.Intn(len(predictors))), rng.Intn(planes)
		d := predictorsFor(profile, bits)[plane].predict(&ctx, bits, half(profile, plane, bits))
		if d.below(0) != 0 || d.below(1<<bits) != 1<<16 {
			t.Fatal("probabilities do not add up to 1")
		}
		for k := range 1 << bits {
			lo, hi := d.below(k), d.below(k+1)
			if lo >= hi {
				t.Fatalf("%d bits: code %d has [%d, %d)", bits, k, lo, hi)
			}
		}
	}
}

func TestVectorRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewSource(3))
	for range 300 {
		moments := make([]Moment, 1+rng.Intn(100))
		for i := range moments {
			moments[i] = Moment{Float16(uint16(rng.Intn(1 << 16))), Float16(uint16(rng.Intn(1 << 16)))}
		}
		v := paperVector(moments, 1+rng.Intn(16))
		codes, back := make([]uint16, len(moments)), make([]uint16, len(moments))
		for i := range codes {
			codes[i] = uint16(rng.Intn(1 << v.bits[i]))
		}
		var e rangecoder.Encoder
		v.code(e.Symbol, codes)
		v.code(rangecoder.NewDecoder(e.Finish()).Symbol, back)
		if !slices.Equal(codes, back) {
			t.Fatalf("%v round-trips to %v", codes, back)
		}
	}
}

// TestVectorProbabilities: they are the normal distribution's.
func TestVectorProbabilities(t *testing.T) {
	for _, mean := range []float64{-0.5, -0.1, 0, 0.03, 0.75} {
		for _, std := range []float64{0.1, 0.25, 1} {
			m := Moment{int64(mean * (1 << 24)), int64(std * (1 << 24))}
			for bits := 1; bits <= modeled; bits++ {
				v := paperVector([]Moment{m}, bits)
				for k := 1; k < 1<<bits; k++ {
					edge := -1 + float64(k)*math.Exp2(float64(1-bits))
					want := (1 + math.Erf((edge-mean)/std/math.Sqrt2)) / 2
					if got := float64(v.below(0, k, bits)) / 65536; math.Abs(got-want) > 0.003 {
						t.Errorf("mean %v, std %v: below %v lies %v, want %v", mean, std, edge, got, want)
					}
				}
			}
		}
	}
}

func TestFloat16(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0: 0, 0x8000: 0, 1: 0x1p-24, 0x8001: -0x1p-24, 0x03ff: 0x1p-14 - 0x1p-24, 0x0400: 0x1p-14, 0x3c00: 1, 0xbc00: -1,
		0x3555: 0.333251953125, 0x7bff: 65504,
	} {
		if got := float64(Float16(bits)) * 0x1p-24; got != want {
			t.Errorf("%04x is %v, want %v", bits, got, want)
		}
	}
}

// FuzzColor reads any bytes as a map of any size: the result can be written, and
// round-trips.
func FuzzColor(f *testing.F) {
	f.Add([]byte{}, uint8(8), uint8(2), false)
	f.Add([]byte("\x80\x00\xff\xff\x12\x34\x56\x78\x9a"), uint8(32), uint8(8), true)
	f.Fuzz(func(t *testing.T, data []byte, size, depth uint8, tuned bool) {
		h := Header{Params: Params{MapSize: 2 + 2*(int(size)%32), ColorBits: 1 + int(depth)%8}}
		if tuned {
			h.Profile = Tuned
		}
		c := readMap(data, h)
		if again := readMap(writeMap(c, h), h); !reflect.DeepEqual(c, again) {
			t.Fatal("the map does not round-trip")
		}
	})
}

// FuzzVector reads any bytes as a vector of any model.
func FuzzVector(f *testing.F) {
	f.Add([]byte("any bytes at all"), []byte{0, 0x3c, 0, 0x3c, 1, 0x80, 0xff, 0x7b}, uint8(1))
	f.Add([]byte{}, []byte{0, 0, 0, 0}, uint8(16))
	f.Fuzz(func(t *testing.T, data, model []byte, depth uint8) {
		var moments []Moment
		for len(model) >= 4 && len(moments) < 1000 {
			moments = append(moments, Moment{Float16(uint16(model[0]) | uint16(model[1])<<8), Float16(uint16(model[2]) | uint16(model[3])<<8)})
			model = model[4:]
		}
		v := paperVector(moments, 1+int(depth)%16)
		codes, again := make([]uint16, len(moments)), make([]uint16, len(moments))
		v.code(rangecoder.NewDecoder(data).Symbol, codes)
		var e rangecoder.Encoder
		v.code(e.Symbol, codes)
		v.code(rangecoder.NewDecoder(e.Finish()).Symbol, again)
		if !slices.Equal(codes, again) {
			t.Fatal("the vector does not round-trip")
		}
	})
}

// TestCurves checks the tables that do not depend on pictures against their
// definition.
func TestCurves(t *testing.T) {
	logistic := func(z float64) float64 { return 1 / (1 + math.Exp(-z)) }
	for i := range curveSize {
		z := float64(i) / 8
		if want := 65536 * (0.9*logistic(z) + 0.1*logistic(z/3)); math.Abs(float64(colorCurve[i])-want) > 1 {
			t.Errorf("colorCurve[%d] is %d, want %v", i, colorCurve[i], want)
		}
		if want := 32768 * (1 + math.Erf(float64(i)/32/math.Sqrt2)); math.Abs(float64(gaussCurve[i])-want) > 1 {
			t.Errorf("gaussCurve[%d] is %d, want %v", i, gaussCurve[i], want)
		}
	}
	for i, v := range inverseScales {
		if want := 8 * math.Exp2(float64(i)/6); math.Abs(float64(v)-want) > 0.51 {
			t.Errorf("inverseScales[%d] is %d, want %v", i, v, want)
		}
	}
}
