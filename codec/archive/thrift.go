package archive

import "math"

// Wire types of Thrift's compact protocol.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

const maxThriftDepth = 16

// A thrift reads Thrift's compact protocol, in which Parquet writes its
// metadata. It allocates nothing and never reads past its bytes. After an error
// every number is 0, every string empty and every struct at its end.
type thrift struct {
	b      []byte
	at     int
	depth  int
	failed bool
}

func (t *thrift) fail() { t.failed, t.at = true, len(t.b) }

func (t *thrift) byte() byte {
	if t.at >= len(t.b) {
		t.fail()
		return 0
	}
	t.at++
	return t.b[t.at-1]
}

func (t *thrift) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		c := t.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	t.fail()
	return 0
}

// int reads a number of 16, 32 or 64 bits.
func (t *thrift) int() int64 {
	v := t.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// small reads a number that must fit 31 bits: a size or a count.
func (t *thrift) small() int {
	v := t.int()
	if v < 0 || v > math.MaxInt32 {
		t.fail()
		return 0
	}
	return int(v)
}

// binary returns a string's bytes, which are a part of the input.
func (t *thrift) binary() []byte {
	n := t.uvarint()
	if n > uint64(len(t.b)-t.at) {
		t.fail()
		return nil
	}
	b := t.b[t.at : t.at+int(n)]
	t.at += int(n)
	return b
}

// fields calls f for each field of a struct. f must read the field's value or
// [thrift.skip] it.
func (t *thrift) fields(f func(id int, typ byte)) {
	if t.depth++; t.depth > maxThriftDepth {
		t.fail()
	}
	id := 0
	for !t.failed {
		head := t.byte()
		typ := head & 15
		if t.failed || typ == thriftStop {
			break
		}
		if delta := int(head >> 4); delta != 0 {
			id += delta
		} else {
			id = int(int16(t.int()))
		}
		f(id, typ)
	}
	t.depth--
}

// list calls f for each element of a list. An element takes at least a byte, so
// that the count is bounded by the input.
func (t *thrift) list(f func(i, n int, typ byte)) {
	head := t.byte()
	n, typ := uint64(head>>4), head&15
	if n == 15 {
		n = t.uvarint()
	}
	if n > uint64(len(t.b)-t.at) {
		t.fail()
		return
	}
	for i := 0; i < int(n) && !t.failed; i++ {
		f(i, int(n), typ)
	}
}

// skip reads past the value of a field.
func (t *thrift) skip(typ byte) {
	if typ != thriftTrue && typ != thriftFalse { // a field's type is its value
		t.skipElement(typ)
	}
}

func (t *thrift) skipElement(typ byte) {
	if t.depth++; t.depth > maxThriftDepth {
		t.fail()
	}
	switch typ {
	case thriftTrue, thriftFalse, thriftByte:
		t.byte()
	case thriftI16, thriftI32, thriftI64:
		t.uvarint()
	case thriftDouble:
		for range 8 {
			t.byte()
		}
	case thriftBinary:
		t.binary()
	case thriftList, thriftSet:
		t.list(func(_, _ int, typ byte) { t.skipElement(typ) })
	case thriftStruct:
		t.fields(func(_ int, typ byte) { t.skip(typ) })
	default: // Parquet has no maps
		t.fail()
	}
	t.depth--
}
