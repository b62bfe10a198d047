package kernels

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// TestStrip runs the loops of every implementation on small integers, whose
// sums are exact in any order, and compares with the oracles bit for bit. The
// operands lie flush against what must not be read; rows of A overlap, as in a
// convolution, or are further apart; the steps come in an order of their own.
func TestStrip(t *testing.T) {
	for _, im := range impls() {
		if !im.available() {
			continue
		}
		for name, m := range memories(t) {
			for i := range im.fast.loops {
				t.Run(fmt.Sprintf("%s/%d/%s", im.name, i, name), func(t *testing.T) { testStrip(t, im.fast, i, m) })
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
				got := floats(m, 2, randoms(r, (rows-1)*ldc+panels*g.nr))
				want := append([]float32(nil), got...)
				table := make([]step, steps)
				for i, p := range r.Perm(steps) {
					table[i] = step{p * 64, (steps - 1 - i) * 64 * g.nr}
				}
				s := strip{
					a: unsafe.Pointer(&a[0]), lda: uintptr(lda), b: unsafe.Pointer(&b[0]), steps: &table[0], n: steps,
					c: unsafe.Pointer(&got[0]), ldc: uintptr(ldc * 4), tiles: tiles,
					panels: panels, bNext: uintptr(steps * 64 * g.nr), cNext: uintptr(g.nr * 4),
				}
				before := s
				g.run(loop, &s)
				m.check(t)
				if s != before {
					t.Fatal("the strip has changed")
				}
				s.panels = 1
				for p := range panels {
					s.b, s.c = unsafe.Pointer(&b[p*steps*64*g.nr]), unsafe.Pointer(&want[p*g.nr])
					if g.form == formF32 {
						runF32(&s, g.mr, g.nr)
					} else {
						runBF16(&s, g.mr, g.nr)
					}
				}
				same(t, fmt.Sprintf("tiles=%d steps=%d lda=%d panels=%d", tiles, steps, lda, panels), got, want, nil)
			}
		}
	}
}

// smallIntegers fills b with integers from -4 to 4 in form f.
func smallIntegers(r *rand.Rand, f form, b []byte) []byte {
	if f == formF32 {
		copy(float32s(b), integers(r, len(b)/4))
		return b
	}
	for i, x := range integers(r, len(b)/2) {
		putUint16(b, i, floatToBF16(x))
	}
	return b
}
