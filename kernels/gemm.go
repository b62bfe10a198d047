package kernels

import (
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

// Activation is a function applied to every element of a result.
type Activation uint8

const (
	Identity  Activation = iota
	SiLU                 // x * sigmoid(x)
	GELU                 // x * Phi(x), by erf
	QuickGELU            // x * sigmoid(1.702 x)
)

// An Epilogue is what happens to a product before it is stored:
// result = Act(a*w + Bias) + Residual.
type Epilogue struct {
	// Bias is [Out], or [N,Out] for a bias of each picture; nil is none. With
	// GEGLU weights it is [2*columns]: of the values, then of the gates.
	Bias     []float32
	Act      Activation // not with GEGLU weights, which bring their own
	Residual []float32  // [rows, Out]; may be dst itself; nil is none
}

// MatMul multiplies the rows of a by w: dst [N*H*W, Out].
func MatMul(dst []float32, a *Operand, w *Packed, e Epilogue) {
	t := productTasks.get()
	t.linear(a, w, e)
	t.dst = dst
	t.run(active().vec)
}

// MatMulOperand is MatMul into the operand of a next product,
// which has as many rows and Out channels.
func MatMulOperand(dst, a *Operand, w *Packed, e Epilogue) {
	t := productTasks.get()
	t.linear(a, w, e)
	t.op = dst
	t.run(active().vec)
}

// Conv2D convolves a, which has Pad 1, with 3x3 weights:
// dst [N, H/stride, W/stride, Out], sizes rounded up with origin 0 and down
// with origin 1.
//
// With origin 0 the window of output (0,0) is centred on input (0,0), which
// is padding 1 on every side. With origin 1 it begins there: padding right and
// bottom only, as the VAE's encoder has it.
func Conv2D(dst []float32, a *Operand, w *Packed, stride, origin int, e Epilogue) {
	t := productTasks.get()
	t.conv(a, w, stride, origin, e)
	t.dst = dst
	t.run(active().vec)
}

// A PackedUp is 3x3 weights packed for [ConvUp2D].
type PackedUp struct{ phase [4]*Packed }

// Free gives the memory back before the garbage collector would.
func (p *PackedUp) Free() {
	for _, w := range p.phase {
		w.Free()
	}
}

// Bytes returns the memory that the weights occupy.
func (p *PackedUp) Bytes() int {
	n := 0
	for _, w := range p.phase {
		n += w.Bytes()
	}
	return n
}

// PackUp packs 3x3 weights [Out,In,3,3] for [ConvUp2D].
//
// A picture enlarged twice by repetition has only 2x2 different pixels under
// each 3x3 window: for an output at even y the rows are y/2-1, y/2, y/2, at odd
// y they are y/2, y/2, y/2+1, and so for x. Weights that meet the same pixel
// are added beforehand, which leaves four 2x2 convolutions of the small
// picture, one for each parity: 4 products in place of 9, a quarter of the
// operand, and no enlarged copy.
func PackUp(p Precision, s Shape, a Array) *PackedUp {
	if s.KH != 3 || s.KW != 3 || s.GEGLU {
		panic("kernels: PackUp wants 3x3 weights")
	}
	if a.Data != nil && len(a.Data) != s.Out*s.In*9*a.DType.Size() {
		panic("kernels: Pack array does not fit the shape")
	}
	im := active()
	u := new(PackedUp)
	s.KH, s.KW = 2, 2
	sums := mem.Alloc(s.Out * s.In * 4 * 4)
	for i := range u.phase {
		if a.Data != nil {
			parallel(s.Out, &foldTask{v: im.vec, a: a, in: s.In, py: i / 2, px: i % 2, dst: float32s(sums)})
		}
		u.phase[i] = pack(im, im.gemm(p), s, []Array{{DType: F32, Data: sums}})
	}
	mem.Free(sums)
	return u
}

// A foldTask adds up the weights of one output channel for one parity.
type foldTask struct {
	v      *vec
	a      Array
	in     int
	py, px int
	dst    []float32 // [Out,In,2,2]
}

func (t *foldTask) do(i int) {
	s := scratches.get()
	n := t.in * 9
	s.rows = resize(s.rows, n)
	t.v.toF32(s.rows, t.a.Data[i*n*t.a.DType.Size():(i+1)*n*t.a.DType.Size()], t.a.DType)
	d := t.dst[i*t.in*4 : (i+1)*t.in*4]
	for c := range t.in {
		w := s.rows[9*c : 9*c+9 : 9*c+9]
		// Rows of the window that meet the upper and the lower pixel.
		up := [3]float32{w[0], w[1], w[2]}
		down := [3]float32{w[6], w[7], w[8]}
		both := &down
		if t.py == 1 {
			both = &up
		}
		both[0] += w[3]
		both[1] += w[4]
		both[2] += w[5]
		o := d[4*c : 4*c+4 : 4*c+4]
		if t.px == 0 {
			o[0], o[1], o[2], o[3] = up[0], up[1]+up[2], down[0], down[1]+down[2]
		} else {
			o[0], o[1], o[2], o[3] = up[0]+up[1], up[2], down[0]+down[1], down[2]
		}
	}
	s.release()
}

// ConvUp2D enlarges a, which has Pad 1, twice by repetition and convolves it
// with 3x3 weights and padding 1: dst [N, 2H, 2W, Out].
func ConvUp2D(dst []float32, a *Operand, w *PackedUp, e Epilogue) {
	for i, phase := range w.phase {
		t := productTasks.get()
		t.up, t.py, t.px = true, i/2, i%2
		t.conv(a, phase, 1, 0, e)
		t.dst = dst
		t.run(active().vec)
	}
}

// A productTask is one product cut into pieces of a run of row tiles times a
// group of panels. The cut depends on shapes alone, and no piece splits K: the
// result does not depend on how many goroutines share the work.
type productTask struct {
	v      *vec
	a      *Operand
	w      *Packed
	e      Epilogue
	dst    []float32
	op     *Operand // in place of dst
	up     bool     // write every second pixel of dst, from (py,px) on
	py, px int

	// Rows of C are positions: with a border, every line from the first
	// output pixel to the last, of which some are no pixels (see Operand).
	w0, pitch, outH, outW int // first line of A at position 0; positions per row; picture
	images, imageLines    int // runs of positions and the lines of A between them
	stride                int
	positions             int // in one run
	steps                 []step

	chunk, chunks int // row tiles of a piece; pieces along the rows of one run
	group, groups int // panels of a piece; pieces along the columns
}

var productTasks freeList[productTask]

func (t *productTask) linear(a *Operand, w *Packed, e Epilogue) {
	if a.Pad != 0 || w.shape.KH != 1 {
		panic("kernels: MatMul needs an operand without border and 1x1 weights")
	}
	t.a, t.w, t.e = a, w, e
	t.images, t.positions, t.stride = 1, a.rows(), 1
	t.outH, t.outW, t.pitch = 1, a.H*a.W, a.H*a.W
	t.setSteps()
}

func (t *productTask) conv(a *Operand, w *Packed, stride, origin int, e Epilogue) {
	taps := 3
	if t.up {
		taps = 2 // of a phase, see PackUp
	}
	if a.Pad != 1 || w.shape.KH != taps || stride < 1 || stride > 2 || origin < 0 || origin > 1 {
		panic("kernels: Conv2D needs an operand with border, 3x3 weights, stride 1 or 2, origin 0 or 1")
	}
	t.a, t.w, t.e, t.stride = a, w, e, stride
	t.outH, t.outW = a.H/stride, a.W/stride
	if origin == 0 {
		t.outH, t.outW = (a.H+stride-1)/stride, (a.W+stride-1)/stride
	}
	if t.outH == 0 || t.outW == 0 {
		panic("kernels: Conv2D picture too small")
	}
	if origin == 1 && stride == 1 {
		panic("kernels: Conv2D has no origin 1 at stride 1")
	}
	t.pitch = a.W + 1
	t.w0 = (a.W+2)*origin + t.py*t.pitch + t.px
	if stride == 1 {
		// One run over all pictures: the zero row between them is skipped as
		// the zero pixel between rows is.
		t.images = 1
		t.positions = (a.N-1)*(a.H+1)*t.pitch + (t.outH-1)*t.pitch + t.outW
	} else {
		t.images, t.imageLines = a.N, (a.H+1)*(a.W+1)
		t.positions = (t.outH-1)*t.pitch + t.outW
	}
	t.setSteps()
}

// setSteps fills the table of K steps in the order of [Packed], once for each
// pair of planes, smallest products first.
func (t *productTask) setSteps() {
	a, w := t.a, t.w
	if a.C != w.shape.In || a.form != w.g.form {
		panic("kernels: product of operand and weights that do not fit")
	}
	per := w.g.form.perStep()
	panelBytes := w.panelElems() * w.g.form.elemSize()
	t.steps = t.steps[:0]
	for _, pq := range products(w.g.form, w.weightPlanes()) {
		b := pq[1] * panelBytes
		for dy := range w.shape.KH {
			for c := 0; c < a.C; c += per {
				for dx := range w.shape.KW {
					line := dy*(a.W+1) + dx
					t.steps = append(t.steps, step{pq[0]*a.planeBytes() + line*a.pitch + c*a.form.elemSize(), b})
					b += per * w.g.nr * w.g.form.elemSize()
				}
			}
		}
	}
}

// products lists the pairs (plane of A, plane of B) whose sum is the product,
// smallest first. Plane i carries bits 8i to 8i+8, so pair (i,j) is 2^-8(i+j)
// of the whole; pairs below float32's own rounding, 2^-24, are left out.
func products(f form, weightPlanes int) [][2]int {
	if f != formBF16x3 {
		return [][2]int{{0, 0}}
	}
	switch weightPlanes {
	case 1:
		return [][2]int{{2, 0}, {1, 0}, {0, 0}}
	case 2:
		return [][2]int{{2, 0}, {1, 1}, {1, 0}, {0, 1}, {0, 0}}
	}
	return [][2]int{{2, 0}, {1, 1}, {0, 2}, {1, 0}, {0, 1}, {0, 0}}
}

// Blocking. A piece keeps its rows of A in half of a 2 MiB L2 cache while the
// panels of B pass by; a strip's C stays in L1 between product and epilogue.
//
// A long K is cut so that a panel's part, stripBytes at most, is in L2 for all
// tiles of a strip; the parts' sums are added in order.
//
// Asking for the next panel ahead (PREFETCHT1) made no difference: the products
// of an evaluation took 6.80 and 6.55 s of processor time with it and 6.48 and
// 6.82 without.
const (
	chunkBytes = 1 << 19
	stripTiles = 8
	stripBytes = 192 << 10
)

func (t *productTask) cut() {
	g := t.w.g
	tiles := (t.positions + g.mr - 1) / g.mr
	lineBytes := t.a.form.planes() * t.a.pitch * t.stride
	t.chunk = max(stripTiles, chunkBytes/(lineBytes*g.mr)/stripTiles*stripTiles)
	t.chunks = (tiles + t.chunk - 1) / t.chunk
	t.chunk = roundUp((tiles+t.chunks-1)/t.chunks, stripTiles)
	t.chunks = (tiles + t.chunk - 1) / t.chunk
	// At least 16 pieces where there are as many panels, so that goroutines
	// finish together.
	t.group = max(1, t.w.panels*t.chunks*t.images/16)
	t.group = min(t.group, 8, t.w.panels)
	t.groups = (t.w.panels + t.group - 1) / t.group
}

func (t *productTask) run(v *vec) {
	t.v = v
	out := t.w.Out()
	rows := t.outRows()
	if t.op == nil && len(t.dst) != rows*out || t.op != nil && (t.op.rows() != rows || t.op.C != out || t.op.Pad != 0) {
		panic("kernels: product destination has the wrong size")
	}
	if t.e.Residual != nil && len(t.e.Residual) != rows*out || t.op != nil && t.e.Residual != nil {
		panic("kernels: product residual has the wrong size")
	}
	if n := len(t.e.Bias); t.e.Bias != nil && n != t.w.shape.Out && (n != out*t.a.N || t.w.shape.GEGLU) {
		panic("kernels: product bias has the wrong size")
	}
	if t.w.shape.GEGLU && (t.e.Act != Identity || t.e.Residual != nil) {
		panic("kernels: GEGLU takes no other activation and no residual")
	}
	t.cut()
	parallel(t.images*t.chunks*t.groups, t)
	steps := t.steps
	*t = productTask{steps: steps}
	productTasks.keep(t)
}

func (t *productTask) outRows() int {
	if t.a.Pad == 0 {
		return t.a.rows()
	}
	if t.up {
		return t.a.N * t.outH * t.outW * 4
	}
	return t.a.N * t.outH * t.outW
}

func (t *productTask) do(i int) {
	image := i / (t.chunks * t.groups)
	first := i / t.groups % t.chunks * t.chunk
	g := t.w.g
	tiles := min(t.chunk, (t.positions+g.mr-1)/g.mr-first)
	s := scratches.get()
	size := stripTiles * g.mr * g.nr
	mem := float32s(grow(&s.c, 2*size*4))
	c, part := mem[:size], mem[size:]
	st := &s.strip
	*st = strip{lda: uintptr(t.a.pitch * t.stride), ldc: uintptr(g.nr * 4), panels: 1}
	for p := i % t.groups * t.group; p < min((i%t.groups+1)*t.group, t.w.panels); p++ {
		st.b = t.w.panel(t.v, p, s)
		for n := 0; n < tiles; n += stripTiles {
			pos := (first + n) * g.mr
			st.a = t.a.ptr(t.w0+image*t.imageLines+pos*t.stride, 0)
			st.tiles = min(stripTiles, tiles-n)
			t.product(&s.runner, st, c, part)
			t.finish(c, image, pos, min(st.tiles*g.mr, t.positions-pos), p)
		}
	}
	s.release()
}

// product runs a strip into c, K part by part.
func (t *productTask) product(r *runner, st *strip, c, part []float32) {
	g := t.w.g
	parts := (len(t.steps)*stepBytes*g.nr + stripBytes - 1) / stripBytes
	for i := range parts {
		from, to := i*len(t.steps)/parts, (i+1)*len(t.steps)/parts
		st.steps, st.n = &t.steps[from], to-from
		if i == 0 {
			st.c = unsafe.Pointer(&c[0])
			r.run(g, st)
			continue
		}
		st.c = unsafe.Pointer(&part[0])
		r.run(g, st)
		t.v.finish(&c[0], g.nr, &part[0], g.nr, st.tiles*g.mr, g.nr, nil, &c[0], g.nr)
	}
}
