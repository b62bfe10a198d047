package weights

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/nlpodyssey/safetensors"
)

const (
	maxHeader = 8 << 20
	maxRank   = 8
)

// parse reads a safetensors file: 8 bytes of header length n, little-endian,
// n bytes of JSON, and the tensors' bytes without gap or overlap to the end.
// The tensors are views of r.
//
// nlpodyssey/safetensors reads the header and proves that the tensors lie side
// by side, have the size of their shapes and end with the file. It does not see
// duplicate names, takes ten times a header's size in memory, lets a shape have
// any dimension beside a 0, and repeats the file's content in its errors: hence
// the checks around it.
func parse(file string, r *region) (map[string]Tensor, error) {
	head, body, err := split(file, r.data)
	if err != nil {
		return nil, err
	}
	if err := checkJSON(head); err != nil {
		return nil, fileErrorf(file, "bad safetensors header: %v", err)
	}
	_, meta, err := safetensors.ReadMetadata(r.data)
	if err != nil {
		return nil, fileErrorf(file, "%s", diagnose(head, len(r.data), err))
	}
	infos := meta.Tensors()
	tensors := make(map[string]Tensor, len(infos))
	for _, name := range slices.Sorted(maps.Keys(infos)) {
		t, err := view(name, infos[name], body)
		if err != nil {
			return nil, fileErrorf(file, "bad safetensors header: tensor %s: %v", show(name), err)
		}
		t.from = r
		tensors[name] = t
	}
	return tensors, nil
}

// split checks the header's length and splits the file into header and data.
func split(file string, data []byte) (head, body []byte, err error) {
	if bytes.HasPrefix(data, []byte("version https://git-lfs")) {
		return nil, nil, fileErrorf(file, "only a git-lfs pointer to the file: run git lfs pull")
	}
	n, err := HeaderSize(data, int64(len(data)))
	if err != nil {
		return nil, nil, &FileError{file, err}
	}
	return data[8:n], data[n:], nil
}

// diagnose returns the reason why the header of a file of size bytes was
// refused: a type that is not supported, or a file that is cut short, as after
// a download that did not finish. In any other case it is the library's own.
func diagnose(head []byte, size int, err error) string {
	var tensors map[string]struct {
		DType       string    `json:"dtype"`
		DataOffsets [2]uint64 `json:"data_offsets"`
	}
	if json.Unmarshal(head, &tensors) == nil {
		delete(tensors, "__metadata__")
		end := uint64(0)
		for _, name := range slices.Sorted(maps.Keys(tensors)) {
			t := tensors[name]
			if t.DType != "" && !known(t.DType) {
				return fmt.Sprintf("tensor %s: type %s is not supported: weights must be F16, BF16 or F32", show(name), clip(t.DType))
			}
			end = max(end, t.DataOffsets[1])
		}
		switch want := 8 + uint64(len(head)) + end; {
		case end > maxFile || !strings.Contains(err.Error(), "incomplete buffer"):
		case uint64(size) < want:
			return fmt.Sprintf("cut short: %d bytes, %d expected", size, want)
		case uint64(size) > want:
			return fmt.Sprintf("too long: %d bytes, %d expected", size, want)
		}
	}
	return "bad safetensors header: " + clip(err.Error())
}

func view(name string, info *safetensors.TensorInfo, body []byte) (Tensor, error) {
	t := Tensor{Name: name}
	var ok bool
	if t.DType, ok = fromFile(info.DType); !ok {
		return t, fmt.Errorf("unknown type %v", info.DType)
	}
	if len(info.Shape) > maxRank {
		return t, fmt.Errorf("%d dimensions, at most %d are read", len(info.Shape), maxRank)
	}
	t.Shape = make([]int, len(info.Shape))
	for i, d := range info.Shape {
		if d > math.MaxInt32 { // also the limit of a 32-bit int
			return t, fmt.Errorf("a dimension of %d", d)
		}
		t.Shape[i] = int(d)
	}
	start, end := info.DataOffsets[0], info.DataOffsets[1] // proven to be in body
	t.Data = body[start:end:end]
	return t, nil
}
