//go:build !purego && (linux || darwin)

package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"

	"github.com/x448/float16"
)

// fences hands out memory between unreadable pages: flush against the last
// one or against the first. What is left of the readable memory is a sentinel.
type fences struct {
	t     *testing.T
	last  bool
	parts [][]byte // readable memory
	used  []fenced
}

type fenced struct {
	data, rest []byte
	in         []byte // what data must stay, nil for outputs
}

const fencedBytes = 1 << 16

// eachFence runs f with both kinds of fences.
func eachFence(t *testing.T, f func(s *fences)) {
	for _, last := range []bool{true, false} {
		s := &fences{t: t, last: last}
		page := syscall.Getpagesize()
		for range 5 {
			m, err := syscall.Mmap(-1, 0, fencedBytes+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
			if err != nil {
				t.Fatal(err)
			}
			defer syscall.Munmap(m)
			for _, p := range [][]byte{m[:page], m[len(m)-page:]} {
				if err := syscall.Mprotect(p, syscall.PROT_NONE); err != nil {
					t.Fatal(err)
				}
			}
			s.parts = append(s.parts, m[page:len(m)-page])
		}
		f(s)
	}
}

func (s *fences) bytes(src []byte, in bool) []byte {
	m, n := s.parts[len(s.used)], len(src)
	f := fenced{data: m[:n:n], rest: m[n:min(len(m), n+256)]}
	if s.last {
		k := len(m) - n
		f = fenced{data: m[k:], rest: m[max(0, k-256):k]}
	}
	copy(f.data, src)
	for i := range f.rest {
		f.rest[i] = 0xa5
	}
	if in {
		f.in = src
	}
	s.used = append(s.used, f)
	return f.data
}

// in and out return fenced copies of x; in's must not change.
func (s *fences) in(x []float32) []float32  { return s.floats(x, true) }
func (s *fences) out(x []float32) []float32 { return s.floats(x, false) }

func (s *fences) floats(x []float32, in bool) []float32 {
	if len(x) == 0 {
		return nil
	}
	b := s.bytes(unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x)), in)
	return unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), len(x))
}

// check looks for damage and takes all memory back.
func (s *fences) check(what string) {
	s.t.Helper()
	for i, f := range s.used {
		for j, b := range f.rest {
			if b != 0xa5 {
				s.t.Fatalf("%s: wrote outside operand %d, byte %d of the sentinel", what, i, j)
			}
		}
		if f.in != nil && string(f.in) != string(f.data) {
			s.t.Fatalf("%s: changed operand %d", what, i)
		}
	}
	s.used = s.used[:0]
}

var specials = []float32{
	float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.Copysign(0, -1)), 0,
	math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0x1p-127, 1e30, -1e30, 100, -100, 1,
}

// salted is random with a special value here and there.
func salted(r *rand.Rand, n int) []float32 {
	x := randoms(r, n)
	for i := range x {
		if r.IntN(9) == 0 {
			x[i] = specials[r.IntN(len(specials))]
		}
	}
	return x
}

// close32 compares with a relative and an absolute tolerance, NaN with NaN,
// and with both zero bit for bit (but for the payload of a NaN).
func close32(t *testing.T, what string, got, want []float32, rel, abs float64) {
	t.Helper()
	for i, w := range want {
		g := got[i]
		same := math.Float32bits(g) == math.Float32bits(w) || g != g && w != w
		if !same && !(math.Abs(float64(g)-float64(w)) <= rel*math.Abs(float64(w))+abs) {
			t.Fatalf("%s: element %d is %v (%#x), want %v (%#x)", what, i, g, math.Float32bits(g), w, math.Float32bits(w))
		}
	}
}

func clone(x []float32) []float32 { return append([]float32(nil), x...) }

func TestExpNEON(t *testing.T) {
	worst := 0.0
	try := func(x [4]float32) {
		y := x
		expSumQuads(&y[0], 1, 1, 0)
		for i, got := range y {
			want := math.Exp(float64(x[i]))
			if want != want || want >= math.MaxFloat32*(1+0x1p-25) || want < 0x1p-150 {
				close32(t, fmt.Sprint("exp ", x[i]), []float32{got}, []float32{float32(want)}, 0, 0)
				continue
			}
			_, e := math.Frexp(want)
			ulp := math.Ldexp(1, max(e-24, -149))
			worst = max(worst, math.Abs(float64(got)-want)/ulp)
		}
	}
	for i := 0; i+4 <= len(specials); i++ {
		try([4]float32(specials[i:]))
	}
	for x := float32(-105); x < 90; x += 0x1p-9 {
		d := float32(0.37)
		try([4]float32{x, x * d, x * d * d, x * 0x1p-12})
	}
	t.Logf("exp: largest error %.3f ulp", worst)
	if worst > 1 {
		t.Errorf("exp is %.3f ulp off", worst)
	}
}

