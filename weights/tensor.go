package weights

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// A Tensor is a named array in row-major order.
//
// Data holds the elements in little-endian order. It is a view of the opened
// file: it must not be written to, and is invalid after the [Store]'s Close. It
// is nil if the store only records, and if the tensor was missing or of another
// shape; such a tensor reads as zeros.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte

	from *region // what Data is a view of; nil for computed tensors
}

// NewTensor returns a tensor of the given values as F32.
func NewTensor(name string, values []float32, shape ...int) Tensor {
	t := Tensor{Name: name, DType: F32, Shape: slices.Clone(shape)}
	if t.Len() != len(values) {
		panic("weights: values do not fit the shape")
	}
	t.Data = make([]byte, 0, 4*len(values))
	for _, v := range values {
		t.Data = binary.LittleEndian.AppendUint32(t.Data, math.Float32bits(v))
	}
	return t
}

// Len returns the number of elements: the product of the shape, or 1 without
// dimensions. It panics if that overflows an int.
func (t Tensor) Len() int { return count(t.Shape) }

func count(shape []int) int {
	if slices.Contains(shape, 0) {
		return 0
	}
	n := uint64(1)
	for _, d := range shape {
		if d < 0 {
			panic("weights: negative dimension")
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > math.MaxInt {
			panic("weights: shape overflows")
		}
		n = lo
	}
	return int(n)
}

// Float32s returns the elements converted to float32, or zeros if Data is nil.
// It is meant for small tensors (biases, norms) and for tests; the weights of
// matrix products are packed from Data.
func (t Tensor) Float32s() []float32 {
	x := make([]float32, t.Len())
	t.Read(x, 0)
	return x
}

// Read converts len(dst) elements, beginning with element first: a row of an
// embedding, for example. F16, BF16 and integers of up to 24 bits convert
// exactly.
func (t Tensor) Read(dst []float32, first int) {
	if t.Data == nil {
		clear(dst)
		return
	}
	size := t.DType.Size()
	src := t.Data[first*size : (first+len(dst))*size]
	switch t.DType {
	case F16:
		for i := range dst {
			dst[i] = FromFloat16(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	default:
		for i := range dst {
			dst[i] = float32(t.integer(first + i))
		}
	}
}

// Int64s returns the elements of an integer or boolean tensor, or zeros if Data
// is nil. It panics for a tensor of floats.
func (t Tensor) Int64s() []int64 {
	if t.DType <= F64 {
		panic("weights: Int64s of a tensor of floats")
	}
	x := make([]int64, t.Len())
	if t.Data != nil {
		for i := range x {
			x[i] = t.integer(i)
		}
	}
	return x
}

// integer returns element i of an integer tensor; U64 wraps above 2^63.
func (t Tensor) integer(i int) int64 {
	switch b := t.Data[i*t.DType.Size():]; t.DType {
	case Bool, U8:
		return int64(b[0])
	case I8:
		return int64(int8(b[0]))
	case U16:
		return int64(binary.LittleEndian.Uint16(b))
	case I16:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case U32:
		return int64(binary.LittleEndian.Uint32(b))
	case I32:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	case U64, I64:
		return int64(binary.LittleEndian.Uint64(b))
	}
	panic("weights: not an integer tensor")
}

// Release frees the pages of the tensor in this process's memory, as after its
// weights were packed. The data stays readable: it comes back from the page
// cache or the disk when it is used. For a tensor that is not a view of a
// mapped file, Release does nothing.
func (t Tensor) Release() {
	if t.from != nil {
		t.from.release(t.Data)
	}
}

// sameShape compares shapes without their trailing dimensions of 1.
func sameShape(a, b []int) bool {
	return slices.Equal(trim(a), trim(b))
}

func trim(s []int) []int {
	for len(s) > 0 && s[len(s)-1] == 1 {
		s = s[:len(s)-1]
	}
	return s
}
