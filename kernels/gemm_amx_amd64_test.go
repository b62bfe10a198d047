//go:build !purego

package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

// TestAMXLoopsAgree checks that the loops compute the same bits for any
// numbers: only then may they replace each other in the middle of a product.
func TestAMXLoopsAgree(t *testing.T) {
	if !hasAMX() {
		t.Skip("no AMX")
	}
	r := rand.New(rand.NewPCG(2, 3))
	const tiles, steps = 2, 40
	a, b := mem.Alloc((tiles*32+1)*steps*64), mem.Alloc(steps*2048)
	for _, x := range [][]byte{a, b} {
		for i := range len(x) / 2 {
			putUint16(x, i, floatToBF16(float32(r.NormFloat64()*math.Exp(4*r.NormFloat64()))))
		}
	}
	table := make([]step, steps)
	for i := range table {
		table[i] = step{i * 64, i * 2048}
	}
	var want []float32
	for l, run := range amxLoops {
		got := make([]float32, tiles*1024)
		run(&strip{a: unsafe.Pointer(&a[0]), lda: steps * 64, b: unsafe.Pointer(&b[0]), steps: &table[0], n: steps,
			c: unsafe.Pointer(&got[0]), ldc: 128, tiles: tiles, panels: 1})
		if l == 0 {
			want = got
		}
		for i, v := range got {
			if math.Float32bits(v) != math.Float32bits(want[i]) {
				t.Fatalf("loop %d: C[%d] = %v; loop 0 computes %v", l, i, v, want[i])
			}
		}
	}
}

// best returns the shortest time of many runs of f within about d: on a shared
// machine, that of the run that nobody disturbed.
func best(d time.Duration, f func()) time.Duration {
	f()
	shortest := time.Duration(1 << 62)
	for end := time.Now().Add(d); time.Now().Before(end); {
		start := time.Now()
		f()
		shortest = min(shortest, time.Since(start))
	}
	return shortest
}

// BenchmarkStripAMX reports the rate of the tile loops as a percentage of the
// rate of their products alone.
func BenchmarkStripAMX(b *testing.B) {
	if !hasAMX() {
		b.Skip("no AMX")
	}
	const perStep = 4 * 16 * 16 * 32 * 2
	peak := 1000 * perStep / float64(best(200*time.Millisecond, func() { peakAMX(1000) }).Nanoseconds())
	for _, k := range []int{64, 320, 640, 1280, 2880, 5760, 11520} {
		for _, tiles := range []int{4, 16} {
			b.Run(fmt.Sprintf("k=%d/tiles=%d", k, tiles), func(b *testing.B) {
				steps := k / 32
				lda := (steps | 1) * 64
				a, bb := written((tiles*32+1)*lda), written(steps*2048)
				table := make([]step, steps)
				for i := range table {
					table[i] = step{i * 64, i * 2048}
				}
				c := make([]float32, tiles*1024)
				s := strip{a: unsafe.Pointer(&a[0]), lda: uintptr(lda), b: unsafe.Pointer(&bb[0]), steps: &table[0], n: steps,
					c: unsafe.Pointer(&c[0]), ldc: 128, tiles: tiles, panels: 1}
				for b.Loop() {
					for i, run := range amxLoops {
						d := best(100*time.Millisecond, func() { run(&s) })
						rate := float64(tiles*steps*perStep) / float64(d.Nanoseconds())
						b.ReportMetric(100*rate/peak, fmt.Sprintf("%%peak%d", i))
					}
				}
			})
		}
	}
}
