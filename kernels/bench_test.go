package kernels

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

// BenchmarkVec gives the loops over elements, on operands that L1 holds:
// nanoseconds for an element, and bytes read and written a second. Those that
// overwrite their operand (*) begin with a copy of it.
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
	narrow := func(f form) func(v *vec) {
		return func(v *vec) {
			v.narrow(f, unsafe.Pointer(&dst[0]), cols*f.elemSize(), n*2, &xs[0], cols, rows, cols)
		}
	}
	softmax := func(f form) func(v *vec) {
		return func(v *vec) {
			copy(ds, xs)
			v.softmax(&softmaxBlock{scores: &ds[0], ld: cols * 4, probs: unsafe.Pointer(&probs[0]), pitch: cols * f.elemSize(),
				rows: rows, cols: cols, max: &stats[0], sum: &stats[rows], factor: &stats[2*rows], scale: 0.1, form: f, plane: 2 * n})
		}
	}
	for _, c := range []struct {
		name  string
		bytes int // of an element, read and written
		f     func(v *vec)
	}{
		{"copy", 8, func(*vec) { copy(dst, x) }},
		{"finish", 8, func(v *vec) { v.finish(&ds[0], cols, &xs[0], cols, rows, cols, &one[0], nil, 0) }},
		{"finish+residual", 12, func(v *vec) { v.finish(&ds[0], cols, &xs[0], cols, rows, cols, &one[0], &ys[0], cols) }},
		{"narrow=bf16", 6, narrow(formBF16)},
		{"narrow=bf16x3", 10, narrow(formBF16x3)},
		{"sums", 4, func(v *vec) { v.sums(zero, zero, one, xs) }},
		{"affine", 8, func(v *vec) { v.affine(ds, xs, one, one, false) }},
		{"affine+silu", 8, func(v *vec) { v.affine(ds, xs, one, one, true) }},
		{"layerNorm", 8, func(v *vec) {
			for i := 0; i < n; i += cols {
				v.layerNorm(ds[i:i+cols], xs[i:i+cols], one, one, 1e-5)
			}
		}},
		{"gate*", 12, func(v *vec) { copy(ds, xs); v.gate(&ds[0], cols, rows, cols/2) }},
		{"gelu*", 8, func(v *vec) { copy(ds, xs); v.activate(ds, GELU) }},
		{"rescale", 12, func(v *vec) { v.rescale(&ds[0], &xs[0], &one[0], rows, cols) }},
		{"softmax=f32*", 8, softmax(formF32)},
		{"softmax=bf16*", 6, softmax(formBF16)},
		{"toF32=f16", 6, func(v *vec) { v.toF32(ds, x[:2*n], F16) }},
		{"toBF16=f16", 4, func(v *vec) { v.toBF16(dst[:2*n], x[:2*n], F16) }},
		{"split=f16x2", 6, func(v *vec) { v.splitWeights(dst[:4*n], x[:2*n], F16, 2) }},
	} {
		for _, im := range impls() {
			if !im.available() {
				continue
			}
			b.Run(fmt.Sprintf("%s/impl=%s", c.name, im.name), func(b *testing.B) {
				clear(stats)
				copy(ds, ys)
				b.SetBytes(int64(c.bytes * n))
				for b.Loop() {
					c.f(im.vec)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
