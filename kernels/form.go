package kernels

import (
	"math"
	"unsafe"
)

// A form is one way to lay out the elements of an operand in memory. Every
// [gemm] multiplies operands of one form. A machine that has its own loops for
// a form uses a copy of it; see with.
type form struct {
	name   string
	size   int  // bytes of one element
	planes int  // number of planes; an element's value is the sum over all of them
	plain  bool // elements are float32, which need no narrowing

	// scale is the value of a stored 1 in a form of scaled integers, and 0 in
	// the other forms.
	scale float32

	// weights tells how a checkpoint's elements become elements of this form.
	weights [numDTypes]weightForm

	narrow narrowFunc
	encode encodeFunc

	// widen returns the value of the element at p.
	widen func(f *form, p unsafe.Pointer, planeBytes int) float32
}

// A narrowFunc stores src[r][c] at dst in form f. Rows of dst are pitch bytes
// apart and planes planeBytes; rows of src are lds elements apart.
type narrowFunc func(f *form, dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int)

// An encodeFunc converts all of a checkpoint's elements in src to the first
// planes planes of form f, one after the other in dst.
type encodeFunc func(f *form, dst, src []byte, dt DType, planes int)

// A weightForm tells how weights of one DType become elements of a form.
type weightForm struct {
	when   encodeTime
	planes int // number of planes that hold all of their bits
}

// An encodeTime is when weights are encoded.
type encodeTime uint8

const (
	never          encodeTime = iota // they are elements of the form already
	whenPacked                       // once and for all
	whenMultiplied                   // for every product, because they take less memory as they are
)

var formF32 = form{
	name: "float32", size: 4, planes: 1, plain: true,
	weights: [numDTypes]weightForm{F32: {never, 1}, F16: {whenMultiplied, 1}, BF16: {whenMultiplied, 1}},
	narrow:  narrowF32,
	encode:  encodeF32,
	widen:   func(_ *form, p unsafe.Pointer, _ int) float32 { return *(*float32)(p) },
}

// formBF16 holds bfloat16, rounded to nearest even.
var formBF16 = form{
	name: "bfloat16", size: 2, planes: 1,
	weights: [numDTypes]weightForm{F32: {whenPacked, 1}, F16: {whenPacked, 1}, BF16: {never, 1}},
	narrow:  narrowBF16,
	encode:  encodeBF16,
	widen:   widenBF16,
}

// formBF16x3 holds three planes of bfloat16 whose sum has float32's 24 bits.
// A float16 has 11 bits, which two planes hold.
var formBF16x3 = form{
	name: "3 x bfloat16", size: 2, planes: 3,
	weights: [numDTypes]weightForm{F32: {whenMultiplied, 3}, F16: {whenMultiplied, 2}, BF16: {never, 1}},
	narrow:  narrowBF16,
	encode:  encodeBF16,
	widen:   widenBF16,
}

// with returns a copy of f with a machine's own loops. The copy must compute
// what f computes.
func (f form) with(narrow narrowFunc, encode encodeFunc) *form {
	f.narrow, f.encode = narrow, encode
	return &f
}

// perStep returns the number of K elements in one step.
func (f *form) perStep() int { return stepBytes / f.size }

// store is the narrowFunc with annotations for the race detector.
func (f *form) store(dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int) {
	if raceEnabled {
		raceRead(unsafe.Pointer(src), 4*lds, rows, 4*cols)
		for p := range f.planes {
			raceWrite(unsafe.Add(dst, p*planeBytes), pitch, rows, f.size*cols)
		}
	}
	f.narrow(f, dst, pitch, planeBytes, src, lds, rows, cols)
}

// convert is the encodeFunc with annotations for the race detector.
func (f *form) convert(dst, src []byte, dt DType, planes int) {
	if raceEnabled {
		raceRead(unsafe.Pointer(unsafe.SliceData(src)), 0, 1, len(src))
		raceWrite(unsafe.Pointer(unsafe.SliceData(dst)), 0, 1, len(dst))
	}
	f.encode(f, dst, src, dt, planes)
}

// products returns the pairs (plane of A, plane of B) whose products add up to
// the whole product, smallest first. Plane i carries bits 8i to 8i+8, so the
// pair (i,j) is 2^-8(i+j) of the whole. Pairs smaller than the last plane of A
// are left out: with three planes they are below float32's own rounding, 2^-24.
func products(planesA, planesB int) (pairs [maxPairs][2]int, n int) {
	for sum := planesA - 1; sum >= 0; sum-- {
		for a := sum; a >= 0; a-- {
			if b := sum - a; b < planesB {
				pairs[n] = [2]int{a, b}
				n++
			}
		}
	}
	return pairs, n
}

// maxPairs is the number of pairs of planes of two operands with three.
const maxPairs = 6

func narrowF32(_ *form, dst unsafe.Pointer, pitch, _ int, src *float32, lds, rows, cols int) {
	for r := range rows {
		copy(unsafe.Slice((*float32)(unsafe.Add(dst, r*pitch)), cols), row(src, lds, r, cols))
	}
}

// narrowBF16 stores numbers as sums of bfloat16, largest first: n planes hold
// 8n bits.
func narrowBF16(f *form, dst unsafe.Pointer, pitch, planeBytes int, src *float32, lds, rows, cols int) {
	for r := range rows {
		d := unsafe.Add(dst, r*pitch)
		for i, x := range row(src, lds, r, cols) {
			for p := range f.planes {
				b := floatToBF16(x)
				*(*uint16)(unsafe.Add(d, p*planeBytes+2*i)) = b
				x -= bf16ToFloat(b)
			}
		}
	}
}

func encodeF32(_ *form, dst, src []byte, dt DType, _ int) { toF32Generic(float32s(dst), src, dt) }

// encodeBF16 stores numbers as narrowBF16 does.
func encodeBF16(_ *form, dst, src []byte, dt DType, planes int) {
	n := len(dst) / 2 / planes
	for i := range n {
		x := element(src, dt, i)
		for p := range planes {
			b := floatToBF16(x)
			putUint16(dst, p*n+i, b)
			x -= bf16ToFloat(b)
		}
	}
}

func widenBF16(f *form, p unsafe.Pointer, planeBytes int) float32 {
	var sum float32
	for i := f.planes - 1; i >= 0; i-- {
		sum += bf16ToFloat(*(*uint16)(unsafe.Add(p, i*planeBytes)))
	}
	return sum
}

// floatToBF16 rounds to nearest, ties to even. A NaN stays a NaN.
func floatToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func bf16ToFloat(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

func putUint16(b []byte, i int, v uint16) { b[2*i], b[2*i+1] = byte(v), byte(v>>8) }
