package kernels

import (
	"runtime"
	"slices"
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
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

	cleanup runtime.Cleanup
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
	if s.Out <= 0 || s.In <= 0 || s.KH != s.KW || s.KH < 1 || s.KH > 3 || len(parts) == 0 || s.Out%len(parts) != 0 {
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
	w.data = mem.Alloc(w.panels * panel)
	if len(w.data) >= mem.HugePage {
		w.cleanup = runtime.AddCleanup(w, mem.Free, w.data)
	}
	t := &packTask{im: im, w: w, parts: parts, panel: panel}
	parallel(w.panels, t)
	if w.direct && g.form != formF32 {
		w.dtype = BF16
	}
	return w
}

// Free gives the memory back before the garbage collector would. p must not be
// used any more.
func (p *Packed) Free() {
	p.cleanup.Stop()
	mem.Free(p.data)
	p.data = nil
}

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
		s.release()
		return
	}
	t.gather(dst, i)
}

// gather copies the elements of panel i to dst in the panel's order, with
// zeros where the panel is wider or longer than the weights.
//
// K steps run over rows of taps, then channels, then taps of a row: the three
// taps of a row read nearly the same lines of A, one after another.
func (t *packTask) gather(dst []byte, i int) {
	w := t.w
	g := gatherer{v: t.im.vec, g: w.g, es: w.dtype.Size()}
	in, taps, per := w.shape.In, w.shape.taps(), w.g.form.perStep()
	zeros := func(a Array) bool { return a.Data == nil }
	if w.shape.Out%w.g.nr != 0 || in%per != 0 || slices.ContainsFunc(t.parts, zeros) {
		clear(dst)
	}
	for j := 0; j < w.g.nr; {
		src, n := t.columns(i, j)
		if src == nil {
			j += n
			continue
		}
		rowBytes := in * taps * g.es
		if taps == 1 {
			g.gather(dst, j, src, rowBytes, g.es, n, in)
		} else {
			t.gatherTaps(&g, dst, j, src, rowBytes, n)
		}
		j += n
	}
}

// columns returns where columns j, j+1, ... of a panel begin in the
// checkpoint, and how many, at most 16, lie one after another. A nil pointer
// stands for columns of zeros.
func (t *packTask) columns(panel, j int) (unsafe.Pointer, int) {
	w := t.w
	share := w.shape.Out / len(t.parts)
	r := w.row(panel, j)
	n := 1
	for n < 16-j%16 && j+n < w.g.nr {
		next := w.row(panel, j+n)
		if r < 0 && next >= 0 || r >= 0 && (next != r+n || next/share != r/share) {
			break
		}
		n++
	}
	if r < 0 || t.parts[r/share].Data == nil {
		return nil, n
	}
	return unsafe.Pointer(&t.parts[r/share].Data[r%share*w.shape.In*w.shape.taps()*w.dtype.Size()]), n
}

// gatherTaps gathers n columns of weights with taps, [In][KH][KW] each. A block
// of channels is first sorted by tap, so that what is left is the linear case.
func (t *packTask) gatherTaps(g *gatherer, dst []byte, j int, src unsafe.Pointer, rowBytes, n int) {
	in, per := t.w.shape.In, g.g.form.perStep()
	taps, kw := t.w.shape.taps(), t.w.shape.KW
	blocks := (in + per - 1) / per
	stepB := per * g.g.nr * g.es
	var sorted [16 * 9 * 32 * 4]byte // [column][tap][channel], of at most 32 channels and 4 bytes
	tapBytes := per * g.es
	for c := 0; c < in; c += per {
		m := min(per, in-c)
		done := 0
		if g.v.sortTaps != nil && g.es == 2 && taps == 9 && m == 32 {
			g.v.sortTaps(unsafe.Pointer(&sorted[0]), unsafe.Add(src, c*9*g.es), rowBytes, n)
			done = n
		}
		for col := done; col < n; col++ {
			s := unsafe.Add(src, col*rowBytes+c*taps*g.es)
			d := unsafe.Pointer(&sorted[col*taps*tapBytes])
			if g.es == 2 {
				sortTaps((*uint16)(s), (*uint16)(d), taps, m, per)
			} else {
				sortTaps((*uint32)(s), (*uint32)(d), taps, m, per)
			}
		}
		for tap := range taps {
			step := (tap/kw*blocks+c/per)*kw + tap%kw
			g.gather(dst[step*stepB:], j, unsafe.Pointer(&sorted[tap*tapBytes]), taps*tapBytes, g.es, n, m)
		}
	}
}

// sortTaps turns src [m][taps] into dst [taps][per].
func sortTaps[T uint16 | uint32](src, dst *T, taps, m, per int) {
	s, d := unsafe.Slice(src, taps*m), unsafe.Slice(dst, (taps-1)*per+m)
	for c := 0; c < m; c++ {
		x := s[taps*c : taps*c+taps : taps*c+taps]
		for tap, v := range x {
			d[tap*per+c] = v
		}
	}
}

// maxNR bounds the columns of every implementation's tile.
const maxNR = 32

// A gatherer copies elements into a panel's order.
//
// Rows of K: [k][j]. VNNI: tiles of 16 columns, in a tile 16 rows, in a row
// 16 columns of two consecutive K each: [j/16][k/2][j%16][k%2].
type gatherer struct {
	v  *vec
	g  *gemm
	es int // bytes of an element
}

// index returns the place of element (k,j) among a step's perStep*nr.
func (g *gemm) index(k, j int) int {
	if !g.vnni {
		return k*g.nr + j
	}
	return j/16*512 + k/2*32 + j%16*2 + k%2
}

// gather copies k elements of n columns, all within 16, to consecutive steps at
// dst, from column j on. Element (i,c) is at src + c*strideN + i*strideK.
func (g *gatherer) gather(dst []byte, j int, src unsafe.Pointer, strideN, strideK, n, k int) {
	per := g.g.form.perStep()
	stepB := per * g.g.nr * g.es
	done := 0 // K elements
	if whole := k / per; whole > 0 && n == 16 {
		at := unsafe.Pointer(&dst[g.g.index(0, j)*g.es])
		switch {
		case g.v.transpose != nil && strideK == g.es && per*g.es == stepBytes && (g.g.vnni || g.es == 4):
			// 16 columns of whole lines: a transposition of 16x16 pairs.
			pitch := stepBytes
			if !g.g.vnni {
				pitch = g.g.nr * 4
			}
			g.v.transpose(at, pitch, stepB, src, strideN, whole)
			done = whole * per
		case g.v.interleave != nil && strideN == 2 && g.g.vnni && g.es == 2:
			g.v.interleave(at, stepB, src, strideK, whole)
			done = whole * per
		}
	}
	for i := done; i < k; i++ {
		d := unsafe.Pointer(&dst[i/per*stepB])
		s := unsafe.Add(src, i*strideK)
		for c := range n {
			to, from := unsafe.Add(d, g.g.index(i%per, j+c)*g.es), unsafe.Add(s, c*strideN)
			if g.es == 2 {
				*(*uint16)(to) = *(*uint16)(from)
			} else {
				*(*uint32)(to) = *(*uint32)(from)
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
