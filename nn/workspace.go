package nn

import (
	"math"
	"runtime"
	"unsafe"

	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/kernels/mem"
)

// A Workspace holds the activations of one network evaluation at a time. The
// zero value is ready for use and computes at [kernels.Exact].
//
// Memory that was put back is reused: after the first step of a loop a
// workspace allocates nothing. The memory is not the garbage collector's, so
// the caller must Close the workspace. A workspace is not safe for concurrent
// use; models are, if every goroutine has its own workspace.
type Workspace struct {
	// Precision of the matrix products. It may change between calls.
	Precision kernels.Precision

	// LowMemory packs each weight for one product and frees it afterward,
	// instead of keeping all weights of a network packed, and releases free
	// memory to the system sooner. Results are the same, but every step
	// spends time on packing.
	LowMemory bool

	// Profile, if not nil, accumulates the networks' work.
	Profile *Profile

	// Trace, if not nil, is called with the checkpoint name and the output of
	// every submodule that golden cases may contain. The tensor is valid only
	// during the call. Tracing costs time and memory.
	Trace func(name string, t *Tensor)

	arena    arena
	gen      int // number of calls of Close
	tensors  []*Tensor
	operands []*Operand

	transient []freer      // packed for the running products alone
	norm      kernels.Norm // of the tensor that is processed in bands
	band      int          // bytes of a band's operand, for tests; 0 means bandBytes
}

// An Operand is the left factor of a product, in the memory of a workspace.
type Operand struct {
	kernels.Operand
	mem  span
	gen  int
	back bool // put back
}

// Get returns a tensor of the given shape. Its contents are undefined.
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

// Keep adds the caller to the owners of t and returns t. The tensor stays until
// every owner has called Put.
func (ws *Workspace) Keep(t *Tensor) *Tensor {
	if t.mem.size > 0 { // a caller's own tensor has no count: others may be reading it
		if t.refs <= 0 && t.gen == ws.gen {
			panic("nn: tensor kept after it was put back")
		}
		t.refs++
	}
	return t
}

// Put takes t back from one of its owners. With the last one its memory becomes
// free for reuse.
func (ws *Workspace) Put(t *Tensor) {
	if t.mem.size == 0 || t.gen != ws.gen { // a caller's own, or older than a Close
		return
	}
	if t.refs <= 0 {
		panic("nn: tensor put back twice")
	}
	if t.refs--; t.refs == 0 {
		ws.arena.put(t.mem)
		t.Data = nil // the span stays, to distinguish a second Put from a caller's own tensor
		ws.tensors = append(ws.tensors, t)
	}
}

// shrink reduces the channels of t, which is owned, to c. The rows are already
// at the front.
func (ws *Workspace) shrink(t *Tensor, c int) {
	t.C, t.Data = c, t.Data[:t.Rows()*c]
	t.mem = ws.arena.shrink(t.mem, 4*len(t.Data))
}

// discard releases the memory of elements [from,to) of t until they are written
// again. Their values are lost.
func (ws *Workspace) discard(t *Tensor, from, to int) {
	mem.Discard(ws.arena.bytes(t.mem)[4*from : 4*to])
}

// owned reports whether t may be overwritten: it has no other owner.
func (ws *Workspace) owned(t *Tensor) bool { return t.mem.size > 0 && t.refs == 1 && t.gen == ws.gen }

// Operand returns an operand of the workspace's precision. pad is 1 for a 3x3
// convolution and 0 otherwise. The pixels are undefined, the border is zero.
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

// NewOperand returns an operand outside any workspace, for data that outlives
// a step.
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

// Emit passes the output of a submodule to Trace, unless its name is empty.
func (ws *Workspace) Emit(name string, t *Tensor) {
	if ws.Trace != nil && name != "" {
		ws.Trace(name, t)
	}
}

// EmitOperand is Emit for an output that exists only as an operand.
func (ws *Workspace) EmitOperand(name string, o *Operand) {
	if ws.Trace != nil && name != "" {
		t := ws.Get(o.N, o.H, o.W, o.C)
		o.Float32s(t.Data)
		ws.Trace(name, t)
		ws.Put(t)
	}
}

// Reserve makes room in one piece for a network whose largest tensor is
// [n,h,w,c]. Without it the workspace grows on demand and its free memory is
// scattered: for Stable unCLIP's decoder it then holds 1.46 times the memory in
// use at the peak, and with it 1.06 times. Reserve is a hint: if the system
// refuses so large a piece, the workspace grows on demand. On Linux, unused
// room costs only address space, unless the system is configured not to
// overcommit (vm.overcommit_memory=2); elsewhere it is memory of the Go
// runtime. On Windows and WebAssembly, where unused room counts as used and
// running out of it crashes the program, Reserve does nothing.
//
// The networks of this module need 1.5 to 2.6 times their largest tensor at a
// time, and up to 4 times at [kernels.Exact], whose operands are larger.
func (ws *Workspace) Reserve(n, h, w, c int) {
	if runtime.GOOS == "windows" || runtime.GOARCH == "wasm" {
		return
	}
	times := 3
	if ws.Precision == kernels.Exact {
		times = 5
	}
	if size := mem.Size(4, n, h, w, c); size < math.MaxInt/8 { // not so on a 32-bit machine
		ws.arena.reserve(times * size)
	}
}

// InUse returns the number of bytes handed out and not put back.
func (ws *Workspace) InUse() int { return ws.arena.used }

// Peak returns the maximum of InUse since the last Close.
func (ws *Workspace) Peak() int { return ws.arena.peak }

// Size returns the size of the workspace's address space in bytes.
func (ws *Workspace) Size() int { return ws.arena.total }

// Close releases all memory to the system at once. Tensors and operands that
// were not put back become invalid, and accessing their data crashes. The
// workspace may be used again.
func (ws *Workspace) Close() {
	ws.arena.release()
	ws.norm = kernels.Norm{} // it points to the last tensor measured
	ws.gen++
}
