package kernels

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// A memory provides the operands of one call, in numbered slots. Memory around
// a slot must not be written and, although it may be NaNs, must not matter.
type memory interface {
	bytes(slot, n int) []byte
	check(t *testing.T) // fails the test if memory around a slot has changed
}

// A padded memory surrounds slots with NaNs.
type padded [5]struct{ b []byte }

const padding = 256

func (m *padded) bytes(slot, n int) []byte {
	b := bytes.Repeat([]byte{0xff}, n+2*padding)
	m[slot].b = b
	return b[padding : padding+n : padding+n]
}

func (m *padded) check(t *testing.T) {
	t.Helper()
	for slot, s := range m {
		for i, x := range s.b {
			if (i < padding || i >= len(s.b)-padding) && x != 0xff {
				t.Fatalf("operand %d: byte %d of %d overwritten", slot, i-padding, len(s.b)-2*padding)
			}
		}
	}
}

// floats returns a slot that holds the values of x.
func floats(m memory, slot int, x []float32) []float32 {
	f := float32s(m.bytes(slot, 4*len(x)))
	copy(f, x)
	return f
}

func ptr(x []float32) *float32 { return unsafe.SliceData(x) }

// A machine is an implementation that this machine supports, with its loops for
// every form: float32, bfloat16 and 3 x bfloat16.
type machine struct {
	*impl
	forms [3]*form
}

func machines() (list []machine) {
	for _, im := range impls() {
		if !im.available() {
			continue
		}
		m := machine{im, [3]*form{&formF32, &formBF16, &formBF16x3}}
		for i, f := range m.forms {
			m.forms[i] = ownForm(im, f)
			for _, g := range im.gemms {
				if g.form.name == f.name {
					m.forms[i] = g.form
				}
			}
		}
		list = append(list, m)
	}
	return list
}

// softmax runs the softmax that attention would.
func (m machine) softmax(b *softmaxBlock) {
	for _, g := range m.gemms {
		if g.form == b.form {
			(&attentionTask{v: m.vec, g: g}).softmax(b)
			return
		}
	}
	m.vec.softmax(b)
}

// eachVec runs f for the loops of every implementation that this machine
// supports, in every kind of memory.
func eachVec(t *testing.T, f func(t *testing.T, im machine, m memory)) {
	for _, im := range machines() {
		for name, m := range memories(t) {
			t.Run(im.name+"/"+name, func(t *testing.T) { f(t, im, m) })
		}
	}
}

// awkward are numbers for which rounding, comparing or multiplying is special.
var awkward = []float32{
	0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
	1, -1, 0x1p-149, -0x1p-140, 0x1p-126, 0x1.fep-127, math.MaxFloat32, -math.MaxFloat32, 0x1.01p0, 0x1.03p0, 0x1.018p5, 0x1.00fffep3,
}

// mixed returns normally distributed numbers, with awkward ones among them.
func mixed(r *rand.Rand, n int) []float32 {
	x := randoms(r, n)
	for i := range x {
		if r.IntN(4) == 0 {
			x[i] = awkward[r.IntN(len(awkward))]
		}
	}
	return x
}

// sizes returns lengths of rows: all around one, two and some more vectors.
func sizes() (n []int) {
	for i := range 68 {
		n = append(n, i)
	}
	return append(n, 79, 80, 95, 96, 127, 128, 129, 200, 321)
}

// same fails the test if an element of got differs from want by more than
// tol(i), or at all if tol is nil. All NaNs are the same.
func same(t *testing.T, what string, got, want []float32, tol func(i int) float64) {
	t.Helper()
	for i, g := range got {
		w := want[i]
		if g != g && w != w || g == w {
			continue
		}
		if d := math.Abs(float64(g) - float64(w)); tol == nil || !(d <= tol(i)) {
			t.Fatalf("%s: element %d of %d is %v, want %v", what, i, len(got), g, w)
		}
	}
}
