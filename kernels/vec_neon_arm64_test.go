//go:build !purego

package kernels

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// The API and the loops over elements are tested for all implementations alike.
// The tests below are of what only this one promises.

func TestExp2NEON(t *testing.T) {
	worst := 0.0
	try := func(x [4]float32) {
		var y [4]float32
		exp2SumQuads(&y[0], &x[0], 1, 1, 0)
		for i, got := range y {
			want := math.Exp2(float64(x[i]))
			if want != want || want >= math.MaxFloat32*(1+0x1p-25) || want <= 0x1p-150 {
				same(t, fmt.Sprint("2^", x[i]), []float32{got}, []float32{float32(want)}, nil)
				continue
			}
			_, e := math.Frexp(want)
			ulp := math.Ldexp(1, max(e-24, -149))
			worst = max(worst, math.Abs(float64(got)-want)/ulp)
		}
	}
	for i := 0; i+4 <= len(awkward); i++ {
		try([4]float32(awkward[i:]))
	}
	for x := float32(-152); x < 130; x += 0x1p-9 {
		d := float32(0.37)
		try([4]float32{x, x * d, x * d * d, x * 0x1p-12})
	}
	t.Logf("2^x: largest error %.3f ulp", worst)
	if !(worst <= 0.9) {
		t.Errorf("2^x has an error of %.3f ulp", worst)
	}
}

// TestActivateNEON bounds the error of the factor of x, Phi or the sigmoid,
// including the rounding of the product.
func TestActivateNEON(t *testing.T) {
	factors := map[Activation]func(x float64) float64{
		SiLU:      sigmoid,
		GELU:      func(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) },
		QuickGELU: func(x float64) float64 { return sigmoid(1.702 * x) },
	}
	var in []float32
	for x := float32(-110); x < 110; x += 0.0037 {
		in = append(in, x, x*0.03, x*0x1p-20)
	}
	for act, factor := range factors {
		got := append([]float32(nil), in...)
		vecNEON.activate(got, act)
		worst := 0.0
		for i, x := range in {
			worst = max(worst, math.Abs(float64(got[i])/float64(x)-factor(float64(x))))
		}
		t.Logf("activation %d: largest error of the factor %.3g", act, worst)
		if !(worst <= 1.2e-7) {
			t.Errorf("activation %d: factor has an error of %.3g", act, worst)
		}
	}
}

// TestHalvesNEON widens every float16 and every bfloat16.
func TestHalvesNEON(t *testing.T) {
	src := make([]byte, 2<<16)
	for i := range 1 << 16 {
		putUint16(src, i, uint16(i))
	}
	for _, dt := range []DType{F16, BF16} {
		got, want := make([]float32, 1<<16), make([]float32, 1<<16)
		toF32NEON(got, src, dt)
		toF32Generic(want, src, dt)
		same(t, fmt.Sprint("type ", dt), got, want, nil)
	}
}

// TestNarrowNEONBF16 narrows numbers with every upper half, NaNs of every kind
// among them, and encodes every float16 and bfloat16.
func TestNarrowNEONBF16(t *testing.T) {
	if !hasNEONBF16() {
		t.Skip("this machine does not support FEAT_BF16")
	}
	const n = 1 << 16
	equal := func(what string, got, want []byte) {
		t.Helper()
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the results differ", what)
		}
	}
	got, want, halves, src := make([]byte, 2*n), make([]byte, 2*n), make([]byte, 2*n), make([]byte, 4*n)
	for _, lower := range []uint16{0, 1, 0x7fff, 0x8000, 0x8001, 0xffff} {
		for i := range n {
			putUint16(halves, i, uint16(i))
			putUint16(src, 2*i, lower)
			putUint16(src, 2*i+1, uint16(i))
		}
		narrowNEONBF16(&formBF16, unsafe.Pointer(&got[0]), 0, 0, &float32s(src)[0], 0, 1, n)
		narrowBF16(&formBF16, unsafe.Pointer(&want[0]), 0, 0, &float32s(src)[0], 0, 1, n)
		equal(fmt.Sprintf("lower half %#x", lower), got, want)
	}
	for dt, b := range map[DType][]byte{F32: src, F16: halves, BF16: halves} {
		encodeNEONBF16(&formBF16, got, b, dt, 1)
		encodeBF16(&formBF16, want, b, dt, 1)
		equal(fmt.Sprint("type ", dt), got, want)
	}
}

// TestFinishNEON uses three different distances between rows.
func TestFinishNEON(t *testing.T) {
	for name, m := range memories(t) {
		r := rand.New(rand.NewPCG(25, 26))
		for cols := 1; cols < 38; cols++ {
			const rows = 3
			ldd, lds, ldr := cols+1, cols+6, cols+3
			dst, src, res := randoms(r, (rows-1)*ldd+cols), randoms(r, (rows-1)*lds+cols), randoms(r, (rows-1)*ldr+cols)
			bias, want := randoms(r, cols), append([]float32(nil), dst...)
			finishGeneric(&want[0], ldd, &src[0], lds, rows, cols, &bias[0], &res[0], ldr)
			dst = floats(m, 0, dst)
			finishNEON(&dst[0], ldd, ptr(floats(m, 1, src)), lds, rows, cols, ptr(floats(m, 2, bias)), ptr(floats(m, 3, res)), ldr)
			same(t, fmt.Sprint(name, ", columns ", cols), dst, want, nil)
			m.check(t)
		}
	}
}

// TestGemmNEON compares the loop with runF32. Small integers must agree bit for
// bit, with steps in any order in A and B and with rows of odd pitch.
func TestGemmNEON(t *testing.T) {
	const mr, nr = 6, 16
	for name, m := range memories(t) {
		r := rand.New(rand.NewPCG(27, 28))
		for tiles := 1; tiles <= 3; tiles++ {
			for steps := 1; steps <= 5; steps++ {
				lda, ldc := 16*steps+4, nr+3
				a := floats(m, 0, integers(r, (tiles*mr-1)*lda+16*steps))
				b := floats(m, 1, integers(r, steps*16*nr))
				want := randoms(r, (tiles*mr-1)*ldc+nr)
				got := floats(m, 2, want)
				table := make([]step, steps)
				for i, p := range r.Perm(steps) {
					table[i] = step{p * stepBytes, (steps - 1 - p) * stepBytes * nr}
				}
				st := strip{
					a: unsafe.Pointer(&a[0]), lda: uintptr(4 * lda), b: unsafe.Pointer(&b[0]), steps: &table[0], n: steps,
					c: unsafe.Pointer(&want[0]), ldc: uintptr(4 * ldc), tiles: tiles, panels: 1,
				}
				runF32(&st, mr, nr)
				st.c = unsafe.Pointer(&got[0])
				runNEON(&st)
				same(t, fmt.Sprintf("%s: tiles=%d steps=%d", name, tiles, steps), got, want, nil)
				m.check(t)
			}
		}
	}
}
