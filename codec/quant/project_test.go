package quant

import (
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/coclico/coclico/codec/format"
)

// smooth returns a smooth random picture rgb [h, w, 3] around a middle.
func smooth(rng *rand.Rand, w, h int) []float32 {
	var phase, freq [9]float64
	for i := range phase {
		phase[i], freq[i] = rng.Float64()*7, rng.Float64()*9
	}
	rgb := make([]float32, 0, w*h*3)
	for y := range h {
		for x := range w {
			for c := range 3 {
				v := 0.5 + 0.12*math.Sin(freq[c]*float64(x)/float64(w)+phase[c]) + 0.12*math.Sin(freq[c+3]*float64(y)/float64(h)+phase[c+3]) + 0.1*rng.Float64()
				rgb = append(rgb, float32(v))
			}
		}
	}
	return rgb
}

// TestProject: no sample of the painted picture's map moves away from that of
// the true picture, samples outside of their interval move into it, and a
// picture whose samples lie inside does not change at all.
func TestProject(t *testing.T) {
	rng := rand.New(rand.NewSource(9))
	for _, s := range []struct{ w, h, n, bits int }{
		{128, 128, 8, 2}, {64, 64, 4, 1}, {96, 40, 8, 3}, {33, 77, 6, 2}, {64, 64, 16, 2}, {64, 64, 32, 4}, {16, 8, 8, 2}, {128, 128, 8, 8},
	} {
		truth, painted := smooth(rng, s.w, s.h), smooth(rng, s.w, s.h)
		a := newSmoother(s.w, s.h, s.n, false)
		want := a.planes(truth)
		c, r := QuantizeTunedColor(want, s.bits)
		head := format.Header{Profile: format.Tuned, Range: r, Params: format.Params{MapSize: s.n, ColorBits: s.bits}}

		same := append([]float32(nil), truth...)
		Project(same, s.w, s.h, head, c)
		for i := range same {
			if same[i] != truth[i] {
				t.Fatalf("%+v: the true picture changes", s)
			}
		}

		before := a.planes(painted)
		Project(painted, s.w, s.h, head, c)
		after := a.planes(painted)
		moved := 0
		for _, p := range []struct {
			name                string
			before, after, want []float32
		}{{"Y", before.Y, after.Y, want.Y}, {"U", before.U, after.U, want.U}, {"V", before.V, after.V, want.V}} {
			for i := range p.want {
				b, a := math.Abs(float64(p.before[i]-p.want[i])), math.Abs(float64(p.after[i]-p.want[i]))
				if a > b+0.3/255 {
					t.Fatalf("%+v: %s %d is %.4f from the true one, was %.4f", s, p.name, i, a, b)
				}
				if a < b-1e-3 {
					moved++
				}
			}
		}
		if moved == 0 {
			t.Errorf("%+v: nothing moves", s)
		}
		lo, hi := luma(r)
		if e := excess(after.Y, c.Y, lo, hi, s.bits); e > 0.3/255 {
			t.Errorf("%+v: luma is still %v outside", s, e)
		}
		lo, hi = chroma(r, s.bits)
		if e := max(excess(after.U, c.U, lo, hi, s.bits), excess(after.V, c.V, lo, hi, s.bits)); e > 0.3/255 {
			t.Errorf("%+v: chroma is still %v outside", s, e)
		}
	}
}

// TestProjectSaturated: the samples of a picture whose colors are clamped take more
// than one round, and end inside of their intervals to a quarter of a level of 8
// bits.
func TestProjectSaturated(t *testing.T) {
	const w, h, n, bits = 64, 48, 8, 2
	rng := rand.New(rand.NewSource(0))
	truth, painted := smooth(rng, w, h), smooth(rng, w, h)
	for i, v := range painted {
		painted[i] = clamp(0.5 + (v-0.5)*2.5)
	}
	a := newSmoother(w, h, n, false)
	c, r := QuantizeTunedColor(a.planes(truth), bits)
	Project(painted, w, h, format.Header{Profile: format.Tuned, Range: r, Params: format.Params{MapSize: n, ColorBits: bits}}, c)
	m := a.planes(painted)
	yLo, yHi := luma(r)
	lo, hi := chroma(r, bits)
	if e := max(excess(m.Y, c.Y, yLo, yHi, bits), excess(m.U, c.U, lo, hi, bits), excess(m.V, c.V, lo, hi, bits)); e > 0.25/255 {
		t.Errorf("a sample is still %.2f/255 outside", 255*e)
	}
}

// TestProjectOneLevel: where both codes of chroma stand for neutral, neither says
// where the colors were.
func TestProjectOneLevel(t *testing.T) {
	const n, side = 4, 32
	rgb := slices.Repeat([]float32{0.9, 0.5, 0.2}, side*side)
	c := format.ColorMap{Y: slices.Repeat([]uint8{1}, n*n), U: slices.Repeat([]uint8{1, 0}, n*n/8), V: make([]uint8, n*n/4)}
	head := format.Header{Profile: format.Tuned, Range: format.Range{Chroma: 7}, Params: format.Params{MapSize: n, ColorBits: 1}}
	want := slices.Clone(rgb)
	Project(rgb, side, side, head, c)
	if !slices.Equal(rgb, want) {
		t.Errorf("pixel 0 becomes %v", rgb[:3])
	}
}

// TestProjectSmall: a picture with fewer pixels than its map stays as it is.
func TestProjectSmall(t *testing.T) {
	rgb := []float32{0, 0.5, 1}
	Project(rgb, 1, 1, format.Header{Params: format.Params{MapSize: 8, ColorBits: 2}}, format.ColorMap{})
	if rgb[0] != 0 || rgb[1] != 0.5 || rgb[2] != 1 {
		t.Errorf("%v", rgb)
	}
}

// BenchmarkProject is what projection costs a picture of 768x768 pixels all of
// whose samples lie outside their levels.
func BenchmarkProject(b *testing.B) {
	const size = 768
	h := format.NewHeader(1).WithProfile(format.Tuned)
	n := h.MapSize
	m := format.ColorMap{Y: make([]uint8, n*n), U: make([]uint8, n*n/4), V: make([]uint8, n*n/4)}
	noise := make([]float32, size*size*3)
	for i := range noise {
		noise[i] = float32(uint32(i)*2654435761%1024) / 1024
	}
	rgb := make([]float32, len(noise))
	for b.Loop() {
		copy(rgb, noise)
		Project(rgb, size, size, h, m)
	}
}
