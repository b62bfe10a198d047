package nn

import (
	"encoding/binary"
	"math"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/weights"
)

// A Scope is a place in a checkpoint, together with the set in which a model's
// weights are gathered.
type Scope struct {
	*weights.Scope
	set *WeightSet
}

// Sub returns the scope of a name below s.
func (s Scope) Sub(name string) Scope { return Scope{s.Scope.Sub(name), s.set} }

// Index returns the scope of the i-th element of a list.
func (s Scope) Index(i int) Scope { return s.Sub(strconv.Itoa(i)) }

// Optional returns the scope of a name below s if the checkpoint has it, else s.
func (s Scope) Optional(name string) Scope { return Scope{s.Scope.Optional(name), s.set} }

// A WeightSet is all weights of one model.
type WeightSet struct{ all []*Weight }

// Scope returns a scope whose weights belong to the set.
func (s *WeightSet) Scope(w *weights.Scope) Scope { return Scope{w, s} }

// Release drops the packed forms of all weights. The next product packs again.
// It may be called while the model runs.
func (s *WeightSet) Release() {
	for _, w := range s.all {
		w.release()
	}
}

// Bytes returns the memory of all packed forms.
func (s *WeightSet) Bytes() int {
	n := 0
	for _, w := range s.all {
		for i := range w.packed {
			if p := w.packed[i].Load(); p != nil {
				n += p.Bytes()
			}
		}
	}
	return n
}

// A Weight is the right factor of a product: one tensor of a checkpoint, or
// several stacked along their outputs.
type Weight struct {
	shape  kernels.Shape
	parts  []weights.Tensor
	mu     sync.Mutex
	packed [2]atomic.Pointer[kernels.Packed] // by precision
}

// newWeight reads the weights of the given names ("" is the scope's own), each
// with an equal share of the shape's outputs. dims are their dimensions after
// the first.
func newWeight(s Scope, shape kernels.Shape, dims []int, names ...string) *Weight {
	w := &Weight{shape: shape}
	for _, name := range names {
		d := append([]int{shape.Out / len(names)}, dims...)
		w.parts = append(w.parts, s.at(name).Tensor("weight", d...))
	}
	s.set.all = append(s.set.all, w)
	return w
}

// Packed returns the weight in the form that the machine multiplies. Packing
// happens here and nowhere else.
func (w *Weight) Packed(p kernels.Precision) *kernels.Packed {
	slot := &w.packed[p]
	if k := slot.Load(); k != nil {
		return k
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if k := slot.Load(); k != nil {
		return k
	}
	arrays := arraysOf(w.parts)
	k := kernels.Pack(p, w.shape, arrays...)
	for _, t := range w.parts {
		t.Release()
	}
	slot.Store(k)
	return k
}

func (w *Weight) release() {
	for i := range w.packed {
		w.packed[i].Store(nil)
	}
}

// arraysOf returns the tensors as kernels sees them: of their common type, or
// widened to float32 if their types differ.
func arraysOf(parts []weights.Tensor) []kernels.Array {
	d := parts[0].DType
	for _, t := range parts {
		if t.DType != d {
			d = weights.F32
		}
	}
	arrays := make([]kernels.Array, len(parts))
	for i, t := range parts {
		arrays[i] = kernels.Array{DType: arrayType(d), Data: t.Data}
		if t.Data != nil && t.DType != d {
			arrays[i].Data = float32Bytes(t)
		}
	}
	return arrays
}

func arrayType(d weights.DType) kernels.DType {
	switch d {
	case weights.F16:
		return kernels.F16
	case weights.BF16:
		return kernels.BF16
	}
	return kernels.F32
}

func float32Bytes(t weights.Tensor) []byte {
	b := make([]byte, 0, 4*t.Len())
	for _, x := range t.Float32s() {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// A Vector is a bias or a norm's gain: tensors of a checkpoint put in a row,
// converted when first used.
type Vector struct {
	parts  []weights.Tensor
	once   sync.Once
	values []float32
}

// newVector reads tensors called name+"."+field, each with an equal share of n
// elements. Without names it is the scope's own field.
func newVector(s Scope, n int, field string, names ...string) *Vector {
	v := new(Vector)
	for _, name := range names {
		v.parts = append(v.parts, s.at(name).Tensor(field, n/len(names)))
	}
	if len(names) == 0 {
		v.parts = append(v.parts, s.Tensor(field, n))
	}
	return v
}

// at is Sub, and s itself for the empty name.
func (s Scope) at(name string) Scope {
	if name == "" {
		return s
	}
	return s.Sub(name)
}

// Float32s returns the values; nil for a nil vector. They must not be changed.
func (v *Vector) Float32s() []float32 {
	if v == nil {
		return nil
	}
	v.once.Do(func() {
		for _, t := range v.parts {
			v.values = append(v.values, t.Float32s()...)
		}
	})
	return v.values
}
