package weights

import (
	"encoding/binary"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
)

// A law computes the synthetic weights of a tensor from its name, its shape and
// a seed, and so makes a checkpoint of any size, the same in every language. It
// is fixed: golden outputs depend on it.
//
//	h = fnv1a64(name) XOR seed*G            G = 0x9E3779B97F4A7C15, modulo 2^64
//	z = mix(h + (i+1)*G)                    i counts elements in row-major order;
//	                                        mix is the finalizer of splitmix64
//	u = (z >> 40) / 2^24 * 2 - 1            in [-1, 1), exact in float64
//	element i = float16(base + u*scale)     float64, rounded to float16 once
//
// base and scale follow from the last component of the name and the shape:
//
//	mean, std (the image normalizer)        base 0, scale 0.3; base 0.4, scale 0.1
//	1-D weight (the gain of a norm)         base 1, scale 0.1
//	other 1-D tensors (biases)              base 0, scale 0.05
//	position and token embeddings           base 0, scale 0.03
//	all others                              base 0, scale sqrt(3/fan-in),
//	                                        fan-in the product of shape[1:]
type law struct {
	hash        uint64
	base, scale float64
}

const golden = 0x9E3779B97F4A7C15

func lawOf(name string, shape []int, seed int64) law {
	l := law{hash: hash(name, seed)}
	last := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case last == "mean":
		l.scale = 0.3
	case last == "std":
		l.base, l.scale = 0.4, 0.1
	case len(shape) <= 1 && last == "weight":
		l.base, l.scale = 1, 0.1
	case len(shape) <= 1:
		l.scale = 0.05
	case strings.HasSuffix(name, "position_embedding.weight"), strings.HasSuffix(name, "token_embedding.weight"):
		l.scale = 0.03
	default:
		l.scale = math.Sqrt(3 / float64(count(shape[1:])))
	}
	return l
}

func hash(name string, seed int64) uint64 {
	h := uint64(0xCBF29CE484222325)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 0x100000001B3
	}
	return h ^ uint64(seed)*golden
}

func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// uniform maps a mixed word to u: its top 24 bits as a multiple of 2^-23.
func uniform(z uint64) float64 { return float64(int64(z>>40)-1<<23) * (1.0 / (1 << 23)) }

// fill fills dst with elements, beginning with element first.
func (l law) fill(dst []byte, first int) {
	x := l.hash + uint64(first)*golden
	for ; len(dst) >= 2; dst = dst[2:] {
		x += golden
		// The conversion keeps the compiler from fusing the product into the
		// sum, which would round once where the law rounds twice.
		v := l.base + float64(uniform(mix(x))*l.scale)
		h := normalHalf(math.Float64bits(v))
		if !isNormalHalf(math.Float64bits(v)) {
			h = halfFromFloat64(v)
		}
		binary.LittleEndian.PutUint16(dst, h)
	}
}

// fillParallel is like fill, on all cores.
func (l law) fillParallel(dst []byte, first int) {
	const piece = 1 << 17
	parallel((len(dst)+piece-1)/piece, func(i int) {
		l.fill(dst[i*piece:min((i+1)*piece, len(dst))], first+i*piece/2)
	})
}

// SynthTensor returns the float16 tensor of a name by the law of synthetic
// weights.
func SynthTensor(name string, shape []int, seed int64) Tensor {
	t := Tensor{Name: name, DType: F16, Shape: slices.Clone(shape)}
	t.Data = make([]byte, 2*t.Len())
	lawOf(name, shape, seed).fillParallel(t.Data, 0)
	return t
}

// SynthNoise returns standard normal values for test inputs: by Box-Muller in
// float64 from the law's uniform streams name+"/u1" and name+"/u2".
func SynthNoise(name string, shape []int, seed int64) []float32 {
	x := make([]float32, count(shape))
	h1, h2 := hash(name+"/u1", seed), hash(name+"/u2", seed)
	const piece = 1 << 14
	parallel((len(x)+piece-1)/piece, func(p int) {
		for i := p * piece; i < min((p+1)*piece, len(x)); i++ {
			step := uint64(i+1) * golden
			u1 := (uniform(mix(h1+step)) + 1) / 2
			u2 := (uniform(mix(h2+step)) + 1) / 2
			x[i] = float32(math.Sqrt(-2*math.Log(1-u1)) * math.Cos(2*math.Pi*u2))
		}
	})
	return x
}

// WriteSynthetic writes a safetensors file of float16 tensors with the law's
// values, whatever the types of the specs.
func WriteSynthetic(w io.Writer, specs []Spec, seed int64) error {
	specs = slices.Clone(specs)
	largest := 0
	for i := range specs {
		specs[i].DType = F16
		largest = max(largest, 2*count(specs[i].Shape))
	}
	buf := make([]byte, min(largest, runtime.GOMAXPROCS(0)<<20))
	return WriteSafetensors(w, specs, func(i int, w io.Writer) error {
		l := lawOf(specs[i].Name, specs[i].Shape, seed)
		n := 2 * count(specs[i].Shape)
		for at := 0; at < n; at += len(buf) {
			b := buf[:min(len(buf), n-at)]
			l.fillParallel(b, at/2)
			if _, err := w.Write(b); err != nil {
				return err
			}
		}
		return nil
	})
}

// halfFromFloat64 rounds to the nearest float16, ties to even, in one step.
// (By way of float32 it would be rounded twice: 1+2^-11+2^-30 would become 1.)
func halfFromFloat64(x float64) uint16 {
	b := math.Float64bits(x)
	if isNormalHalf(b) {
		return normalHalf(b)
	}
	sign := uint16(b >> 48 & 0x8000)
	switch x = math.Abs(x); {
	case x < 0x1p-14:
		// Just above 2^28, float64s are the multiples of 2^-24, the unit of
		// subnormal float16s. The largest result is 2^-14 itself, which is
		// right.
		return sign | uint16(math.Float64bits(x+0x1p28))
	case x <= math.Inf(1):
		return sign | 0x7C00
	}
	return sign | 0x7E00 // NaN
}

const (
	leastNormal = (1023 - 14) << 52 // the bits of 2^-14, the least normal float16
	overflow    = (1023 + 16) << 52 // of 2^16, above every float16
	rebias      = (1023 - 15) << 52 // between the exponents' biases
)

// isNormalHalf and normalHalf are the common case of halfFromFloat64, for the
// bits of a float64 from 2^-14 to 2^16. They are small enough to be inlined.
func isNormalHalf(b uint64) bool { return b&^(1<<63)-leastNormal < overflow-leastNormal }

// The low 42 bits are dropped: add just under half of their unit, and the
// lowest bit that is kept. A carry out of the mantissa is right, even into
// infinity.
func normalHalf(b uint64) uint16 {
	a := b&^(1<<63) - rebias
	return uint16(b>>48&0x8000 | (a+(1<<41-1)+a>>42&1)>>42)
}
