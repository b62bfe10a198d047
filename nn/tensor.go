package nn

// A Tensor is a batch of pictures, or of rows of tokens (H*W of them), in the
// order [N,H,W,C].
//
// Tensors come from [Workspace.Get]. One that a caller makes of his own memory
// works as well: layers read it and never write to it.
type Tensor struct {
	N, H, W, C int
	Data       []float32

	refs int  // how many owners; 0 for a caller's own tensor
	mem  span // of the workspace's arena; size 0 for a caller's own
	gen  int  // the workspace's generation
}

// Rows returns the number of pixels or tokens, N*H*W.
func (t *Tensor) Rows() int { return t.N * t.H * t.W }

// Len returns the number of elements.
func (t *Tensor) Len() int { return t.N * t.H * t.W * t.C }
