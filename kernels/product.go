package kernels

import "unsafe"

// An Activation is a function of one element of a result.
type Activation uint8

const (
	Identity  Activation = iota
	SiLU                 // x * sigmoid(x)
	GELU                 // x * Phi(x), by erf, not its approximation by tanh
	QuickGELU            // x * sigmoid(1.702 x)
	ReLU                 // max(x, 0)
)

// An Epilogue is what happens to a product before it is stored:
// result = Act(a*w + Bias) + Residual.
type Epilogue struct {
	// Bias is [Out], or [N,Out] for one bias per picture, or nil for none.
	// With GEGLU weights it is [Shape.Out]: the biases of the values, followed
	// by those of the gates.
	Bias []float32

	// Act must be Identity with GEGLU weights, which bring their own.
	Act Activation

	// Residual is [rows, Out], or nil for none. It may be dst itself.
	Residual []float32
}

// MatMul multiplies the rows of a by w: dst [N*H*W, Out].
func MatMul(dst []float32, a *Operand, w *Packed, e Epilogue) {
	t := productTasks.get()
	t.linear(a, w, e)
	t.dst = dst
	t.run(active().vec)
}

// MatMulOperand is like [MatMul] but writes the operand of the next product,
// which must have as many rows and Out channels.
func MatMulOperand(dst, a *Operand, w *Packed, e Epilogue) {
	t := productTasks.get()
	t.linear(a, w, e)
	t.op = dst
	t.run(active().vec)
}

// Conv2D convolves a, which has Pad 1, with 3x3 weights:
// dst [N, H/stride, W/stride, Out], with sizes rounded up for origin 0 and down
// for origin 1.
//
// With origin 0 the window of output (0,0) is centered on input (0,0): padding
// 1 on every side. With origin 1, which needs stride 2, the window begins
// there: padding on the right and at the bottom only, as in the VAE's encoder.
func Conv2D(dst []float32, a *Operand, w *Packed, stride, origin int, e Epilogue) {
	t := productTasks.get()
	t.conv(a, w, stride, origin, e)
	t.dst = dst
	t.run(active().vec)
}

// A productTask is one product, cut into pieces: some strips of row tiles times a
// group of panels. The cut depends on shapes alone, and no piece splits K, so
// the result does not depend on the number of goroutines that share the work.
type productTask struct {
	v      *vec
	a      *Operand
	w      *Packed
	e      Epilogue
	dst    []float32
	op     *Operand // destination in place of dst
	up     bool     // write every second pixel of dst, starting at (py,px)
	py, px int
	phases []*Packed // of [ConvUp2D] in one task, by Winograd's form; w is the first

	// Rows of C are positions. If A has a border, these are all lines from
	// the first output pixel to the last, including those between the rows
	// of the picture, which are not pixels (see Operand).
	firstLine      int // of A, under the window of position 0
	pitch          int // positions per row of the picture
	outH, outW     int // the picture
	runs, runLines int // runs of positions, and the lines of A between them
	positions      int // in one run
	stride         int
	parts          int    // of K
	steps          []step // of all parts, equally many for each step of K

	strip         int  // rows of C that are multiplied at a time, in whole tiles
	byRow         bool // a unit is a row of outputs and not a strip
	chunk, chunks int  // units per piece; pieces along the rows of one run
	group, groups int  // panels per piece; pieces along the columns
}

// A part is a range of K steps.
type part struct{ from, to int }

var productTasks freeList[productTask]

func (t *productTask) linear(a *Operand, w *Packed, e Epilogue) {
	if a.Pad != 0 || w.shape.KH != 1 {
		panic("kernels: MatMul needs an operand without a border and 1x1 weights")
	}
	t.a, t.w, t.e = a, w, e
	t.runs, t.positions, t.stride = 1, a.rows(), 1
	t.outH, t.outW, t.pitch = 1, a.H*a.W, a.H*a.W
	t.setSteps(w)
}

