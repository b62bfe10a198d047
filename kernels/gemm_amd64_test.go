//go:build !purego

package kernels

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

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
