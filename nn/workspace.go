package nn

import (
	"math"
	"unsafe"

	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/kernels/mem"
)

// A Workspace holds the activations of one run of the networks at a time.
// Its zero value is ready and computes at [kernels.Exact].
//
// Memory that was put back is used again: after the first step of a loop a
// workspace allocates nothing. Its memory is not the garbage collector's:
// whoever makes a workspace calls Close in the end. It is not for concurrent
// use; models are, each goroutine with a workspace of its own.
type Workspace struct {
	// Precision of the matrix products. It may change between calls.
	Precision kernels.Precision

	// LowMemory packs each weight for one product and drops it after that,
	// where other workspaces keep all of a network's in memory, and gives
	// memory that is free back to the system sooner. Results are the same,
	// but packing takes its time at every step.
	LowMemory bool

	// Profile, if not nil, is added to as the networks run.
	Profile *Profile

	// Trace, if not nil, is called with the output of every submodule that a
	// golden case may hold, under its checkpoint name. The tensor is only
	// valid during the call. Tracing costs time and memory.
	Trace func(name string, t *Tensor)

	arena    arena
	gen      int // counts closes
	tensors  []*Tensor
	operands []*Operand

	transient []freer      // packed for the products that run now
	norm      kernels.Norm // of the picture that is done in bands now
	band      int          // bytes of a band's operand, for tests; 0 means bandBytes
}

// An Operand is the left factor of a product in a workspace's memory.
type Operand struct {
	kernels.Operand
	mem  span
	gen  int
	back bool // put back
}

// Get returns a tensor of the given shape. Its content is undefined.
func (ws *Workspace) Get(n, h, w, c int) *Tensor {
	var t *Tensor
	if k := len(ws.tensors); k > 0 {
		t, ws.tensors = ws.tensors[k-1], ws.tensors[:k-1]
	} else {
		t = new(Tensor)
	}
	size := mem.Size(4, n, h, w, c)
	mem := ws.arena.get(size, ws.LowMemory)
	*t = Tensor{N: n, H: h, W: w, C: c, Data: float32s(ws.arena.bytes(mem), size/4), refs: 1, mem: mem, gen: ws.gen}
	return t
}

// Keep makes the caller one more owner of t: t stays until Put has been called
// once for every owner. It returns t.
func (ws *Workspace) Keep(t *Tensor) *Tensor {
	if t.mem.size > 0 { // a caller's own is not counted: others may read it at this time
		if t.refs <= 0 && t.gen == ws.gen {
			panic("nn: tensor kept after it was put back")
		}
		t.refs++
	}
	return t
}

// Put takes t back from one of its owners. The memory of the last one is used
// again at once.
func (ws *Workspace) Put(t *Tensor) {
	if t.mem.size == 0 || t.gen != ws.gen { // a caller's own, or from before a Close
		return
	}
	if t.refs <= 0 {
		panic("nn: tensor put back twice")
	}
	if t.refs--; t.refs == 0 {
		ws.arena.put(t.mem)
		t.Data = nil // the span stays: it tells a second Put from a caller's own
		ws.tensors = append(ws.tensors, t)
	}
}

// shrink gives t, which is owned, fewer channels. Its rows lie at the front.
func (ws *Workspace) shrink(t *Tensor, c int) {
	t.C, t.Data = c, t.Data[:t.Rows()*c]
	t.mem = ws.arena.shrink(t.mem, 4*len(t.Data))
}

// discard gives elements [from,to) of t, which are lost, back to the system
// until they are written to.
func (ws *Workspace) discard(t *Tensor, from, to int) {
	mem.Discard(ws.arena.bytes(t.mem)[4*from : 4*to])
}

// owned reports whether t may be overwritten: nobody else will read it.
func (ws *Workspace) owned(t *Tensor) bool { return t.mem.size > 0 && t.refs == 1 && t.gen == ws.gen }

// Operand returns an operand of the workspace's precision; pad is 1 for a 3x3
// convolution and 0 else. Its pixels are undefined, its border is zero.
func (ws *Workspace) Operand(n, h, w, c, pad int) *Operand {
	return ws.operandAt(ws.Precision, n, h, w, c, pad)
}

