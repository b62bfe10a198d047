package foreign

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"regexp"
	"strconv"
	"strings"

	"github.com/coclico/coclico/weights"
)

// arrays returns the arrays of an .npz file: entries that are named NAME.npy.
func (a *archive) arrays() ([]weights.Tensor, error) {
	var all []weights.Tensor
	for _, name := range a.names {
		array, ok := strings.CutSuffix(name, ".npy")
		if !ok {
			continue
		}
		t, err := a.array(a.entries[name])
		if err != nil {
			return nil, fmt.Errorf("array %s: %w", show(array), err)
		}
		t.Name = array
		all = append(all, t)
	}
	return all, nil
}

// numpyTypes are the types of NumPy's dtype.str, little-endian or of one byte.
var numpyTypes = map[string]weights.DType{
	"<f2": weights.F16, "<f4": weights.F32, "<f8": weights.F64,
	"<i2": weights.I16, "<i4": weights.I32, "<i8": weights.I64, "<u2": weights.U16, "<u4": weights.U32, "<u8": weights.U64,
	"|i1": weights.I8, "|u1": weights.U8, "|b1": weights.Bool,
}

// The header of an array is a dictionary in Python's notation.
var (
	npyDescr   = regexp.MustCompile(`'descr': *'([^']*)'`)
	npyFortran = regexp.MustCompile(`'fortran_order': *(True|False)`)
	npyShape   = regexp.MustCompile(`'shape': *\(([0-9, ]*)\)`)
)

// array reads an .npy file: a magic number, a version, a header and the
// elements.
func (a *archive) array(e entry) (weights.Tensor, error) {
	header, body, err := splitArray(e.data)
	if err != nil {
		return weights.Tensor{}, err
	}
	descr, fortran, dims := npyDescr.FindSubmatch(header), npyFortran.FindSubmatch(header), npyShape.FindSubmatch(header)
	if descr == nil || fortran == nil || dims == nil {
		return weights.Tensor{}, errors.New("bad header")
	}
	dtype, ok := numpyTypes[string(descr[1])]
	if !ok {
		return weights.Tensor{}, fmt.Errorf("elements of type %s are not supported", show(string(descr[1])))
	}
	shape, n, err := parseShape(string(dims[1]))
	if err != nil {
		return weights.Tensor{}, err
	}
	first, size := len(e.data)-len(body), dtype.Size()
	if len(body)%size != 0 || n != len(body)/size {
		return weights.Tensor{}, fmt.Errorf("%d bytes for the shape %v", len(body), shape)
	}
	t := weights.Tensor{DType: dtype, Shape: shape}
	if string(fortran[1]) == "False" || n == 0 {
		t.Data, err = a.take(e, first, len(body))
		return t, err
	}
	if err := a.reserve(len(body)); err != nil {
		return t, err
	}
	stride, step := make([]int64, len(shape)), int64(1)
	for i, d := range shape {
		stride[i] = step
		step *= int64(d)
	}
	t.Data = gather(body, size, 0, shape, stride, n)
	return t, nil
}

// splitArray returns the header and the elements.
func splitArray(data []byte) (header, body []byte, err error) {
	const magic = "\x93NUMPY"
	if !bytes.HasPrefix(data, []byte(magic)) || len(data) < 12 {
		return nil, nil, errors.New("not an .npy file")
	}
	length, at := int(binary.LittleEndian.Uint16(data[8:])), 10
	switch version := data[6]; version {
	case 1:
	case 2, 3:
		length, at = int(min(binary.LittleEndian.Uint32(data[8:]), 1<<16)), 12
	default:
		return nil, nil, fmt.Errorf("version %d of the .npy format is not supported", version)
	}
	if length > len(data)-at {
		return nil, nil, errors.New("truncated")
	}
	return data[at : at+length], data[at+length:], nil
}

// parseShape reads the inside of a tuple and returns it with its product.
func parseShape(s string) ([]int, int, error) {
	shape, n := []int{}, uint64(1)
	for word := range strings.SplitSeq(s, ",") {
		word = strings.TrimSpace(word)
		if word == "" {
			continue
		}
		d, err := strconv.ParseUint(word, 10, 31)
		high, product := bits.Mul64(n, d)
		if err != nil || high != 0 || product > math.MaxInt/8 || len(shape) == maxRank {
			return nil, 0, errors.New("the shape is too large")
		}
		shape, n = append(shape, int(d)), product
	}
	return shape, int(n), nil
}
