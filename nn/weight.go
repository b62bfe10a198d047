package nn

import (
	"encoding/binary"
	"math"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/weights"
)

// A Scope is a place in a checkpoint, together with the set that collects the
// model's weights.
type Scope struct {
	*weights.Scope
	set *WeightSet
}

// Sub returns the scope of a name below s.
func (s Scope) Sub(name string) Scope { return Scope{s.Scope.Sub(name), s.set} }

// Index returns the scope of the i-th element of a list.
func (s Scope) Index(i int) Scope { return s.Sub(strconv.Itoa(i)) }

// Optional returns the scope of a name below s if the checkpoint has it, and s
// otherwise.
func (s Scope) Optional(name string) Scope { return Scope{s.Scope.Optional(name), s.set} }

// A WeightSet holds all weights of one model.
type WeightSet struct{ all []*Weight }

// Scope returns a scope whose weights belong to the set.
func (s *WeightSet) Scope(w *weights.Scope) Scope { return Scope{w, s} }

// Release drops the packed forms of all weights; the next product packs again.
// The memory is freed as soon as no running product needs it.
func (s *WeightSet) Release() {
	for _, w := range s.all {
		for i := range w.packed {
			w.packed[i].Store(nil)
			w.enlarged[i].Store(nil)
		}
	}
	runtime.GC()
}

// Bytes returns the size of all packed forms.
func (s *WeightSet) Bytes() int {
	n := 0
	for _, w := range s.all {
		for i := range w.packed {
			if p := w.packed[i].Load(); p != nil {
				n += p.Bytes()
			}
			if p := w.enlarged[i].Load(); p != nil {
				n += p.Bytes()
			}
		}
	}
	return n
}

// A Weight is the right factor of a product: one tensor of a checkpoint, or
// several stacked along their outputs. It is packed at its first use, once per
// precision, and stays packed unless the workspace has LowMemory set.
type Weight struct {
	shape    kernels.Shape
	parts    []weights.Tensor
	mu       sync.Mutex
	packed   [kernels.NumPrecisions]atomic.Pointer[kernels.Packed]
	enlarged [kernels.NumPrecisions]atomic.Pointer[kernels.PackedUp]
}

// newWeight reads the weights of the given names ("" is the scope's own), each
// with an equal share of the shape's outputs. dims are the dimensions after the
// first.
func newWeight(s Scope, shape kernels.Shape, dims []int, names ...string) *Weight {
	w := &Weight{shape: shape}
	for _, name := range names {
		d := append([]int{shape.Out / len(names)}, dims...)
		w.parts = append(w.parts, s.at(name).Tensor("weight", d...))
	}
	s.set.all = append(s.set.all, w)
	return w
}

// Packed returns the weight packed for the machine's multiplier. It is valid
// for the products before the next call of unpack.
func (w *Weight) Packed(ws *Workspace) *kernels.Packed {
	p := ws.Precision
	return pack(ws, w, &w.packed[p], func(a []kernels.Array) *kernels.Packed { return kernels.Pack(p, w.shape, a...) })
}

// Enlarged returns the weight of a 3x3 convolution packed for
// [kernels.ConvUp2D]. It is valid as long as that of Packed.
func (w *Weight) Enlarged(ws *Workspace) *kernels.PackedUp {
	p := ws.Precision
	return pack(ws, w, &w.enlarged[p], func(a []kernels.Array) *kernels.PackedUp { return kernels.PackUp(p, w.shape, a[0]) })
}

// freer is a packed form of either kind.
type freer interface{ Free() }

// unpack frees the forms packed for the products since its last call.
func (ws *Workspace) unpack() {
	for _, k := range ws.transient {
		k.Free()
	}
	ws.transient = ws.transient[:0]
}

// pack fills a slot once or, for a workspace with LowMemory, packs for the next
// products alone. All packing happens here.
func pack[P any, F interface {
	*P
	freer
}](ws *Workspace, w *Weight, slot *atomic.Pointer[P], form func([]kernels.Array) F) F {
	if k := slot.Load(); k != nil {
		return k
	}
	since := ws.clock()
	defer ws.spent(KindPack, since, 0)
	if ws.LowMemory {
		k := form(arraysOf(w.parts))
		w.releasePages()
		ws.transient = append(ws.transient, k)
		return k
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if k := slot.Load(); k != nil {
		return k
	}
	k := form(arraysOf(w.parts))
	w.releasePages()
	slot.Store(k)
	return k
}

// releasePages releases the pages of the file.
func (w *Weight) releasePages() {
	for _, t := range w.parts {
		t.Release()
	}
}

// arraysOf returns the tensors as arrays of their common type, widened to
// float32 if their types differ.
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

// A Vector is a bias or the gain of a norm: one or more tensors of a checkpoint
// in a row, converted at their first use.
type Vector struct {
	parts  []weights.Tensor
	once   sync.Once
	values []float32
}

// newVector reads the tensors name+"."+field, each with an equal share of n
// elements. Without names it reads the scope's own field.
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

// at returns s.Sub(name), or s itself for the empty name.
func (s Scope) at(name string) Scope {
	if name == "" {
		return s
	}
	return s.Sub(name)
}

// Float32s returns the values, or nil for a nil vector. The caller must not
// change them.
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
