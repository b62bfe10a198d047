package foreign

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"path"
	"slices"
	"strings"

	"github.com/coclico/coclico/weights"
)

const (
	pickleName = "data.pkl"
	maxPickle  = 2 << 20
	maxRank    = 8
)

// checkpoint returns the tensors of a .pth file.
func (a *archive) checkpoint() ([]weights.Tensor, error) {
	folder, err := a.folder()
	if err != nil {
		return nil, err
	}
	if e, ok := a.entries[folder+"byteorder"]; ok && string(bytes.TrimSpace(e.data)) != "little" {
		return nil, errors.New("saved on a big-endian machine, whose byte order is not supported")
	}
	pickle := a.entries[folder+pickleName].data
	if len(pickle) > maxPickle {
		return nil, fmt.Errorf("the pickle has %d bytes, at most %d are read", len(pickle), maxPickle)
	}
	v, err := unpickle(pickle)
	if err != nil {
		return nil, err
	}
	d, ok := v.(*dict)
	if !ok {
		return nil, errors.New("the file holds no dictionary of tensors")
	}
	for _, name := range []string{"params", "state_dict"} {
		if inner, ok := d.get(name).(*dict); ok {
			d = inner
			break
		}
	}
	return a.tensors(folder, d)
}

// folder returns the path before the pickle's name. torch.save names it after
// the file that it writes.
func (a *archive) folder() (string, error) {
	folder, found := "", false
	for _, name := range a.names {
		if path.Base(name) != pickleName {
			continue
		}
		if found {
			return "", errors.New("the archive has several pickles")
		}
		folder, found = strings.TrimSuffix(name, pickleName), true
	}
	return folder, nil
}

func (d *dict) get(name string) any {
	if i := slices.Index(d.keys, any(name)); i >= 0 {
		return d.values[i]
	}
	return nil
}

// tensors returns the tensors among the values of a dictionary.
func (a *archive) tensors(folder string, d *dict) ([]weights.Tensor, error) {
	var all []weights.Tensor
	seen := make(map[string]bool)
	for i, key := range d.keys {
		t, ok := d.values[i].(*tensor)
		if !ok {
			continue
		}
		name, ok := key.(string)
		if !ok || seen[name] {
			return nil, errors.New("bad pickle: the names of tensors are not distinct strings")
		}
		seen[name] = true
		w, err := a.tensor(folder, name, t)
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", show(name), err)
		}
		all = append(all, w)
	}
	if len(all) == 0 {
		return nil, errors.New("the file holds no dictionary of tensors")
	}
	stripModule(all)
	return all, nil
}

// stripModule removes the prefix that DataParallel gives to all names.
func stripModule(all []weights.Tensor) {
	const prefix = "module."
	for _, t := range all {
		if !strings.HasPrefix(t.Name, prefix) {
			return
		}
	}
	for i := range all {
		all[i].Name = strings.TrimPrefix(all[i].Name, prefix)
	}
}

// tensor returns a tensor's elements in row-major order.
func (a *archive) tensor(folder, name string, t *tensor) (weights.Tensor, error) {
	e, ok := a.entries[folder+"data/"+t.storage.key]
	size := t.storage.dtype.Size()
	switch {
	case !ok:
		return weights.Tensor{}, fmt.Errorf("the file has no %v", t.storage)
	case t.storage.count > int64(len(e.data)/size):
		return weights.Tensor{}, fmt.Errorf("%v has %d bytes, too few for %d elements", t.storage, len(e.data), t.storage.count)
	}
	n, err := t.check()
	if err != nil {
		return weights.Tensor{}, err
	}
	w := weights.Tensor{Name: name, DType: t.storage.dtype, Shape: make([]int, len(t.shape))}
	for i, d := range t.shape {
		w.Shape[i] = int(d)
	}
	if n > 0 && t.contiguous() {
		w.Data, err = a.take(e, int(t.offset)*size, n*size)
		return w, err
	}
	if err := a.reserve(n * size); err != nil {
		return weights.Tensor{}, err
	}
	w.Data = gather(e.data, size, int(t.offset), w.Shape, t.stride, n)
	return w, nil
}

// check returns the number of elements of a tensor, and an error unless all of
// them lie in its storage. There are at most as many as the storage has.
func (t *tensor) check() (int, error) {
	if len(t.shape) != len(t.stride) || t.offset < 0 {
		return 0, errors.New("bad shape")
	}
	elements, last := uint64(1), uint64(t.offset)
	empty := slices.Contains(t.shape, 0)
	for i, d := range t.shape {
		if d < 0 || d > math.MaxInt32 || t.stride[i] < 0 {
			return 0, errors.New("a negative or huge dimension or stride")
		}
		if empty {
			continue
		}
		high, product := bits.Mul64(elements, uint64(d))
		far, step := bits.Mul64(uint64(d-1), uint64(t.stride[i]))
		sum, carry := bits.Add64(last, step, 0)
		if high|far|carry != 0 || product > uint64(t.storage.count) || sum >= uint64(t.storage.count) {
			return 0, fmt.Errorf("the tensor is larger than its %v of %d elements", t.storage, t.storage.count)
		}
		elements, last = product, sum
	}
	if empty {
		return 0, nil
	}
	if last >= uint64(t.storage.count) {
		return 0, fmt.Errorf("the tensor lies outside of its %v of %d elements", t.storage, t.storage.count)
	}
	return int(elements), nil
}

// contiguous reports whether the elements follow each other in row-major order.
func (t *tensor) contiguous() bool {
	step := int64(1)
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] > 1 && t.stride[i] != step {
			return false
		}
		step *= t.shape[i]
	}
	return true
}

// gather copies n elements of size bytes in row-major order. Strides are in
// elements.
func gather(data []byte, size, offset int, shape []int, stride []int64, n int) []byte {
	dst := make([]byte, 0, n*size)
	index := make([]int, len(shape))
	for range n {
		dst = append(dst, data[offset*size:(offset+1)*size]...)
		for k := len(shape) - 1; k >= 0; k-- {
			index[k]++
			offset += int(stride[k])
			if index[k] < shape[k] {
				break
			}
			offset -= index[k] * int(stride[k])
			index[k] = 0
		}
	}
	return dst
}
