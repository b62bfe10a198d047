package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

// TestStrip runs every loop of every gemm on small integers, whose sums are
// exact in any order, and compares the results with the oracles bit for bit.
// The operands are flush against memory that must not be accessed; rows of A
// overlap, as in a convolution, or are further apart; the steps are in random
// order. Where the gemm adds, two thirds of the products are added to C.
func TestStrip(t *testing.T) {
	for _, im := range impls() {
		if !im.available() {
			continue
		}
		for name, m := range memories(t) {
			for p, g := range im.gemms {
				if slices.Contains(im.gemms[:p], g) {
					continue
				}
				for i := range g.loops {
					t.Run(fmt.Sprintf("%s/%s/%d/%s", im.name, g.form.name, i, name), func(t *testing.T) { testStrip(t, g, i, m) })
				}
			}
		}
	}
}

func testStrip(t *testing.T, g *gemm, loop int, m memory) {
	r := rand.New(rand.NewPCG(1, 1))
	for tiles := 1; tiles <= 3; tiles++ {
		for steps := 1; steps <= 5; steps++ {
			for _, lda := range []int{64, 192, steps*64 + 64} {
				panels := 1 + steps%3
				ldc := panels*g.nr + steps%2*4
				rows := tiles * g.mr
				a := smallIntegers(r, g.form, m.bytes(0, (rows-1)*lda+steps*64))
				b := smallIntegers(r, g.form, m.bytes(1, panels*steps*64*g.nr))
				got := floats(m, 2, integers(r, (rows-1)*ldc+panels*g.nr))
				want := append([]float32(nil), got...)
				table := make([]step, steps)
				for i, p := range r.Perm(steps) {
					table[i] = step{p * 64, (steps - 1 - i) * 64 * g.nr}
				}
				s := strip{
					a: unsafe.Pointer(&a[0]), lda: uintptr(lda), b: unsafe.Pointer(&b[0]), steps: &table[0], n: steps,
					c: unsafe.Pointer(&got[0]), ldc: uintptr(ldc * 4), tiles: tiles,
					panels: panels, bNext: uintptr(steps * 64 * g.nr), cNext: uintptr(g.nr * 4),
					add: g.adds && lda != 64,
				}
				before := s
				g.run(loop, &s)
				m.check(t)
				if s != before {
					t.Fatal("the strip was modified")
				}
				s.panels = 1
				for p := range panels {
					s.b, s.c = unsafe.Pointer(&b[p*steps*64*g.nr]), unsafe.Pointer(&want[p*g.nr])
					if g.form.plain {
						runF32(&s, g.mr, g.nr)
					} else {
						runBF16(&s, g.mr, g.nr, g.group)
					}
				}
				same(t, fmt.Sprintf("tiles=%d steps=%d lda=%d panels=%d add=%v", tiles, steps, lda, panels, s.add), got, want, nil)
			}
		}
	}
}

// smallIntegers fills b with integers from -4 to 4 in form f.
func smallIntegers(r *rand.Rand, f *form, b []byte) []byte {
	if f.plain {
		copy(float32s(b), integers(r, len(b)/4))
		return b
	}
	for i, x := range integers(r, len(b)/2) {
		putUint16(b, i, floatToBF16(x))
	}
	return b
}

// TestPairs multiplies numbers for which a product is special, one pair at a
// time. The dot products of bfloat16 take numbers below 2^-126 for zero, and
// make them zero.
func TestPairs(t *testing.T) {
	flush := func(x float32) float32 {
		if math.Abs(float64(x)) < 0x1p-126 {
			return 0
		}
		return x
	}
	eachRounding(t, func(t *testing.T, g *gemm, loop int) {
		for k := range 32 {
			x, y := make([]float32, g.mr), make([]float32, g.nr)
			a, b := mem.Alloc(g.mr*stepBytes), mem.Alloc(g.nr*stepBytes)
			for r := range x {
				x[r] = bf16ToFloat(floatToBF16(awkward[(r+k)%len(awkward)]))
				putUint16(a, r*32+k, floatToBF16(x[r]))
			}
			for c := range y {
				y[c] = bf16ToFloat(floatToBF16(awkward[(3*c+k)%len(awkward)]))
				putUint16(b, g.index(k, c), floatToBF16(y[c]))
			}
			got, want := make([]float32, g.mr*g.nr), make([]float32, g.mr*g.nr)
			g.run(loop, &strip{a: unsafe.Pointer(&a[0]), lda: stepBytes, b: unsafe.Pointer(&b[0]), steps: &step{}, n: 1,
				c: unsafe.Pointer(&got[0]), ldc: uintptr(4 * g.nr), tiles: 1, panels: 1})
			for i := range want {
				want[i] = flush(flush(x[i/g.nr]) * flush(y[i%g.nr]))
			}
			same(t, fmt.Sprint("element ", k), got, want, nil)
		}
	})
}

