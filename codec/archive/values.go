package archive

import (
	"encoding/binary"
	"math"
)

// plainBytes decodes n byte arrays, each behind its length of four bytes. They
// are parts of b.
func plainBytes(b []byte, n int) ([][]byte, error) {
	if n > len(b)/4 {
		return nil, errPage
	}
	out := make([][]byte, n)
	for i := range out {
		if len(b) < 4 {
			return nil, errPage
		}
		size := binary.LittleEndian.Uint32(b)
		if uint64(size) > uint64(len(b)-4) {
			return nil, errPage
		}
		out[i] = b[4 : 4+size : 4+size]
		b = b[4+size:]
	}
	if len(b) != 0 {
		return nil, errPage
	}
	return out, nil
}

func plainInts(b []byte, n, kind int) ([]int64, error) {
	size := 8
	if kind == kindInt32 {
		size = 4
	}
	if len(b) != n*size {
		return nil, errPage
	}
	out := make([]int64, n)
	for i := range out {
		if kind == kindInt32 {
			out[i] = int64(int32(binary.LittleEndian.Uint32(b[4*i:])))
		} else {
			out[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
	return out, nil
}

// maxRun bounds what one byte of runs can allocate before it is read.
const maxRun = 1 << 10

// nulls decodes the definition levels of an optional column: which of n values
// are null, and the number of the others. Levels behind the last are an error: a
// megabyte of them takes some bytes in the file.
func nulls(b []byte, n int) (null []bool, values int, err error) {
	null = make([]bool, 0, min(n, len(b)*maxRun))
	rest, ok := runs(b, 1, n, func(v uint32, count int) bool {
		for range count {
			null = append(null, v == 0)
		}
		if v != 0 {
			values += count
		}
		return v <= 1
	})
	if !ok || len(rest) > 0 {
		return nil, 0, errPage
	}
	return null, values, nil
}

// spread puts the values where null is not set.
func spread(values [][]byte, null []bool) [][]byte {
	out := make([][]byte, len(null))
	for i, is := range null {
		if !is {
			out[i], values = values[0], values[1:]
		}
	}
	return out
}

// runs decodes n numbers of so many bits from Parquet's hybrid of run lengths
// and packed bits. It returns what follows them and reports whether they were
// there, and all accepted.
func runs(b []byte, bits, n int, f func(v uint32, count int) bool) (rest []byte, ok bool) {
	for n > 0 {
		head, size := binary.Uvarint(b)
		if size <= 0 || head>>1 == 0 || head>>1 > math.MaxInt32 {
			return nil, false
		}
		b = b[size:]
		count := int(head >> 1)
		if head&1 == 0 { // a run
			width := (bits + 7) / 8
			if len(b) < width {
				return nil, false
			}
			var v uint32
			for i := range width {
				v |= uint32(b[i]) << (8 * i)
			}
			count = min(count, n) // some writers round up
			if b = b[width:]; !f(v, count) {
				return nil, false
			}
			n -= count
			continue
		}
		if count > len(b) || count*bits > len(b) { // eight numbers in as many bytes as they have bits
			return nil, false
		}
		packed := b[:count*bits]
		b = b[count*bits:]
		for i := 0; i < 8*count && n > 0; i++ {
			var v uint32
			for j := range bits {
				at := i*bits + j
				v |= uint32(packed[at/8]>>(at%8)&1) << j
			}
			if !f(v, 1) {
				return nil, false
			}
			n--
		}
	}
	return b, true
}
