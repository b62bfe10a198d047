package kernels

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

// BenchmarkVec runs the loops over elements on operands that fit in L1. It
// reports nanoseconds per element, and bytes read and written per second. Loops
// that overwrite their operand (*) include the time to copy it.
func BenchmarkVec(b *testing.B) {
	const rows, cols = 12, 320
	const n = rows * cols
	r := rand.New(rand.NewPCG(1, 1))
	x, y, dst, probs := mem.Alloc(4*n), mem.Alloc(4*n), mem.Alloc(6*n), mem.Alloc(6*n)
	copy(float32s(x), randoms(r, n))
	copy(float32s(y), randoms(r, n))
	xs, ys, ds := float32s(x), float32s(y), float32s(dst)[:n]
	one, zero := make([]float32, cols), make([]float32, cols)
	for i := range one {
		one[i] = 1
	}
	stats := make([]float32, 3*rows)
	narrow := func(f *form) {
		f.store(unsafe.Pointer(&dst[0]), cols*f.size, n*2, &xs[0], cols, rows, cols)
	}
	softmax := func(im machine, f *form) {
		copy(ds, xs)
		im.softmax(&softmaxBlock{scores: &ds[0], ld: cols * 4, probs: unsafe.Pointer(&probs[0]), pitch: cols * f.size,
			rows: rows, cols: cols, max: &stats[0], sum: &stats[rows], factor: &stats[2*rows], scale: 0.1, form: f, plane: 2 * n})
	}
	for _, c := range []struct {
		name  string
		bytes int // read and written per element
		f     func(im machine)
	}{
		{"copy", 8, func(machine) { copy(dst, x) }},
		{"finish", 8, func(im machine) { im.vec.finish(&ds[0], cols, &xs[0], cols, rows, cols, &one[0], nil, 0) }},
		{"finish+residual", 12, func(im machine) {
			im.vec.finish(&ds[0], cols, &xs[0], cols, rows, cols, &one[0], &ys[0], cols)
		}},
		{"narrow=bf16", 6, func(im machine) { narrow(im.forms[1]) }},
		{"narrow=bf16x3", 10, func(im machine) { narrow(im.forms[2]) }},
		{"sums", 4, func(im machine) { im.vec.sums(zero, zero, one, xs) }},
		{"affine", 8, func(im machine) { im.vec.affine(ds, xs, one, one, false) }},
		{"affine+silu", 8, func(im machine) { im.vec.affine(ds, xs, one, one, true) }},
		{"layerNorm", 8, func(im machine) {
			for i := 0; i < n; i += cols {
				im.vec.layerNorm(ds[i:i+cols], xs[i:i+cols], one, one, 1e-5)
			}
		}},
		{"gate*", 12, func(im machine) { copy(ds, xs); im.vec.gate(&ds[0], cols, rows, cols/2) }},
		{"gelu*", 8, func(im machine) { copy(ds, xs); im.vec.activate(ds, GELU) }},
		{"rescale", 12, func(im machine) { im.vec.rescale(&ds[0], &xs[0], &one[0], rows, cols) }},
		{"softmax=f32*", 8, func(im machine) { softmax(im, im.forms[0]) }},
		{"softmax=bf16*", 6, func(im machine) { softmax(im, im.forms[1]) }},
		{"toF32=f16", 6, func(im machine) { im.vec.toF32(ds, x[:2*n], F16) }},
		{"toBF16=f16", 4, func(im machine) { im.forms[1].convert(dst[:2*n], x[:2*n], F16, 1) }},
		{"split=f16x2", 6, func(im machine) { im.forms[2].convert(dst[:4*n], x[:2*n], F16, 2) }},
	} {
		for _, im := range machines() {
			b.Run(fmt.Sprintf("%s/impl=%s", c.name, im.name), func(b *testing.B) {
				clear(stats)
				copy(ds, ys)
				b.SetBytes(int64(c.bytes * n))
				for b.Loop() {
					c.f(im)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkPack packs weights of a UNet, as checkpoints have them, and reports
// nanoseconds per weight.
func BenchmarkPack(b *testing.B) {
	for _, k := range []int{1, 3} {
		s := Shape{Out: 640, In: 640, KH: k, KW: k}
		n := s.Out * s.In * k * k
		data := make([]byte, 2*n)
		for _, m := range machines() {
			for p := range Precision(NumPrecisions) {
				b.Run(fmt.Sprintf("%dx%d/impl=%s/%s", k, k, m.name, p), func(b *testing.B) {
					use(b, m.impl)
					for b.Loop() {
						Pack(p, s, Array{F16, data}).Free()
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/weight")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}