// TestLongSums checks that sums of products of bfloat16 are as accurate as
// float32, in any rounding.
func TestLongSums(t *testing.T) {
	eachRounding(t, func(t *testing.T, g *gemm, loop int) {
		const steps = 90
		const k = 32 * steps
		r := rand.New(rand.NewPCG(2, 7))
		x, y := make([]float32, g.mr*k), make([]float32, g.nr*k)
		a, b := mem.Alloc(2*len(x)), mem.Alloc(2*len(y))
		for i := range x {
			n := floatToBF16(float32(r.NormFloat64()))
			x[i] = bf16ToFloat(n)
			putUint16(a, i, n)
		}
		for i := range y {
			n := floatToBF16(float32(r.NormFloat64()))
			y[i] = bf16ToFloat(n)
			putUint16(b, i%k/32*32*g.nr+g.index(i%32, i/k), n)
		}
		table := make([]step, steps)
		for i := range table {
			table[i] = step{i * stepBytes, i * stepBytes * g.nr}
		}
		got := make([]float32, g.mr*g.nr)
		g.run(loop, &strip{a: unsafe.Pointer(&a[0]), lda: 2 * k, b: unsafe.Pointer(&b[0]), steps: &table[0], n: steps,
			c: unsafe.Pointer(&got[0]), ldc: uintptr(4 * g.nr), tiles: 1, panels: 1})
		want, tol := product(x, y, g.mr, k, g.nr)
		for i := range tol {
			tol[i] *= bound(gemmGeneric, k)
		}
		within(t, "sums", got, want, tol)
	})
}

// eachRounding runs f for every loop of the machines that multiplies bfloat16.
func eachRounding(t *testing.T, f func(t *testing.T, g *gemm, loop int)) {
	for _, im := range machines() {
		g := im.gemms[Fast]
		if !rounds(g.form) {
			continue
		}
		for loop := range g.loops {
			t.Run(fmt.Sprint(im.name, "/", loop), func(t *testing.T) { f(t, g, loop) })
		}
	}
}

// TestPackZeroParts checks that a part without data is zero, in any place.
func TestPackZeroParts(t *testing.T) {
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		const in, out, share, rows = 64, 512, 256, 3
		r := rand.New(rand.NewPCG(25, 26))
		for _, dt := range []DType{F32, F16, BF16} {
			arr, _ := array(randoms(r, share*in), dt)
			a, dst := newOperand(p, 1, 1, rows, in, 0), make([]float32, rows*out)
			a.Fill(randoms(r, rows*in))
			for i, parts := range [][]Array{{arr, {DType: dt}}, {{DType: dt}, arr}} {
				MatMul(dst, a, Pack(p, Shape{Out: out, In: in, KH: 1, KW: 1}, parts...), Epilogue{})
				for j, y := range dst {
					if zero := j/share%2 != i; zero != (y == 0) {
						t.Fatalf("type %v, data in part %d: column %d is %v", dt, i, j%out, y)
					}
				}
			}
		}
	})
}

// TestProductPanics checks that meaningless calls panic.
func TestProductPanics(t *testing.T) {
	pack := func(k int, geglu bool) *Packed {
		return Pack(Exact, Shape{Out: 4, In: 4, KH: k, KW: k, GEGLU: geglu}, Array{})
	}
	dst := make([]float32, 2*3*3*4)
	attend := func(scale float32) {
		o := View{newOperand(Exact, 1, 3, 3, 4, 0), 0}
		Attention(o.Op, o, o, o, 1, 4, scale, false)
	}
	for name, f := range map[string]func(){
		"GEGLU with one bias per picture": func() {
			MatMul(dst[:3*9*2], newOperand(Exact, 3, 3, 3, 4, 0), pack(1, true), Epilogue{Bias: make([]float32, 3*2)})
		},
		"attention without a scale":       func() { attend(0) },
		"attention with a negative scale": func() { attend(-1) },
		"2x2 convolution":                 func() { Conv2D(dst, newOperand(Exact, 2, 3, 3, 4, 1), pack(2, false), 1, 0, Epilogue{}) },
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
