package weights

import (
	"slices"

	"github.com/nlpodyssey/safetensors"
)

// A DType is the type of a tensor's elements. The zero value is F16, the type
// of the weights that this package writes.
type DType uint8

const (
	F16 DType = iota
	BF16
	F32
	F64
	Bool
	U8
	I8
	U16
	I16
	U32
	I32
	U64
	I64
)

type dtype struct {
	name string // in a header
	size int    // of an element, in bytes
	file safetensors.DType
}

var dtypes = [...]dtype{
	F16:  {"F16", 2, safetensors.F16},
	BF16: {"BF16", 2, safetensors.BF16},
	F32:  {"F32", 4, safetensors.F32},
	F64:  {"F64", 8, safetensors.F64},
	Bool: {"BOOL", 1, safetensors.BOOL},
	U8:   {"U8", 1, safetensors.U8},
	I8:   {"I8", 1, safetensors.I8},
	U16:  {"U16", 2, safetensors.U16},
	I16:  {"I16", 2, safetensors.I16},
	U32:  {"U32", 4, safetensors.U32},
	I32:  {"I32", 4, safetensors.I32},
	U64:  {"U64", 8, safetensors.U64},
	I64:  {"I64", 8, safetensors.I64},
}

// Size returns the size of one element in bytes.
func (d DType) Size() int { return dtypes[d].size }

// String returns the type's name in a safetensors header.
func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return "invalid"
}

// weight reports whether tensors of the type can serve as a model's weights.
func (d DType) weight() bool { return d == F16 || d == BF16 || d == F32 }

// known reports whether a name in a header is one of the types above.
func known(name string) bool {
	return slices.ContainsFunc(dtypes[:], func(d dtype) bool { return d.name == name })
}

// fromFile returns the DType for the header parser's.
func fromFile(f safetensors.DType) (DType, bool) {
	for d := range dtypes {
		if dtypes[d].file == f {
			return DType(d), true
		}
	}
	return 0, false
}