func (t *productTask) conv(a *Operand, w *Packed, stride, origin int, e Epilogue) {
	taps := 3
	if t.up {
		taps = 2 // of one phase; see PackUp
	}
	if a.Pad != 1 || w.shape.KH != taps || stride < 1 || stride > 2 || origin < 0 || origin > 1 {
		panic("kernels: Conv2D needs an operand with a border, 3x3 weights, stride 1 or 2, origin 0 or 1")
	}
	t.a, t.w, t.e, t.stride = a, w, e, stride
	t.outH, t.outW = a.H/stride, a.W/stride
	if origin == 0 {
		t.outH, t.outW = (a.H+stride-1)/stride, (a.W+stride-1)/stride
	}
	if t.outH == 0 || t.outW == 0 {
		panic("kernels: Conv2D picture is too small")
	}
	if origin == 1 && stride == 1 {
		panic("kernels: Conv2D with origin 1 needs stride 2")
	}
	t.pitch = a.W + 1
	t.firstLine = (a.W+2)*origin + t.py*t.pitch + t.px
	if stride == 1 {
		// One run over all pictures: the zero row between two of them is
		// skipped like the zero pixel between two rows.
		t.runs = 1
		t.positions = (a.N-1)*(a.H+1)*t.pitch + (t.outH-1)*t.pitch + t.outW
	} else {
		t.runs, t.runLines = a.N, (a.H+1)*(a.W+1)
		t.positions = (t.outH-1)*t.pitch + t.outW
	}
	if w.taps != nil {
		w = w.taps
	}
	t.setSteps(w)
}

// setSteps cuts K into parts and fills the table of their steps: those of
// [Packed] in their order, in each part once for the small pairs of planes and once
// for the two largest planes. The small pairs of a step follow each other, and find
// each other's lines in L1.
func (t *productTask) setSteps(w *Packed) {
	a, g := t.a, w.g
	if a.C != w.shape.In || a.form != g.form {
		panic("kernels: operand and weights do not fit each other")
	}
	size := g.partSteps(w.shape.taps())
	t.parts = (w.steps + size - 1) / size
	t.steps = t.steps[:0]
	pairs, n := products(a.form.planes, w.weights().planes)
	for i := range t.parts {
		p := w.part(i, t.parts)
		t.addSteps(w, p, pairs[:n-1])
		t.addSteps(w, p, pairs[n-1:n])
	}
}

// addSteps adds the steps of a part of K for some pairs of planes.
func (t *productTask) addSteps(w *Packed, p part, pairs [][2]int) {
	a, taps := t.a, w.shape.taps()
	stepB := stepBytes * w.g.nr
	for k := p.from; k < p.to; k++ {
		c, tap := k/taps, k%taps
		line := tap/w.shape.KW*(a.W+1) + tap%w.shape.KW
		for _, pair := range pairs {
			t.steps = append(t.steps, step{
				pair[0]*a.planeBytes() + line*a.pitch + c*stepBytes,
				(pair[1]*(p.to-p.from) + k - p.from) * stepB,
			})
		}
	}
}

// Blocking. A piece keeps its rows of A in half of a 2 MiB L2 cache while the
// panels of B pass by. The results of a strip stay there, too, until all panels
// of the piece are done: then a few rows at a time are stored, as wide as the
// panels together, since memory takes rows of 128 bytes at a quarter of its speed.
//
// A long K is cut into parts, whose sums are added in order. All panels of a piece
// take a part before the next one begins: a strip of 320 rows of 5,120 bfloat16 has
// 3.3 MB, and came from beyond L2 for every panel. Tiles multiply faster than that
// memory delivers, so the parts of their gemms are short: 8 steps of channels of a
// linear layer (5120 to 1280 on AMX: 3006 GFLOP/s; 12 steps 2687, all at once 2100),
// 16 of split operands (ViT-L/14, exact: 0.74 s; 8, 12 and 24 steps 0.78, 0.75, 0.75
// s, all at once 0.91), and 20 of a convolution, whose lines nine taps share (8 and
// 12 steps 1.10 and 1.06 times the time, 40 the same). Elsewhere nothing is gained
// by parts shorter than stripBytes of a panel, which stay in L2 for all tiles of a
// strip.
//
// Prefetching the next panel (PREFETCHT1) made no difference: the products of
// an evaluation took 6.80 and 6.55 s of processor time with it and 6.48 and
// 6.82 s without. Nor did encoding a panel once for all strips of a piece, not for
// each: linear layers on AVX-512 4.31 and 4.15 s, as it is 4.17 and 4.36 s.
const (
	chunkBytes = 1 << 19
	stripTiles = 10
	stripBytes = 192 << 10
	finishRows = 32
)

// partSteps returns the number of K steps of a part, at most.
func (g *gemm) partSteps(taps int) int {
	switch {
	case g.linearPart == 0:
		return stripBytes / (stepBytes * g.nr)
	case taps == 1:
		return g.linearPart
	}
	return g.convPart * taps
}

