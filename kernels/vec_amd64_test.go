//go:build !purego

package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// ownForm returns f with the loops of im, which may have some that none of its
// gemms needs: AVX-512 makes bfloat16 for AMX.
func ownForm(im *impl, f *form) *form {
	if im == implAVX512 && !f.plain {
		return f.with(narrowBF16AVX512, encodeBF16AVX512)
	}
	return f
}

// rowImpls are those whose loops over rows are assembly, which takes rows of
// multiples of 32.
var rowImpls = []*impl{implAVX512, implAVX2}

func TestRowMax(t *testing.T) {
	for _, l := range rowImpls {
		if !l.available() {
			continue
		}
		for name, m := range memories(t) {
			t.Run(l.name+"/"+name, func(t *testing.T) {
				r := rand.New(rand.NewPCG(6, 6))
				for n := 32; n <= 320; n += 32 {
					for i := range n { // the maximum in every place
						x := randoms(r, n)
						x[i] = 10
						want := rowMaxGeneric(x)
						x[(i+1)%n] = float32(math.NaN())
						if got := l.vec.rowMax(floats(m, 0, x)); got != want {
							t.Fatalf("maximum at %d of %d: got %v, want %v", i, n, got, want)
						}
					}
				}
			})
		}
	}
}

func TestExp2Sum(t *testing.T) {
	for _, im := range rowImpls {
		if !im.available() {
			continue
		}
		for name, m := range memories(t) {
			t.Run(im.name+"/"+name, func(t *testing.T) {
				testExp2Sum(t, m, func(x []float32, scale, top float32) ([]float32, float32) {
					return x, im.vec.exp2Sum(x, x, scale, top)
				})
				testExp2Sum(t, m, func(x []float32, scale, top float32) ([]float32, float32) {
					dst, in := floats(m, 1, randoms(rand.New(rand.NewPCG(8, 8)), len(x))), slices.Clone(x)
					sum := im.vec.exp2Sum(dst, x, scale, top)
					same(t, "operand", x, in, nil)
					return dst, sum
				})
			})
		}
	}
}

func testExp2Sum(t *testing.T, m memory, f func(x []float32, scale, top float32) ([]float32, float32)) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	for n := 32; n <= 320; n += 32 {
		for mode := range 3 {
			const scale, top = 0.37, 1.5
			in := randoms(r, n)
			for i := range in {
				in[i] *= []float32{1, 20, 300}[mode]
				if mode > 0 && r.IntN(5) == 0 {
					in[i] = float32(math.Inf(-1))
				}
			}
			x, sum := f(floats(m, 0, in), scale, top)
			m.check(t)
			var want, tol float64
			for i, v := range in {
				z := float64(v)*float64(float32(scale)) - top
				e := math.Exp2(z)
				d := math.Abs(float64(x[i]) - e)
				lim := 0x1p-23 * e * (1.5 + math.Abs(z)) // z is rounded to float32
				if e < 0x1p-124 {
					lim = 0x1p-124
				}
				if !(d <= lim || e > math.MaxFloat32 && x[i] > math.MaxFloat32) || math.IsInf(z, -1) && x[i] != 0 {
					t.Fatalf("2^(%v*scale-max) = %v, want %v", v, x[i], e)
				}
				want += e
				tol += lim + 0x1p-22*e
			}
			if d := math.Abs(float64(sum) - want); !(d <= tol) && want < math.MaxFloat32 {
				t.Fatalf("sum of %d mode %d is %v, want %v", n, mode, sum, want)
			}
		}
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	special := append([]float32{0, -inf, -1e30, -1000, -200, nan, 128, 129, 1e30, inf, 1, -1, 127, -100}, make([]float32, 18)...)
	x, _ := f(floats(m, 0, special), 1, 0)
	same(t, "special", x[:14], []float32{1, 0, 0, 0, 0, nan, inf, inf, inf, inf, 2, 0.5, 0x1p127, 0x1p-100}, nil)
}

// TestExp2Accuracy checks powers of two on a fine grid: they must be within 1.5
// units in the last place.
func TestExp2Accuracy(t *testing.T) {
	for _, l := range rowImpls {
		if !l.available() {
			continue
		}
		var in []float32
		for i := range 1 << 18 {
			in = append(in, float32(i)/(1<<17)-1)
		}
		got := append([]float32(nil), in...)
		l.vec.exp2Sum(got, got, 1, 0)
		var worst float64
		for i, g := range got {
			e := math.Exp2(float64(in[i]))
			_, exp := math.Frexp(e)
			worst = max(worst, math.Abs(float64(g)-e)/math.Ldexp(1, exp-24))
		}
		t.Logf("%s: %.3f ulp", l.name, worst)
		if worst > 1.5 {
			t.Errorf("%s: error of %.3f units in the last place", l.name, worst)
		}
	}
}

// TestSortTaps compares sorting by tap with the loop in Go.
func TestSortTaps(t *testing.T) {
	if !hasAVX512() {
		t.Skip("this machine does not support AVX-512")
	}
	const rows, stride = 3, 700
	for name, m := range memories(t) {
		src, dst := m.bytes(0, (rows-1)*stride+576), m.bytes(1, rows*576)
		for i := range src {
			src[i] = byte(i * 131 >> 3)
		}
		sortTapsAVX512(unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), stride, rows)
		m.check(t)
		for r := range rows {
			var want [288]uint16
			sortTaps((*uint16)(unsafe.Pointer(&src[r*stride])), &want[0], 9, 32, 32)
			for i, w := range want {
				if got := uint16(dst[r*576+2*i]) | uint16(dst[r*576+2*i+1])<<8; got != w {
					t.Fatalf("%s: row %d, word %d is %#x, want %#x", name, r, i, got, w)
				}
			}
		}
	}
}

// archHammingLoops returns both loops of AVX-512 that this machine supports:
// hammingAVX512 runs only the better one.
func archHammingLoops() map[string]hammingLoop {
	loops := map[string]hammingLoop{}
	blocks := func(loop func(dst *uint16, query, codes *uint64, words, blocks int)) hammingLoop {
		return func(dst []uint16, query, codes []uint64) { blocksOf(8, dst, query, codes, loop) }
	}
	if hasAVX512() {
		loops["avx512 bytes"] = blocks(hammingBytesAVX512)
		if cpu.X86.HasAVX512VPOPCNTDQ {
			loops["avx512 words"] = blocks(hammingWordsAVX512)
		}
	}
	return loops
}

func TestHammingAVX512(t *testing.T) {
	for loop, f := range archHammingLoops() {
		for name, m := range memories(t) {
			t.Run(loop+"/"+name, func(t *testing.T) { testHamming(t, m, f) })
		}
	}
}
