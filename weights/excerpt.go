package weights

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/nlpodyssey/safetensors"
)

// The functions below serve those who read a part of a safetensors file that is
// elsewhere, and whose bytes they ask for range by range.

// A Range is a file's bytes from Start to before End.
type Range struct{ Start, End int64 }

// Len returns the number of bytes.
func (r Range) Len() int64 { return r.End - r.Start }

// HeaderSize returns how many bytes a safetensors file of size bytes begins with
// before its tensors, by its first 8 bytes: these and the header.
func HeaderSize(first []byte, size int64) (int64, error) {
	if len(first) < 8 || size < 8 {
		return 0, errors.New("not a safetensors file: shorter than 8 bytes")
	}
	n := binary.LittleEndian.Uint64(first)
	switch {
	case n > math.MaxInt32*64: // the first bytes of something else
		return 0, errors.New("not a safetensors file")
	case n > maxHeader:
		return 0, fmt.Errorf("bad safetensors header: %d bytes long, at most %d are read", n, maxHeader)
	case n > uint64(size-8):
		return 0, fmt.Errorf("cut short: %d bytes, more than %d expected", size, 8+n)
	}
	return int64(8 + n), nil
}

// Excerpt returns the beginning of a safetensors file of some of another's
// tensors, those that keep accepts, and the ranges of the other whose bytes
// follow it. The tensors stay in the other's order, and neighbors share a range.
//
// head is what the other begins with, as long as [HeaderSize] returns, and size
// its size: Excerpt proves that its tensors lie side by side, have the size of
// their shapes and end with the file.
func Excerpt(head []byte, size int64, keep func(name string) bool) (begin []byte, ranges []Range, err error) {
	n, err := HeaderSize(head, size)
	if err != nil {
		return nil, nil, err
	}
	if n != int64(len(head)) {
		return nil, nil, fmt.Errorf("%d bytes of a header of %d", len(head), n)
	}
	specs, ranges, err := readSpecs(head[8:], size-n, keep)
	if err != nil {
		return nil, nil, fmt.Errorf("bad safetensors header: %w", err)
	}
	if len(specs) == 0 {
		return nil, nil, errors.New("has none of the tensors that are needed")
	}
	order := make([]int, len(specs))
	for i := range order {
		order[i] = i
	}
	for i := range ranges {
		ranges[i].Start += n
		ranges[i].End += n
	}
	begin, err = appendHeader(nil, specs, order)
	return begin, ranges, err
}

// readSpecs reads a header of tensors that have size bytes in all. The ranges
// are those of the data after it.
func readSpecs(head []byte, size int64, keep func(name string) bool) (specs []Spec, ranges []Range, err error) {
	if err := checkJSON(head); err != nil {
		return nil, nil, err
	}
	var meta safetensors.Metadata
	if err := json.Unmarshal(head, &meta); err != nil {
		return nil, nil, errors.New(clip(err.Error()))
	}
	infos := meta.Tensors()
	names := slices.SortedFunc(maps.Keys(infos), func(a, b string) int {
		x, y := infos[a].DataOffsets, infos[b].DataOffsets
		return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]), cmp.Compare(a, b)) // tensors of no bytes tie
	})
	at := int64(0)
	for _, name := range names {
		spec, n, err := readSpec(name, infos[name])
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %s: %w", show(name), err)
		}
		if offsets := infos[name].DataOffsets; offsets != [2]uint64{uint64(at), uint64(at + n)} || at+n > size {
			return nil, nil, fmt.Errorf("tensor %s: its %d bytes are not those from %d to %d of %d", show(name), n, offsets[0], offsets[1], size)
		}
		if keep(name) {
			specs = append(specs, spec)
			if last := len(ranges) - 1; last >= 0 && ranges[last].End == at {
				ranges[last].End += n
			} else if n > 0 {
				ranges = append(ranges, Range{at, at + n})
			}
		}
		at += n
	}
	if at != size {
		return nil, nil, fmt.Errorf("the tensors have %d bytes, the file %d", at, size)
	}
	return specs, ranges, nil
}

// readSpec returns a tensor's type and shape, and its size in bytes.
func readSpec(name string, info *safetensors.TensorInfo) (s Spec, size int64, err error) {
	s.Name = name
	var ok bool
	if s.DType, ok = fromFile(info.DType); !ok {
		return s, 0, fmt.Errorf("unknown type %v", info.DType)
	}
	if len(info.Shape) > maxRank {
		return s, 0, fmt.Errorf("%d dimensions, at most %d are read", len(info.Shape), maxRank)
	}
	size = int64(s.DType.Size())
	for _, d := range info.Shape {
		if d > math.MaxInt32 { // also the limit of a 32-bit int
			return s, 0, fmt.Errorf("a dimension of %d", d)
		}
		if d > 0 && size > maxFile/int64(d) {
			return s, 0, errors.New("larger than 64 GiB")
		}
		size *= int64(d)
		s.Shape = append(s.Shape, int(d))
	}
	return s, size, nil
}