func (ws *Workspace) operandAt(p kernels.Precision, n, h, w, c, pad int) *Operand {
	var o *Operand
	if k := len(ws.operands); k > 0 {
		o, ws.operands = ws.operands[k-1], ws.operands[:k-1]
	} else {
		o = new(Operand)
	}
	o.mem, o.gen, o.back = ws.arena.get(kernels.OperandBytes(p, n, h, w, c, pad), ws.LowMemory), ws.gen, false
	o.Init(ws.arena.bytes(o.mem), p, n, h, w, c, pad)
	return o
}

// PutOperand takes an operand back.
func (ws *Workspace) PutOperand(o *Operand) {
	if o.mem.size == 0 || o.gen != ws.gen {
		return
	}
	if o.back {
		panic("nn: operand put back twice")
	}
	ws.arena.put(o.mem)
	*o = Operand{mem: o.mem, gen: o.gen, back: true}
	ws.operands = append(ws.operands, o)
}

// NewOperand returns an operand outside of any workspace, for what outlives a
// step.
func NewOperand(p kernels.Precision, n, h, w, c, pad int) *Operand {
	size := kernels.OperandBytes(p, n, h, w, c, pad)
	b := make([]byte, size+lineBytes)
	off := int(-uintptr(unsafe.Pointer(&b[0])) & (lineBytes - 1))
	o := new(Operand)
	o.Init(b[off:off+size:off+size], p, n, h, w, c, pad)
	return o
}

// Fill returns x as an operand. It does not consume x.
func (ws *Workspace) Fill(x *Tensor, pad int) *Operand {
	o := ws.Operand(x.N, x.H, x.W, x.C, pad)
	since := ws.clock()
	o.Fill(x.Data)
	ws.spent(KindOther, since, 0)
	return o
}

// Emit passes a submodule's output to Trace; one without a name is not traced.
func (ws *Workspace) Emit(name string, t *Tensor) {
	if ws.Trace != nil && name != "" {
		ws.Trace(name, t)
	}
}

// EmitOperand is Emit for an output that only exists as an operand.
func (ws *Workspace) EmitOperand(name string, o *Operand) {
	if ws.Trace != nil && name != "" {
		t := ws.Get(o.N, o.H, o.W, o.C)
		o.Float32s(t.Data)
		ws.Trace(name, t)
		ws.Put(t)
	}
}

// Reserve makes room in one piece for a network whose largest tensor is
// [n,h,w,c]. Without it the workspace grows as it must and what became free in
// between lies scattered: on Stable unCLIP's decoder it then holds 1.46 times
// what is in use at the peak, with it 1.06 times. It is advice: where the system
// refuses so large a piece the workspace grows as it must. On Linux room that
// stays unused costs address space alone, unless the system has been told to
// promise no more than it has (vm.overcommit_memory=2); elsewhere it is memory
// of the Go runtime.
//
// The networks here need 1.5 to 2.6 times their largest tensor at a time, up to
// 4 times at [kernels.Exact], whose operands are larger.
func (ws *Workspace) Reserve(n, h, w, c int) {
	times := 3
	if ws.Precision == kernels.Exact {
		times = 5
	}
	if size := mem.Size(4, n, h, w, c); size < math.MaxInt/8 { // it may be larger on a 32-bit machine
		ws.arena.reserve(times * size)
	}
}

// InUse returns the bytes that were not put back.
func (ws *Workspace) InUse() int { return ws.arena.used }

// Peak returns the most bytes that were in use at a time since the last Close.
func (ws *Workspace) Peak() int { return ws.arena.peak }

// Size returns the bytes of address space that the workspace holds.
func (ws *Workspace) Size() int { return ws.arena.total }

// Close gives all memory back to the system at once. Tensors and operands that
// were not put back become invalid; to touch their data is a crash. The
// workspace may be used again.
func (ws *Workspace) Close() {
	ws.arena.release()
	ws.norm = kernels.Norm{} // it points to the last tensor it measured
	ws.gen++
}