func (t *productTask) cut() {
	g := t.w.g
	// Along the rows the unit is a strip or, at stride 2, a row of outputs, since a
	// run has the odd rows of the picture, too, which no output needs. Narrow rows
	// that fill less than half of a tile stay in runs.
	tiles := func(n int) int { return (n + g.mr - 1) / g.mr }
	row := t.positions
	t.byRow = t.stride == 2 && t.outH*tiles(t.outW) < tiles(t.positions)
	if t.byRow {
		row = t.outW
	}
	strips := (tiles(row) + stripTiles - 1) / stripTiles
	t.strip = (tiles(row) + strips - 1) / strips * g.mr
	units, unitBytes := strips, t.strip
	if t.byRow {
		units, unitBytes = t.outH, t.pitch
	}
	unitBytes *= t.a.form.planes * t.a.pitch * t.stride
	t.chunk = max(1, chunkBytes/unitBytes)
	t.chunks = (units + t.chunk - 1) / t.chunk
	t.chunk = (units + t.chunks - 1) / t.chunks
	t.chunks = (units + t.chunk - 1) / t.chunk
	// At least 16 pieces if there are enough panels, so that the goroutines
	// finish together.
	t.group = max(1, t.w.panels*t.chunks*t.runs/16)
	t.group = min(t.group, 8, t.w.panels)
	t.groups = (t.w.panels + t.group - 1) / t.group
	t.group = (t.w.panels + t.groups - 1) / t.groups
}

func (t *productTask) run(v *vec) {
	defer t.release()
	t.v = v
	out := t.w.Out()
	rows := t.outRows()
	if t.op == nil && len(t.dst) != rows*out || t.op != nil && (t.op.rows() != rows || t.op.C != out || t.op.Pad != 0) {
		panic("kernels: destination of a product has the wrong size")
	}
	if t.e.Residual != nil && len(t.e.Residual) != rows*out || t.op != nil && t.e.Residual != nil {
		panic("kernels: residual of a product has the wrong size")
	}
	if n := len(t.e.Bias); t.e.Bias != nil && n != t.w.shape.Out && (n != out*t.a.N || t.w.shape.GEGLU) {
		panic("kernels: bias of a product has the wrong size")
	}
	if t.w.shape.GEGLU && (t.e.Act != Identity || t.e.Residual != nil) {
		panic("kernels: GEGLU allows neither an activation nor a residual")
	}
	f, loop := t.winograd()
	switch {
	case t.w.taps != nil:
		t.runFew()
	case f != nil:
		t.runWinograd(f, loop)
	default:
		t.cut()
		parallel(t.runs*t.chunks*t.groups, t)
	}
}

// release returns t to the free list, with nothing but its memory.
func (t *productTask) release() {
	*t = productTask{steps: t.steps}
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
	s := scratches.get()
	defer s.release()
	size := t.strip * g.nr
	sums := float32s(grow(&s.c, (t.group+1)*size*4))
	c, part := sums[:t.group*size], sums[t.group*size:]
	// The positions are rows of n, pitch apart.
	begin := first * t.strip
	rows, n := 1, min(t.chunk*t.strip, t.positions-begin)
	if t.byRow {
		begin = first * t.pitch
		rows, n = min(t.chunk, t.outH-first), t.outW
	}
	panel := i % t.groups * t.group
	panels := min(t.group, t.w.panels-panel)
	st := &s.strip
	*st = strip{lda: uintptr(t.a.pitch * t.stride), ldc: uintptr(g.nr * 4), panels: 1}
	for y := range rows {
		for x := 0; x < n; x += t.strip {
			pos, m := begin+y*t.pitch+x, min(t.strip, n-x)
			st.a = t.a.ptr(0, t.firstLine+image*t.runLines+pos*t.stride, 0)
			st.tiles = (m + g.mr - 1) / g.mr
			t.product(s, t.w, panel, panels, c, size, part)
			t.finishPanels(c, size, image, pos, m, panel, panels)
		}
	}
}

// product multiplies a strip by some panels, one part of K after the other: panel
// p's sums are at c[p*size:].
func (t *productTask) product(s *scratch, w *Packed, panel, panels int, c []float32, size int, part []float32) {
	st, n := &s.strip, len(t.steps)/w.steps
	for i := range t.parts {
		k := w.part(i, t.parts)
		st.steps, st.n = &t.steps[k.from*n], (k.to-k.from)*n
		for p := range panels {
			st.b = w.panel(panel+p, k, s)
			t.sum(&s.runner, st, c[p*size:], part, i > 0)
		}
	}
}

// sum runs a strip of one panel into c. If add is set, it is added to c, by way of
// part if the gemm does not add.
func (t *productTask) sum(r *runner, st *strip, c, part []float32, add bool) {
	g := t.w.g
	if st.add = add && g.adds; st.add || !add {
		st.c = unsafe.Pointer(&c[0])
		r.run(g, st)
		return
	}
	st.c = unsafe.Pointer(&part[0])
	r.run(g, st)
	t.v.finish(&c[0], g.nr, &part[0], g.nr, st.tiles*g.mr, g.nr, nil, &c[0], g.nr)
}
