package kernels

import (
	"math"
	"math/bits"
	"unsafe"

	"github.com/x448/float16"
)

// implGeneric is plain Go, compiled on every machine: the oracle of the other
// implementations.
var implGeneric = &impl{
	name:      "generic",
	available: func() bool { return true },
	gemms:     [NumPrecisions]*gemm{Exact: gemmGeneric, Fast: gemmGeneric},
	vec:       vecGeneric,
}

// gemmGeneric multiplies float32. It is the oracle of the float32 gemms.
var gemmGeneric = &gemm{
	form: &formF32, mr: 4, nr: 16, single: true,
	loops: []func(*strip){func(s *strip) { runF32(s, 4, 16) }},
}

// vecGeneric rounds products before it adds them (float32(x*y)): Go fuses
// x*y+z on arm64, and an oracle must not depend on the machine.
var vecGeneric = &vec{loops{
	finish:  finishGeneric,
	gate:    gateGeneric,
	sums:    sumsGeneric,
	affine:  affineGeneric,
	rescale: rescaleGeneric,
	toF32:   toF32Generic,
	hamming: hammingGeneric,
	rowLoops: rowLoops{
		sigmoid:   sigmoidGeneric,
		gelu:      geluGeneric,
		moments:   momentsGeneric,
		normalize: normalizeGeneric,
		rowMax:    rowMaxGeneric,
		exp2Sum:   exp2SumGeneric,
	},
	winograd:   winogradGeneric,
	winogradUp: winogradUpGeneric,
}}

// runF32 computes what every float32 gemm computes. Each element of C is one
// sum in the order of the steps.
func runF32(s *strip, mr, nr int) {
	steps := unsafe.Slice(s.steps, s.n)
	for m := range s.tiles * mr {
		c := unsafe.Slice((*float32)(unsafe.Add(s.c, uintptr(m)*s.ldc)), nr)
		if !s.add {
			clear(c)
		}
		for _, st := range steps {
			a := (*[16]float32)(unsafe.Add(s.a, m*int(s.lda)+st.a))
			b := unsafe.Slice((*float32)(unsafe.Add(s.b, st.b)), 16*nr)
			for j := 0; j < nr; j += 4 {
				c0, c1, c2, c3 := c[j], c[j+1], c[j+2], c[j+3]
				for k, x := range a {
					r := b[k*nr+j : k*nr+j+4 : k*nr+j+4]
					c0 += float32(x * r[0])
					c1 += float32(x * r[1])
					c2 += float32(x * r[2])
					c3 += float32(x * r[3])
				}
				c[j], c[j+1], c[j+2], c[j+3] = c0, c1, c2, c3
			}
		}
	}
}

// runBF16 computes what every bfloat16 gemm with groups of K in B computes.
func runBF16(s *strip, mr, nr, group int) {
	steps := unsafe.Slice(s.steps, s.n)
	for m := range s.tiles * mr {
		c := unsafe.Slice((*float32)(unsafe.Add(s.c, uintptr(m)*s.ldc)), nr)
		if !s.add {
			clear(c)
		}
		for _, st := range steps {
			a := (*[32]uint16)(unsafe.Add(s.a, m*int(s.lda)+st.a))
			b := unsafe.Slice((*uint16)(unsafe.Add(s.b, st.b)), 32*nr)
			for j := range c {
				groups := b[j/16*512+j%16*group:] // see gatherer
				for k := 0; k < len(a); k += group {
					for i, x := range a[k : k+group] {
						c[j] += float32(bf16ToFloat(x) * bf16ToFloat(groups[16*k+i]))
					}
				}
			}
		}
	}
}

func finishGeneric(dst *float32, ldd int, src *float32, lds, rows, cols int, bias, res *float32, ldr int) {
	var b []float32
	if bias != nil {
		b = row(bias, 0, 0, cols)
	}
	for r := range rows {
		d, s := row(dst, ldd, r, cols), row(src, lds, r, cols)
		if res == nil {
			addRow(d, s, b)
			continue
		}
		x := row(res, ldr, r, cols) // which may be d
		for i, v := range s {
			if b != nil {
				v += b[i]
			}
			d[i] = v + x[i]
		}
	}
}