// exactFactor is what act multiplies x with.
func exactFactor(x float64, act Activation) float64 {
	switch act {
	case SiLU:
		return sigmoid(x)
	case GELU:
		return 0.5 * math.Erfc(-x/math.Sqrt2)
	case QuickGELU:
		return sigmoid(1.702 * x)
	}
	return 1
}

func TestActivateNEON(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	var x []float32
	for v := float32(-110); v < 110; v += 0.0037 {
		x = append(x, v, v*0.01)
	}
	x = append(x, specials...)
	for _, act := range []Activation{Identity, SiLU, GELU, QuickGELU} {
		got, want := clone(x), clone(x)
		activateNEON(got, act)
		activateGeneric(want, act)
		worst := 0.0 // of Phi or the sigmoid, the rounding of the product included
		for i, v := range x {
			f := exactFactor(float64(v), act)
			if d := math.Abs(float64(got[i])/float64(v) - f); d > worst && math.Abs(float64(v)) > 0x1p-100 {
				worst = d
			}
		}
		t.Logf("activation %d: largest error of the factor %.3g", act, worst)
		if worst > 1.2e-7 {
			t.Errorf("activation %d: factor is %.3g off", act, worst)
		}
		close32(t, fmt.Sprint("activation ", act), got, want, 1e-5, 3e-37)
		eachFence(t, func(s *fences) {
			for n := range 18 {
				x := salted(r, n)
				y := s.out(x)
				activateNEON(y, act)
				activateGeneric(x, act)
				close32(t, fmt.Sprint("activation ", act, " n=", n), y, x, 1e-5, 3e-37)
				s.check("activate")
			}
		})
	}
}

// TestRowsNEON tries what works on one row, with every length about a quad
// and about a block of 16.
func TestRowsNEON(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	eachFence(t, func(s *fences) {
		for n := range 70 {
			what := fmt.Sprint("n=", n)
			x, y := salted(r, n), salted(r, n)

			d := s.out(x)
			addScaledNEON(d, s.in(y), 0.75)
			want := clone(x)
			addScaledGeneric(want, y, 0.75)
			close32(t, "addScaled "+what, d, want, 1e-6, 3e-7)
			s.check("addScaled")

			close32(t, "rowMax "+what, []float32{rowMaxNEON(s.in(x))}, []float32{rowMaxGeneric(x)}, 0, 0)
			s.check("rowMax")

			d = s.out(x)
			want = clone(x)
			sum, wantSum := expSumNEON(d, 0.7, 1.25), expSumGeneric(want, 0.7, 1.25)
			close32(t, "exp "+what, append(clone(d), sum), append(want, wantSum), 2.5e-7, 1e-44)
			s.check("expSum")

			for i := range x {
				x[i] = float32(r.NormFloat64()) + 1000
			}
			w, b := randoms(r, n), randoms(r, n)
			d = s.out(make([]float32, n))
			layerNormNEON(d, s.in(x), s.in(w), s.in(b), 1e-5)
			want = make([]float32, n)
			layerNormGeneric(want, x, w, b, 1e-5)
			close32(t, "layerNorm "+what, d, want, 1e-6, 1e-6)
			s.check("layerNorm")
		}
	})
}

// TestMatricesNEON tries what works on rows of columns.
func TestMatricesNEON(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 26))
	eachFence(t, func(s *fences) {
		for cols := 1; cols < 38; cols++ {
			for rows := range 4 {
				testMatrixNEON(s, r, rows, cols)
			}
		}
	})
}

