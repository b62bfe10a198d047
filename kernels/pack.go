package kernels

import (
	"unsafe"
)

// DType is the element type of a checkpoint's array.
type DType uint8

const (
	F32 DType = iota
	F16
	BF16
)

// Size returns the bytes of one element.
func (d DType) Size() int {
	if d == F32 {
		return 4
	}
	return 2
}

// An Array is a checkpoint's tensor as it lies in the file: little-endian, in
// row-major order. A nil Data stands for zeros.
type Array struct {
	DType DType
	Data  []byte
}

// A Shape describes the weights of one product.
type Shape struct {
	Out, In int // channels
	KH, KW  int // 1x1 for a linear layer, 3x3 for a convolution
	// GEGLU weights hold Out/2 values and then Out/2 gates; the product's
	// result is value * GELU(gate), Out/2 columns.
	GEGLU bool
}

func (s Shape) taps() int { return s.KH * s.KW }

// Packed holds the weights of one product in the order in which the active
// implementation multiplies them. It is immutable.
//
// The order is panels of nr output channels; in each panel, K steps; in each
// step the elements that one cache line of a row of A meets. Only elements
// that need no further work are stored as the operand has them (see direct);
// the others stay as they are in the file and are widened, a panel at a time,
// when the product runs: float16 is half the size of float32 and of its two
// bfloat16 parts.
type Packed struct {
	shape  Shape
	g      *gemm
	dtype  DType // of what is stored
	direct bool  // stored elements are operand elements
	steps  int   // K steps of one plane
	panels int
	data   []byte // [panels][steps*perStep*nr]
}

// Out returns the number of columns of the product.
func (p *Packed) Out() int {
	if p.shape.GEGLU {
		return p.shape.Out / 2
	}
	return p.shape.Out
}

// In returns the number of channels the product takes.
func (p *Packed) In() int { return p.shape.In }

// Bytes returns the memory that the weights occupy.
func (p *Packed) Bytes() int { return len(p.data) }

// Pack reorders weights of shape [Out,In,KH,KW], row-major as checkpoints have
// them. Several parts are stacked along Out, in equal shares: queries, keys
// and values become one product. All parts have one DType.
func Pack(p Precision, s Shape, parts ...Array) *Packed {
	return pack(active(), active().gemm(p), s, parts)
}

func pack(im *impl, g *gemm, s Shape, parts []Array) *Packed {
	if s.Out <= 0 || s.In <= 0 || s.KH != s.KW || s.KH != 1 && s.KH != 3 || len(parts) == 0 || s.Out%len(parts) != 0 {
		panic("kernels: Pack shape")
	}
	if s.GEGLU && s.Out%2 != 0 {
		panic("kernels: GEGLU needs an even number of outputs")
	}
	dt := parts[0].DType
	for _, a := range parts {
		if a.DType != dt || a.Data != nil && len(a.Data) != s.Out/len(parts)*s.In*s.taps()*dt.Size() {
			panic("kernels: Pack array does not fit the shape")
		}
	}
	w := &Packed{shape: s, g: g, dtype: dt}
	w.steps = s.taps() * ((s.In + g.form.perStep() - 1) / g.form.perStep())
	w.panels = (s.Out + g.nr - 1) / g.nr
	if s.GEGLU {
		w.panels = (s.Out/2 + g.nr/2 - 1) / (g.nr / 2)
	}
	switch g.form {
	case formF32:
		w.direct = dt == F32
	case formBF16:
		w.direct = true
	case formBF16x3:
		w.direct = dt == BF16
	}
	stored := dt.Size()
	if w.direct {
		stored = g.form.elemSize()
	}
	panel := w.panelElems() * stored
	w.data = allocPacked(w.panels * panel)
	t := &packTask{im: im, w: w, parts: parts, panel: panel}
	parallel(w.panels, t)
	if w.direct && g.form != formF32 {
		w.dtype = BF16
	}
	return w
}

// allocPacked gets memory for packed weights.
func allocPacked(n int) []byte { return alignedBytes(n) }

// panelElems is the number of elements of one panel, padding included.
func (p *Packed) panelElems() int { return p.steps * p.g.form.perStep() * p.g.nr }

type packTask struct {
	im    *impl
	w     *Packed
	parts []Array
	panel int
}

// row returns the index in the checkpoint of column j of a panel, or -1.
// A panel of GEGLU weights has nr/2 values and then their nr/2 gates.
func (w *Packed) row(panel, j int) int {
	r := panel*w.g.nr + j
	if w.shape.GEGLU {
		half := w.g.nr / 2
		r = panel*half + j%half
		if r >= w.shape.Out/2 {
			return -1
		}
		return r + j/half*(w.shape.Out/2)
	}
	if r >= w.shape.Out {
		return -1
	}
	return r
}

