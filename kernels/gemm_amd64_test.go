//go:build !purego

package kernels

import (
	"fmt"
	"math"
	"testing"
	"time"
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

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
	for _, im := range []*impl{implAMX, implAVX512BF16} {
		if !im.available() {
			continue
		}
		g := im.gemms[Fast]
		for loop := range g.loops {
			for k := range 32 {
				x, y := make([]float32, g.mr), make([]float32, g.nr)
				a, b := mem.Alloc(g.mr*stepBytes), mem.Alloc(g.nr*stepBytes)
				for r := range x {
					x[r] = bf16ToFloat(floatToBF16(awkward[(r+k)%len(awkward)]))
					putUint16(a, r*32+k, floatToBF16(x[r]))
				}
				for c := range y {
					y[c] = bf16ToFloat(floatToBF16(awkward[(3*c+k)%len(awkward)]))
					putUint16(b, c/16*512+k/2*32+c%16*2+k%2, floatToBF16(y[c]))
				}
				got, want := make([]float32, g.mr*g.nr), make([]float32, g.mr*g.nr)
				g.run(loop, &strip{a: unsafe.Pointer(&a[0]), lda: stepBytes, b: unsafe.Pointer(&b[0]), steps: &step{}, n: 1,
					c: unsafe.Pointer(&got[0]), ldc: uintptr(4 * g.nr), tiles: 1, panels: 1})
				for i := range want {
					want[i] = flush(flush(x[i/g.nr]) * flush(y[i%g.nr]))
				}
				same(t, fmt.Sprintf("%s, loop %d, element %d", im.name, loop, k), got, want, nil)
			}
		}
	}
}

// BenchmarkStripF32 reports the rate of the tile loops, also as a percentage of
// the rate of their multiplications alone, measured in the same run. Strips
// have stripTiles tiles of A, as in products, and panels of B that together do
// not fit in L1.
func BenchmarkStripF32(b *testing.B) {
	for _, im := range []*impl{implAVX512, implAVX2} {
		if !im.available() {
			continue
		}
		g := im.gemms[Exact]
		for _, k := range []int{64, 256, 320, 640, 960, 1280, 1920, 2880, 5760, 11520} {
			b.Run(fmt.Sprintf("k=%d/impl=%s", k, im.name), func(b *testing.B) {
				steps := k / 16
				lda := (steps | 1) * 64
				panels := max(1, 1<<20/(k*g.nr*4))
				a, w := written(stripTiles*g.mr*lda), written(panels*steps*64*g.nr)
				table := make([]step, steps)
				for i := range table {
					table[i] = step{i * 64, i * 64 * g.nr}
				}
				c := mem.Alloc(stripTiles * g.mr * g.nr * 4)
				s := strip{a: unsafe.Pointer(&a[0]), lda: uintptr(lda), steps: &table[0], n: steps,
					c: unsafe.Pointer(&c[0]), ldc: uintptr(g.nr * 4), tiles: stripTiles, panels: 1}
				round := func() {
					for p := range panels {
						s.b = unsafe.Pointer(&w[p*steps*64*g.nr])
						g.loops[0](&s)
					}
				}
				var peak, rate float64 // operations per nanosecond
				for b.Loop() {
					peak = max(peak, 2000*float64(g.peakFLOP)/float64(best(2*time.Millisecond, func() { g.peak(2000) }).Nanoseconds()))
					ops := float64(2 * k * stripTiles * g.mr * g.nr * panels)
					rate = max(rate, ops/float64(best(20*time.Millisecond, round).Nanoseconds()))
				}
				b.ReportMetric(rate, "GFLOP/s")
				b.ReportMetric(100*rate/peak, "%peak")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// written returns n bytes of numbers. Memory that was never written is one page of
// zeros, which L1 holds, and the processor multiplies zeros at a higher clock.
func written(n int) []byte {
	b := mem.Alloc(n)
	for i := range b {
		b[i] = 0x3f
	}
	return b
}
