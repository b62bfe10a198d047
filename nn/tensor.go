package nn

import "math"

// A Tensor is a batch of pictures, or of rows of tokens (H*W of them), in the
// order [N,H,W,C].
//
// Tensors come from [Workspace.Get]. A Tensor that the caller makes from its
// own memory works as well: layers read it and never write to it.
type Tensor struct {
	N, H, W, C int
	Data       []float32

	refs int  // number of owners; 0 for a caller's own tensor
	mem  span // in the workspace's arena; size 0 for a caller's own
	gen  int  // generation of the workspace
}

// Rows returns the number of pixels or tokens, N*H*W.
func (t *Tensor) Rows() int { return t.N * t.H * t.W }

// Len returns the number of elements.
func (t *Tensor) Len() int { return t.N * t.H * t.W * t.C }

// Finite reports whether no element is infinite or NaN.
func (t *Tensor) Finite() bool {
	for _, v := range t.Data {
		if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
			return false
		}
	}
	return true
}

// NCHW returns the elements in the order [N,C,H,W], which is PyTorch's.
func (t *Tensor) NCHW() []float32 {
	x := make([]float32, t.Len())
	hw := t.H * t.W
	for i, v := range t.Data {
		n, p, c := i/(t.C*hw), i/t.C%hw, i%t.C
		x[(n*t.C+c)*hw+p] = v
	}
	return x
}

// SetNCHW sets the elements from x, which is in the order [N,C,H,W] and has
// t's size.
func (t *Tensor) SetNCHW(x []float32) {
	if len(x) != t.Len() {
		panic("nn: lengths differ")
	}
	hw := t.H * t.W
	for i := range t.Data {
		n, p, c := i/(t.C*hw), i/t.C%hw, i%t.C
		t.Data[i] = x[(n*t.C+c)*hw+p]
	}
}