func (t *packTask) do(i int) {
	w := t.w
	dst := w.data[i*t.panel : (i+1)*t.panel]
	if w.direct && w.dtype != BF16 && w.g.form == formBF16 {
		s := scratches.get()
		raw := grow(&s.panel, w.panelElems()*w.dtype.Size())
		t.gather(raw, i)
		t.im.vec.toBF16(dst, raw, w.dtype)
		scratches.keep(s)
		return
	}
	t.gather(dst, i)
}

// gather copies the elements of panel i to dst in the panel's order, with
// zeros where the panel is wider or longer than the weights.
func (t *packTask) gather(dst []byte, i int) {
	w := t.w
	es := w.dtype.Size()
	in, taps := w.shape.In, w.shape.taps()
	rowBytes := in * taps * es
	share := w.shape.Out / len(t.parts)
	if w.shape.Out%w.g.nr != 0 || in%w.g.form.perStep() != 0 {
		clear(dst)
	}
	var src [2 * maxNR]unsafe.Pointer
	for j := range w.g.nr {
		src[j] = nil
		if r := w.row(i, j); r >= 0 {
			if data := t.parts[r/share].Data; data != nil {
				src[j] = unsafe.Pointer(&data[r%share*rowBytes])
			}
		}
	}
	g := gatherArgs{dst: unsafe.Pointer(&dst[0]), es: es, nr: w.g.nr, perStep: w.g.form.perStep(), vnni: w.g.vnni, stride: taps * es}
	// K steps run over rows of taps, then channels, then taps of a row: the
	// three taps of a row read nearly the same lines of A, one after another.
	step := 0
	for dy := range w.shape.KH {
		for c := 0; c < in; c += g.perStep {
			for dx := range w.shape.KW {
				g.gather(step, src[:w.g.nr], (c*taps+dy*w.shape.KW+dx)*es, min(g.perStep, in-c))
				step++
			}
		}
	}
}

// maxNR bounds the columns of every implementation's tile.
const maxNR = 32

// gatherArgs are what all calls for one panel share.
type gatherArgs struct {
	dst             unsafe.Pointer
	es, nr, perStep int
	vnni            bool
	stride          int // bytes between K elements of one source row
}

// index returns the place of element (k,j) of a step among its perStep*nr.
//
// Rows of K: [k][j]. VNNI: tiles of 16 columns, in a tile 16 rows, in a row
// 16 columns of two consecutive K each: [j/16][k/2][j%16][k%2].
func (g *gatherArgs) index(k, j int) int {
	if !g.vnni {
		return k*g.nr + j
	}
	return j/16*512 + k/2*32 + j%16*2 + k%2
}

// gather copies n K elements, from byte offset off of every source row, into
// a step. A nil row gives zeros.
func (g *gatherArgs) gather(step int, src []unsafe.Pointer, off, n int) {
	base := unsafe.Add(g.dst, step*g.perStep*g.nr*g.es)
	for j, p := range src {
		for k := range n {
			d := unsafe.Add(base, g.index(k, j)*g.es)
			switch {
			case p == nil && g.es == 2:
				*(*uint16)(d) = 0
			case p == nil:
				*(*uint32)(d) = 0
			case g.es == 2:
				*(*uint16)(d) = *(*uint16)(unsafe.Add(p, off+k*g.stride))
			default:
				*(*uint32)(d) = *(*uint32)(unsafe.Add(p, off+k*g.stride))
			}
		}
	}
}

// weightPlanes is the number of operand planes that a stored panel becomes.
func (p *Packed) weightPlanes() int {
	if p.g.form != formBF16x3 {
		return 1
	}
	switch p.dtype {
	case F16:
		return 2 // 8+8 bits hold float16's 11
	case BF16:
		return 1
	}
	return 3
}

// panel returns panel i as the gemm reads it, using s when it must be widened.
func (p *Packed) panel(v *vec, i int, s *scratch) unsafe.Pointer {
	n := p.panelElems()
	if p.direct {
		return unsafe.Pointer(&p.data[i*n*p.g.form.elemSize()])
	}
	src := p.data[i*n*p.dtype.Size() : (i+1)*n*p.dtype.Size()]
	dst := grow(&s.panel, n*p.g.form.elemSize()*p.weightPlanes())
	if p.g.form == formF32 {
		v.toF32(float32s(dst), src, p.dtype)
	} else {
		v.splitWeights(dst, src, p.dtype, p.weightPlanes())
	}
	return unsafe.Pointer(&dst[0])
}