// addRow writes s + b to d; b may be nil.
func addRow(d, s, b []float32) {
	if b == nil {
		copy(d, s)
		return
	}
	for i, v := range s {
		d[i] = v + b[i]
	}
}

func gelu(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }

func gateGeneric(c *float32, ld, rows, half int) {
	for r := range rows {
		x := row(c, ld, r, 2*half)
		for j := range half {
			x[j] *= float32(gelu(float64(x[half+j])))
		}
	}
}

func sumsGeneric(sum, sq, ref, x []float32) {
	c := len(sum)
	for ; len(x) >= c; x = x[c:] {
		for i, v := range x[:c] {
			v -= ref[i]
			sum[i] += v
			sq[i] += float32(v * v)
		}
	}
}

func affineGeneric(dst, x, scale, shift []float32, silu bool) {
	c := len(scale)
	for r := 0; r+c <= len(x); r += c {
		d := dst[r : r+c]
		for i, v := range x[r : r+c] {
			d[i] = float32(v*scale[i]) + shift[i]
		}
		if silu {
			sigmoidGeneric(d, siluRate)
		}
	}
}

func rescaleGeneric(o, part, factor *float32, rows, width int) {
	f := row(factor, 0, 0, rows)
	for r := range rows {
		d, p := row(o, width, r, width), row(part, width, r, width)
		for i, v := range d {
			d[i] = float32(v*f[r]) + p[i]
		}
	}
}

// exp2 is math.Exp2, by math.Exp, which is faster.
func exp2(x float64) float64 { return math.Exp(math.Ln2 * x) }

func sigmoidGeneric(x []float32, rate float64) {
	for i, v := range x {
		x[i] = float32(float64(v) / (1 + exp2(rate*float64(v))))
	}
}

func geluGeneric(x []float32) {
	for i, v := range x {
		x[i] = float32(gelu(float64(v)))
	}
}

func momentsGeneric(x []float32, ref float32) (sum, sq float64) {
	r := float64(ref)
	for _, v := range x {
		d := float64(v) - r
		sum += d
		sq += float64(d * d)
	}
	return sum, sq
}

func normalizeGeneric(dst, x, weight, bias []float32, ref float32, rest, inv float64) {
	mean := float64(ref) + rest
	for i, v := range x {
		dst[i] = float32(float32((float64(v)-mean)*inv)*weight[i]) + bias[i]
	}
}

func rowMaxGeneric(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

func exp2SumGeneric(dst, x []float32, scale, top float32) float32 {
	var sum float64
	for i, v := range x {
		e := exp2(float64(v)*float64(scale) - float64(top))
		dst[i] = float32(e)
		sum += e
	}
	return float32(sum)
}

// element returns element i of a checkpoint's array.
func element(src []byte, dt DType, i int) float32 {
	switch dt {
	case F16:
		return float16.Frombits(uint16(src[2*i]) | uint16(src[2*i+1])<<8).Float32()
	case BF16:
		return bf16ToFloat(uint16(src[2*i]) | uint16(src[2*i+1])<<8)
	}
	return math.Float32frombits(uint32(src[4*i]) | uint32(src[4*i+1])<<8 | uint32(src[4*i+2])<<16 | uint32(src[4*i+3])<<24)
}

func toF32Generic(dst []float32, src []byte, dt DType) {
	for i := range dst {
		dst[i] = element(src, dt, i)
	}
}

func hammingGeneric(dst []uint16, query, codes []uint64) {
	n := len(query)
	for i := range dst {
		d := 0
		code := codes[i*n:][:n]
		for k, w := range query {
			d += bits.OnesCount64(w ^ code[k])
		}
		dst[i] = uint16(d)
	}
}
