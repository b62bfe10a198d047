package kernels

import (
	"math"
	"unsafe"

	"github.com/x448/float16"
)

// vecGeneric is plain Go, compiled everywhere: the oracle of the others.
// Products that are added are rounded first (float32(x*y)): Go fuses x*y+z
// on arm64, and an oracle must not depend on the machine.
var vecGeneric = &vec{
	finish:       finishGeneric,
	narrow:       narrowGeneric,
	activate:     activateGeneric,
	gate:         gateGeneric,
	sums:         sumsGeneric,
	affine:       affineGeneric,
	layerNorm:    layerNormGeneric,
	softmax:      softmaxGeneric,
	rescale:      rescaleGeneric,
	toF32:        toF32Generic,
	toBF16:       toBF16Generic,
	splitWeights: splitWeightsGeneric,
}

// row returns row r of cols elements of a matrix at p with stride ld.
func row(p *float32, ld, r, cols int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(p), r*ld*4)), cols)
}

func finishGeneric(dst *float32, ldd int, src *float32, lds, rows, cols int, bias, res *float32, ldr int) {
	for r := range rows {
		d, s := row(dst, ldd, r, cols), row(src, lds, r, cols)
		for i, v := range s {
			if bias != nil {
				v += row(bias, 0, 0, cols)[i]
			}
			if res != nil {
				v += row(res, ldr, r, cols)[i]
			}
			d[i] = v
		}
	}
}

// floatToBF16 rounds to nearest, ties to even; NaN stays NaN.
func floatToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func bf16ToFloat(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// splitBF16 returns bfloat16 values whose sum is x, largest first: the first n
// of them are x to 8n bits.
func splitBF16(x float32) (a [3]uint16) {
	for i := range a {
		a[i] = floatToBF16(x)
		x -= bf16ToFloat(a[i])
	}
	return a
}

func narrowGeneric(f form, dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int) {
	for r := range rows {
		d := unsafe.Add(dst, r*pitch)
		s := row(src, lds, r, cols)
		switch f {
		case formF32:
			copy(unsafe.Slice((*float32)(d), cols), s)
		case formBF16:
			for i, x := range s {
				*(*uint16)(unsafe.Add(d, 2*i)) = floatToBF16(x)
			}
		case formBF16x3:
			for i, x := range s {
				for p, b := range splitBF16(x) {
					*(*uint16)(unsafe.Add(d, p*planeBytes+2*i)) = b
				}
			}
		}
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func gelu(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }

func activateGeneric(x []float32, act Activation) {
	switch act {
	case Identity:
	case SiLU:
		for i, v := range x {
			x[i] = float32(float64(v) * sigmoid(float64(v)))
		}
	case GELU:
		for i, v := range x {
			x[i] = float32(gelu(float64(v)))
		}
	case QuickGELU:
		for i, v := range x {
			x[i] = float32(float64(v) * sigmoid(1.702*float64(v)))
		}
	default:
		panic("kernels: unknown activation")
	}
}

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
			activateGeneric(d, SiLU)
		}
	}
}

func layerNormGeneric(dst, x, weight, bias []float32, eps float32) {
	var sum, sq float64
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		d := float64(v) - mean
		sq += d * d
	}
	inv := 1 / math.Sqrt(sq/float64(len(x))+float64(eps))
	for i, v := range x {
		dst[i] = float32((float64(v)-mean)*inv)*weight[i] + bias[i]
	}
}

func softmaxGeneric(b *softmaxBlock) {
	softmaxByRows(b, narrowGeneric, rowMaxGeneric, expSumGeneric)
}

// softmaxByRows is the softmax of an implementation that has loops over rows.
func softmaxByRows(b *softmaxBlock,
	narrow func(f form, dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int),
	rowMax func(x []float32) float32, expSum func(x []float32, scale, max float32) float32) {
	m, sum, factor := row(b.max, 0, 0, b.rows), row(b.sum, 0, 0, b.rows), row(b.factor, 0, 0, b.rows)
	for r := range b.rows {
		x := row(b.scores, b.ld/4, r, b.cols)
		largest := max(m[r], rowMax(x)*b.scale)
		factor[r] = float32(math.Exp2(float64(m[r] - largest)))
		m[r] = largest
		sum[r] = float32(sum[r]*factor[r]) + expSum(x, b.scale*math.Ln2, largest*math.Ln2)
	}
	narrow(b.form, b.probs, b.pitch, b.plane, b.scores, b.ld/4, b.rows, b.cols)
}

// rowMaxGeneric returns the largest element.
func rowMaxGeneric(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

// expSumGeneric: x = exp(x*scale - max), and returns the sum.
func expSumGeneric(x []float32, scale, max float32) float32 {
	var sum float64
	for i, v := range x {
		e := math.Exp(float64(float32(v*scale) - max))
		x[i] = float32(e)
		sum += e
	}
	return float32(sum)
}

func rescaleGeneric(o, part, factor *float32, rows, width int) {
	f := row(factor, 0, 0, rows)
	for r := range rows {
		addScaledGeneric(row(o, width, r, width), row(part, width, r, width), f[r])
	}
}

// addScaledGeneric: dst = dst*scale + src.
func addScaledGeneric(dst, src []float32, scale float32) {
	for i, v := range src {
		dst[i] = float32(dst[i]*scale) + v
	}
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

func putUint16(b []byte, i int, v uint16) { b[2*i], b[2*i+1] = byte(v), byte(v>>8) }

func toBF16Generic(dst, src []byte, dt DType) {
	for i := range len(dst) / 2 {
		putUint16(dst, i, floatToBF16(element(src, dt, i)))
	}
}

func splitWeightsGeneric(dst, src []byte, dt DType, planes int) {
	n := len(dst) / 2 / planes
	for i := range n {
		a := splitBF16(element(src, dt, i))
		for p := range planes {
			putUint16(dst, p*n+i, a[p])
		}
	}
}