func testMatrixNEON(s *fences, r *rand.Rand, rows, cols int) {
	t, what := s.t, fmt.Sprintf("%dx%d", rows, cols)
	x, one, two := salted(r, rows*cols), randoms(r, cols), randoms(r, cols)
	for _, silu := range []bool{false, true} {
		d, want := s.out(make([]float32, len(x))), make([]float32, len(x))
		affineNEON(d, s.in(x), s.in(one), s.in(two), silu)
		affineGeneric(want, x, one, two, silu)
		close32(t, "affine "+what, d, want, 1e-6, 1e-6)
		s.check("affine")
	}
	d, e := s.out(one), s.out(two)
	sum, sq := clone(one), clone(two)
	sumsNEON(d, e, s.in(two), s.in(x))
	sumsGeneric(sum, sq, two, x)
	close32(t, "sum "+what, d, sum, 0, 0)
	close32(t, "squares "+what, e, sq, 1e-6, 1e-6)
	s.check("sums")
	if rows == 0 {
		return
	}

	// Rows of different pitch; the last ends with its last column.
	pitched := func(pitch int) []float32 { return salted(r, (rows-1)*pitch+cols) }
	for variant := range 6 {
		ldd, lds, ldr := cols+1, cols+2+variant, cols+5
		dst, src, res := pitched(ldd), pitched(lds), pitched(ldr)
		d, want := s.out(dst), clone(dst)
		sp, sg := &s.in(src)[0], &src[0]
		if variant == 5 { // in place
			ldd, lds, sp, sg = lds-variant-1, ldd, &d[0], &want[0]
		}
		var bp, bg, rp, rg *float32
		if variant&1 != 0 {
			bp, bg = &s.in(one)[0], &one[0]
		}
		if variant&2 != 0 {
			rp, rg = &s.in(res)[0], &res[0]
		}
		if variant == 4 { // residual and destination are one
			ldr, rp, rg = ldd, &d[0], &want[0]
		}
		finishNEON(&d[0], ldd, sp, lds, rows, cols, bp, rp, ldr)
		finishGeneric(&want[0], ldd, sg, lds, rows, cols, bg, rg, ldr)
		close32(t, fmt.Sprint("finish ", what, " variant ", variant), d, want, 0, 0)
		s.check("finish")
	}

	src, dst := pitched(cols+3), pitched(cols+2)
	d, want := s.out(dst), clone(dst)
	narrowNEON(formF32, unsafe.Pointer(&d[0]), 4*(cols+2), 0, &s.in(src)[0], cols+3, rows, cols)
	narrowGeneric(formF32, unsafe.Pointer(&want[0]), 4*(cols+2), 0, &src[0], cols+3, rows, cols)
	close32(t, "narrow "+what, d, want, 0, 0)
	s.check("narrow")

	if half := cols / 2; half > 0 {
		d, want := s.out(src), clone(src)
		gateNEON(&d[0], cols+3, rows, half)
		gateGeneric(&want[0], cols+3, rows, half)
		close32(t, "gate "+what, d, want, 1e-5, 3e-37)
		s.check("gate")
	}
}

func TestToF32NEON(t *testing.T) {
	for _, dt := range []DType{F16, BF16} {
		src := make([]byte, 2<<16)
		for i := range 1 << 16 {
			putUint16(src, i, uint16(i))
		}
		got, want := make([]float32, 1<<16), make([]float32, 1<<16)
		toF32NEON(got, src, dt)
		toF32Generic(want, src, dt)
		close32(t, fmt.Sprint("all of type ", dt), got, want, 0, 0)
	}
	eachFence(t, func(s *fences) {
		for n := 1; n < 50; n++ {
			for _, dt := range []DType{F16, BF16, F32} {
				src := make([]byte, n*dt.Size())
				for i := range n {
					putUint16(src, i*dt.Size()/2, float16.Fromfloat32(float32(i)).Bits())
				}
				d, want := s.out(make([]float32, n)), make([]float32, n)
				toF32NEON(d, s.bytes(src, true), dt)
				toF32Generic(want, src, dt)
				close32(t, fmt.Sprint("type ", dt, " n=", n), d, want, 0, 0)
				s.check("toF32")
			}
		}
	})
}

// TestGemmNEON runs the loop against runF32: small integers must agree bit for
// bit, with steps that jump about in A and B and rows of odd pitch.
func TestGemmNEON(t *testing.T) {
	r := rand.New(rand.NewPCG(27, 28))
	const mr, nr = 6, 16
	eachFence(t, func(s *fences) {
		for tiles := 1; tiles <= 3; tiles++ {
			for steps := 1; steps <= 5; steps++ {
				lda, ldc := 16*steps+4, nr+3
				a := integers(r, (tiles*mr-1)*lda+16*steps)
				b := integers(r, steps*16*nr)
				c := randoms(r, (tiles*mr-1)*ldc+nr)
				table := make([]step, steps)
				for i, p := range r.Perm(steps) {
					table[i] = step{p * stepBytes, (steps - 1 - p) * stepBytes * nr}
				}
				want, got := clone(c), s.out(c)
				st := strip{lda: uintptr(4 * lda), ldc: uintptr(4 * ldc), steps: &table[0], n: steps, tiles: tiles}
				st.a, st.b, st.c = unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&want[0])
				runF32(&st, mr, nr)
				st.a, st.b, st.c = unsafe.Pointer(&s.in(a)[0]), unsafe.Pointer(&s.in(b)[0]), unsafe.Pointer(&got[0])
				gemm6x16NEON(&st)
				close32(t, fmt.Sprintf("tiles=%d steps=%d", tiles, steps), got, want, 0, 0)
				s.check("gemm")
			}
		}
	})
}
