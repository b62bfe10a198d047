package weights

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

// types.safetensors has the values 3*i-7 (3*i for unsigned and boolean types)
// in every type of numpy's.
func TestConversions(t *testing.T) {
	s := open(t, "testdata/types.safetensors")
	for _, c := range []struct {
		name string
		d    DType
		zero float32 // the value of element 0
	}{
		{"float16", F16, -7}, {"float32", F32, -7}, {"float64", F64, -7},
		{"int8", I8, -7}, {"int16", I16, -7}, {"int32", I32, -7}, {"int64", I64, -7},
		{"uint8", U8, 0}, {"uint16", U16, 0}, {"uint32", U32, 0}, {"uint64", U64, 0},
	} {
		x, ok := s.Lookup(c.name + `.<é"\>`)
		if !ok || x.DType != c.d || !slices.Equal(x.Shape, []int{2, 3}) || x.Len() != 6 {
			t.Errorf("%s: ok %v, %v, %v", c.name, ok, x.DType, x.Shape)
			continue
		}
		floats := x.Float32s()
		for i, v := range floats {
			if v != c.zero+3*float32(i) {
				t.Errorf("%s: element %d is %v", c.name, i, v)
			}
		}
		row := make([]float32, 3)
		if x.Read(row, 3); !slices.Equal(row, floats[3:]) {
			t.Errorf("%s: second row is %v", c.name, row)
		}
		if c.d > F64 {
			for i, v := range x.Int64s() {
				if v != int64(floats[i]) {
					t.Errorf("%s: integer %d is %v", c.name, i, v)
				}
			}
		}
	}
	x, _ := s.Lookup(`bool.<é"\>`)
	if got := x.Int64s(); !slices.Equal(got, []int64{0, 1, 1, 1, 1, 1}) {
		t.Errorf("bool: %v", got)
	}
}

func TestBF16(t *testing.T) {
	x := Tensor{DType: BF16, Shape: []int{3}, Data: []byte{0x80, 0x3F, 0x40, 0xC0, 0x01, 0x00}}
	if got := x.Float32s(); !slices.Equal(got, []float32{1, -3, math.Float32frombits(0x10000)}) {
		t.Error(got)
	}
}

func TestNoData(t *testing.T) {
	if got := (Tensor{Shape: []int{2, 2}}).Float32s(); !slices.Equal(got, make([]float32, 4)) {
		t.Error(got)
	}
	if got := (Tensor{DType: I64, Shape: []int{2}}).Int64s(); !slices.Equal(got, make([]int64, 2)) {
		t.Error(got)
	}
}

func TestLen(t *testing.T) {
	const huge = 1 << 30
	for _, c := range []struct {
		shape []int
		want  int
	}{{nil, 1}, {[]int{3, 4}, 12}, {[]int{3, 0}, 0}, {[]int{huge, huge, huge, 0}, 0}} {
		if got := (Tensor{Shape: c.shape}).Len(); got != c.want {
			t.Errorf("%v: %d", c.shape, got)
		}
	}
	for _, shape := range [][]int{{-1}, {huge, huge, huge}, {math.MaxInt, 3}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v did not panic", shape)
				}
			}()
			Tensor{Shape: shape}.Len()
		}()
	}
}

// Release must not change a byte of any tensor.
func TestReleaseIsHarmless(t *testing.T) {
	s := open(t, "testdata/law.safetensors")
	for _, name := range s.Names() {
		x, _ := s.Lookup(name)
		before := bytes.Clone(x.Data)
		x.Release()
		if !bytes.Equal(x.Data, before) {
			t.Errorf("%s changed", name)
		}
		// A tensor whose data was replaced is not a view of the file.
		x.Data = bytes.Repeat([]byte{1}, 1<<16)
		x.Release()
		if !bytes.Equal(x.Data, bytes.Repeat([]byte{1}, 1<<16)) {
			t.Fatal("foreign memory changed")
		}
	}
	Tensor{}.Release()
	SynthTensor("x", []int{4}, 1).Release()

	c, err := OpenFile("testdata/law.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	x, _ := c.Lookup("mean")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	x.Release()
	if err := c.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

func TestSameShape(t *testing.T) {
	for _, c := range []struct {
		a, b []int
		want bool
	}{
		{[]int{4, 3}, []int{4, 3, 1, 1}, true},
		{[]int{4, 3, 1}, []int{4, 3, 1, 1}, true},
		{[]int{1}, nil, true},
		{[]int{4, 3}, []int{4, 3, 1, 2}, false},
		{[]int{4, 3}, []int{3, 4}, false},
		{[]int{4, 1, 3}, []int{4, 3}, false},
		{[]int{1, 4}, []int{4}, false},
	} {
		if sameShape(c.a, c.b) != c.want || sameShape(c.b, c.a) != c.want {
			t.Errorf("%v %v", c.a, c.b)
		}
	}
}
