package kernels

import (
	"runtime"
	"slices"
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

// A DType is the element type of a checkpoint's array.
type DType uint8

const (
	F32 DType = iota
	F16
	BF16

	numDTypes = iota
)

// Size returns the number of bytes of one element.
func (d DType) Size() int {
	if d == F32 {
		return 4
	}
	return 2
}

// An Array is a checkpoint's tensor as stored in the file: little-endian and in
// row-major order. If Data is nil, all elements are zero.
type Array struct {
	DType DType
	Data  []byte
}

// A Shape describes the weights of one product.
type Shape struct {
	Out, In int // channels
	KH, KW  int // 1x1 for a linear layer, 3x3 for a convolution
	// GEGLU weights hold Out/2 values, followed by Out/2 gates. The result of
	// the product is value * GELU(gate), Out/2 columns.
	GEGLU bool
}

func (s Shape) taps() int { return s.KH * s.KW }

// Packed holds the weights of one product in the order in which the active
// implementation multiplies them. It is immutable.
//
// The order is panels of nr output channels; in each panel, K steps; in each
// step, the elements that meet one cache line of a row of A. Weights that would
// take more memory when encoded stay as they are in the file: a float16 is half
// the size of a float32 and of its two bfloat16 parts. They are encoded when
// the product runs, one panel at a time.
type Packed struct {
	shape  Shape
	g      *gemm
	dtype  DType // in the checkpoint
	steps  int   // K steps of one plane
	panels int
	data   []byte // [panels][steps*perStep*nr]

	taps *Packed // if not nil, the weights, as columns; see conv_few.go

	cleanup runtime.Cleanup
}

// Out returns the number of columns of the product.
func (p *Packed) Out() int {
	if p.shape.GEGLU {
		return p.shape.Out / 2
	}
	return p.shape.Out
}

// In returns the number of channels of the operand.
func (p *Packed) In() int { return p.shape.In }

// Bytes returns the number of bytes that the weights occupy.
func (p *Packed) Bytes() int {
	if p.taps != nil {
		return p.taps.Bytes()
	}
	return len(p.data)
}

// Pack reorders weights of shape [Out,In,KH,KW], row-major as in checkpoints.
// Several parts are stacked along Out, in equal shares: queries, keys and
// values become one product. All parts must have the same DType.
func Pack(p Precision, s Shape, parts ...Array) *Packed {
	im := active()
	return pack(im, im.gemm(p, s.taps() > 1), s, parts)
}

func pack(im *impl, g *gemm, s Shape, parts []Array) *Packed {
	if s.Out <= 0 || s.In <= 0 || s.KH != s.KW || s.KH < 1 || s.KH > 3 || len(parts) == 0 || s.Out%len(parts) != 0 {
		panic("kernels: Pack shape")
	}
	if s.GEGLU && s.Out%2 != 0 {
		panic("kernels: GEGLU with an odd number of outputs")
	}
	dt := parts[0].DType
	for _, a := range parts {
		if a.DType != dt || a.Data != nil && len(a.Data) != s.Out/len(parts)*s.In*s.taps()*dt.Size() {
			panic("kernels: Pack array does not fit the shape")
		}
	}
	w := &Packed{shape: s, g: g, dtype: dt}
	if s.few() {
		flat, columns := tapColumns(s, parts)
		w.taps = pack(im, g, flat, []Array{columns})
		return w
	}
	w.steps = s.taps() * ((s.In + g.form.perStep() - 1) / g.form.perStep())
	w.panels = (s.Out + g.nr - 1) / g.nr
	if s.GEGLU {
		w.panels = (s.Out/2 + g.nr/2 - 1) / (g.nr / 2)
	}
	size := g.form.size
	if w.weights().when == whenMultiplied {
		size = dt.Size()
	}
	t := &packTask{v: im.vec, w: w, parts: parts, panel: w.panelElems() * size}
	w.data = mem.Alloc(w.panels * t.panel)
	if len(w.data) >= mem.HugePage {
		w.cleanup = runtime.AddCleanup(w, mem.Free, w.data)
	}
	parallel(w.panels, t)
	return w
}

// Free releases the memory before the garbage collector would. p must not be
// used afterwards.
func (p *Packed) Free() {
	if p.taps != nil {
		p.taps.Free()
		return
	}
	p.cleanup.Stop()
	mem.Free(p.data)
	p.data = nil
}

// weights returns what becomes of the weights' elements.
func (p *Packed) weights() weightForm { return p.g.form.weights[p.dtype] }

// panelElems returns the number of elements of one panel, including padding.
func (p *Packed) panelElems() int { return p.steps * p.g.form.perStep() * p.g.nr }

// part returns part i of K, if K is cut into a number of parts.
func (p *Packed) part(i, parts int) part {
	return part{i * p.steps / parts, (i + 1) * p.steps / parts}
}

// panel returns a part of panel i as the gemm reads it. It uses s if the weights must
// be encoded.
func (p *Packed) panel(i int, k part, s *scratch) unsafe.Pointer {
	stepElems := p.g.form.perStep() * p.g.nr
	from, n := i*p.panelElems()+k.from*stepElems, (k.to-k.from)*stepElems
	if p.weights().when != whenMultiplied {
		return unsafe.Pointer(&p.data[from*p.g.form.size])
	}
	src := p.data[from*p.dtype.Size() : (from+n)*p.dtype.Size()]
	dst := grow(&s.panel, n*p.g.form.size*p.weights().planes)
	p.g.form.convert(dst, src, p.dtype, p.weights().planes)
	return unsafe.Pointer(&dst[0])
}

// row returns the index in the checkpoint of column j of a panel, or -1 for a
// column of padding. A panel of GEGLU weights holds nr/2 values, followed by
// their gates.
func (p *Packed) row(panel, j int) int {
	r := panel*p.g.nr + j
	if p.shape.GEGLU {
		half := p.g.nr / 2
		r = panel*half + j%half
		if r >= p.shape.Out/2 {
			return -1
		}
		return r + j/half*(p.shape.Out/2)
	}
	if r >= p.shape.Out {
		return -1
	}
	return r
}

type packTask struct {
	v     *vec
	w     *Packed
	parts []Array
	panel int // bytes of a panel
}

func (t *packTask) do(i int) {
	w := t.w
	dst := w.data[i*t.panel : (i+1)*t.panel]
	if w.weights().when != whenPacked {
		t.gather(dst, i)
		return
	}
	s := scratches.get()
	defer s.release()
	raw := grow(&s.panel, w.panelElems()*w.dtype.Size())
	t.gather(raw, i)
	w.g.form.convert(dst, raw, w.dtype, 1)
}

// gather copies the elements of panel i to dst in the panel's order, with zeros
// where the panel is wider or longer than the weights.
//
// K steps run over channels, then taps: the taps of a step of channels read nearly
// the same lines of A, one after the other.
func (t *packTask) gather(dst []byte, i int) {
	w := t.w
	g := gatherer{v: t.v, g: w.g, es: w.dtype.Size()}
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

// columns returns the address in the checkpoint of column j of a panel and the
// number of columns, at most 16, that follow each other from there. A nil
// pointer stands for columns of zeros.
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

// gatherTaps gathers n columns of weights with taps, [In][KH][KW] each. It
// first sorts a block of channels by tap, which leaves the linear case.
func (t *packTask) gatherTaps(g *gatherer, dst []byte, j int, src unsafe.Pointer, rowBytes, n int) {
	in, per := t.w.shape.In, g.g.form.perStep()
	taps := t.w.shape.taps()
	stepB := per * g.g.nr * g.es
	var sorted [16 * 9 * maxPerStep * 4]byte // [column][tap][channel], of at most 4 bytes
	tapBytes := per * g.es
	for c := 0; c < in; c += per {
		m := min(per, in-c)
		if n == 16 && g.transposes(m) {
			t.gatherTapRows(g, dst, j, unsafe.Add(src, c*taps*g.es), rowBytes, c)
			continue
		}
		done := 0
		if g.v.sortTaps != nil && g.es == 2 && taps == 9 && m == 32 {
			from := unsafe.Add(src, c*9*g.es)
			if raceEnabled {
				raceRead(from, rowBytes, n, 9*32*2)
			}
			g.v.sortTaps(unsafe.Pointer(&sorted[0]), from, rowBytes, n)
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
			g.gather(dst[(c/per*taps+tap)*stepB:], j, unsafe.Pointer(&sorted[tap*tapBytes]), taps*tapBytes, g.es, n, m)
		}
	}
}

// gatherTapRows gathers 16 columns of the 16 channels from c on, in a form with
// rows of K: transposed as they are, [16][taps] rows of 16 columns, they only
// have to be put in their places.
func (t *packTask) gatherTapRows(g *gatherer, dst []byte, j int, src unsafe.Pointer, rowBytes, c int) {
	taps, per := t.w.shape.taps(), g.g.form.perStep()
	stepB := per * g.g.nr * g.es
	var rows [16 * 9 * 16 * 4]byte
	line := 16 * g.es
	if raceEnabled {
		raceRead(src, rowBytes, 16, 16*taps*g.es)
	}
	transpose := g.v.transpose
	if g.es == 2 {
		transpose = g.v.transposeWords
	}
	transpose(unsafe.Pointer(&rows[0]), line, 16*line, src, rowBytes, taps)
	for tap := range taps {
		step := dst[(c/per*taps+tap)*stepB:]
		for k := range 16 {
			to, from := step[(k*g.g.nr+j)*g.es:], rows[(k*taps+tap)*line:]
			if g.es == 2 { // arrays are copied without a call
				*(*[32]byte)(to) = *(*[32]byte)(from)
			} else {
				*(*[64]byte)(to) = *(*[64]byte)(from)
			}
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
