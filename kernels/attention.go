package kernels

import (
	"math"
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

// A View is heads*dim columns of an operand, starting at Col.
type View struct {
	Op  *Operand
	Col int
}

// Attention computes softmax(q kᵀ scale) v for every picture and head. Head h
// of q, k and v is the dim columns from Col+h*dim on; tokens are the H*W pixels
// of a picture. dst [N,H,W,heads*dim] has as many tokens as q, and v as many
// as k. A single picture of k and v may serve all of q's. If causal is set, a
// token does not see later ones. The scale must be above 0.
//
// What a picture's queries see does not depend on the pictures beside it as long as
// those are finite: where dim is no whole number of steps, the last head's last step
// takes numbers of the next token, times zeros, and a NaN stays one.
//
// This is the online softmax of Milakov and Gimelshein (arXiv:1805.02867) in
// the blocks of FlashAttention (arXiv:2205.14135): for a block of queries, keys
// pass by in blocks, and a block's scores S never leave the L2 cache. With the
// running maximum m, sum l and result O,
//
//	m' = max(m, max S);  P = exp(S-m');  l' = l exp(m-m') + ΣP;  O' = O exp(m-m') + P V
//
// and in the end O/l. Both products run in the implementation's gemm. Keys are
// packed once, as weights (B[k=dim][n=key]), and so are values
// (B[k=key][n=dim]).
func Attention(dst *Operand, q, k, v View, heads, dim int, scale float32, causal bool) {
	im := active()
	t := attentionTasks.get()
	defer t.release()
	t.v, t.g, t.dst, t.q, t.k, t.val = im.vec, im.gemms[Exact], dst, q, k, v
	t.heads, t.dim, t.scale, t.causal = heads, dim, scale, causal
	for _, g := range im.gemms {
		if g.form == q.Op.form {
			t.g = g
		}
	}
	t.check()
	t.plan()
	t.phase = phasePack
	parallel(k.Op.N*heads*t.packPieces, t)
	t.phase = phaseAttend
	parallel(q.Op.N*heads*t.qBlocks, t)
}

// release returns t to the free list with its tables and buffers, but without
// the operands.
func (t *attentionTask) release() {
	t.dst, t.q, t.k, t.val = nil, View{}, View{}, View{}
	limit(&t.keys, maxKept)
	limit(&t.values, maxKept)
	attentionTasks.keep(t)
}

// maxKept is the size of the largest buffer of packed keys or values that is
// kept for the next call: more than 9216 tokens of 5 heads take in the widest
// form. At 4096 pixels a buffer would be a gigabyte, for the life of the
// process.
const maxKept = 128 << 20

const (
	phasePack = iota
	phaseAttend
)

// Block sizes: enough queries to use a block of keys and values often once it
// is in L2, and few enough keys that scores and probabilities fit there as
// well.
const (
	queryRows = 128
	keyBlock  = 256 // a multiple of every nr and step

	// scoreLine is the number of floats between rows of scores: one cache line
	// more than the block, or the 16 rows of a tile would fall into two sets of
	// the L1 cache.
	scoreLine = keyBlock + 16
)

type attentionTask struct {
	v                        *vec
	g                        *gemm
	dst                      *Operand
	q, k, val                View
	heads, dim               int
	scale                    float32
	causal                   bool
	phase                    int
	lq, lk                   int // tokens per picture
	qRows, qBlocks           int
	kPanels, kSteps          int // panels of keys; K steps of dim
	vPanels, vSteps          int // panels of dim; K steps of keys
	packPieces               int
	planes                   int
	stepB                    int // bytes of one step of a panel
	keys, values             []byte
	fusedTo                  int    // keys before this one are packed for the gemm's own loop
	keyHeadBytes, valueBytes int    // of one head: planes of panels of steps
	kTable, vTable, vTail    []step // vTail is for the last block of keys
	pPitch, pPlane           int    // bytes between rows and between planes of probabilities
}

var attentionTasks freeList[attentionTask]

func (t *attentionTask) check() {
	q, k, v, d := t.q.Op, t.k.Op, t.val.Op, t.dst
	width := t.heads * t.dim
	switch {
	case t.heads <= 0 || t.dim <= 0 || !(t.scale > 0),
		t.q.Col < 0 || t.q.Col+width > q.C, t.k.Col < 0 || t.k.Col+width > k.C, t.val.Col < 0 || t.val.Col+width > v.C,
		q.Pad+k.Pad+v.Pad+d.Pad != 0,
		d.N != q.N, d.H*d.W != q.H*q.W, d.C != width,
		k.N != v.N, k.H*k.W != v.H*v.W, k.N != 1 && k.N != q.N,
		q.form != t.g.form || k.form != q.form || v.form != q.form || d.form != q.form:
		panic("kernels: Attention shape")
	}
}

func (t *attentionTask) plan() {
	g, q := t.g, t.q.Op
	per := g.form.perStep()
	t.lq, t.lk = q.H*q.W, t.k.Op.H*t.k.Op.W
	t.planes = g.form.planes
	t.stepB = stepBytes * g.nr
	t.kPanels, t.kSteps = (t.lk+g.nr-1)/g.nr, (t.dim+per-1)/per
	t.vPanels, t.vSteps = (t.dim+g.nr-1)/g.nr, (t.lk+per-1)/per
	t.fusedTo = t.fusible()
	t.qRows = max(1, queryRows/g.mr) * g.mr
	if t.fusedTo > 0 {
		t.qRows = fusedUnits * fusedRows
	}
	t.qBlocks = (t.lq + t.qRows - 1) / t.qRows
	keyPlane := mem.Size(t.kPanels, t.kSteps, t.stepB)
	valuePlane := mem.Size(t.vPanels, t.vSteps, t.stepB)
	t.keyHeadBytes, t.valueBytes = mem.Size(t.planes, keyPlane), mem.Size(t.planes, valuePlane)
	t.keys = grow(&t.keys, mem.Size(t.k.Op.N, t.heads, t.keyHeadBytes))
	t.values = grow(&t.values, mem.Size(t.k.Op.N, t.heads, t.valueBytes))
	t.packPieces = (t.lk + keyBlock - 1) / keyBlock
	t.pPitch = keyBlock*g.form.size + stepBytes // of float32 that of scores
	t.pPlane = t.qRows * t.pPitch
	t.kTable, t.vTable, t.vTail = t.kTable[:0], t.vTable[:0], t.vTail[:0]
	tail := ((t.lk-t.fusedTo)%keyBlock + per - 1) / per
	pairs, n := products(t.planes, t.planes)
	for _, pair := range pairs[:n] {
		planeA, planeB := pair[0], pair[1]
		for s := range t.kSteps {
			t.kTable = append(t.kTable, step{planeA*q.planeBytes() + s*stepBytes, planeB*keyPlane + s*t.stepB})
		}
		for s := range keyBlock / per {
			st := step{planeA*t.pPlane + s*stepBytes, planeB*valuePlane + s*t.stepB}
			t.vTable = append(t.vTable, st)
			if s < tail {
				t.vTail = append(t.vTail, st)
			}
		}
	}
}

func (t *attentionTask) do(i int) {
	if t.phase == phasePack {
		head := i / t.packPieces
		t.pack(head/t.heads, head%t.heads, i%t.packPieces*keyBlock)
		return
	}
	head := i / t.qBlocks
	t.attend(head/t.heads, head%t.heads, i%t.qBlocks*t.qRows)
}

// pack packs a block of keys and values of one head.
func (t *attentionTask) pack(image, head, first int) {
	g, per := t.g, t.g.form.perStep()
	end := min(first+keyBlock, t.lk)
	h := image*t.heads + head
	for ; first < min(end, t.fusedTo); first += fusedKeys {
		t.packFused(image, head, first)
	}
	n := end - first
	if n == 0 {
		return
	}
	es := g.form.size
	ga := gatherer{v: t.v, g: g, es: es}
	for plane := range t.planes {
		keyPlane := t.keys[h*t.keyHeadBytes+plane*t.keyHeadBytes/t.planes:]
		for p := first / g.nr; p*g.nr < first+n; p++ {
			src := t.k.Op.ptr(plane, image*t.lk+p*g.nr, t.k.Col+head*t.dim)
			ga.panel(keyPlane[p*t.kSteps*t.stepB:], src, t.k.Op.pitch, es, min(g.nr, t.lk-p*g.nr), t.dim)
		}
		valuePlane := t.values[h*t.valueBytes+plane*t.valueBytes/t.planes:]
		for p := range t.vPanels {
			src := t.val.Op.ptr(plane, image*t.lk+first, t.val.Col+head*t.dim+p*g.nr)
			ga.panel(valuePlane[(p*t.vSteps+first/per)*t.stepB:], src, es, t.val.Op.pitch, min(g.nr, t.dim-p*g.nr), n)
		}
	}
}

// panel packs n columns of k elements, with element i of column j at
// src + j*strideN + i*strideK. The remaining columns of the panel and the rest
// of its last step become zero.
func (g *gatherer) panel(dst []byte, src unsafe.Pointer, strideN, strideK, n, k int) {
	per := g.g.form.perStep()
	if n < g.g.nr || k%per != 0 {
		clear(dst[:(k+per-1)/per*stepBytes*g.g.nr])
	}
	for j := 0; j < n; j += 16 {
		g.gather(dst, j, unsafe.Add(src, j*strideN), strideN, strideK, min(16, n-j), k)
	}
}

// attend computes one block of queries of one head.
func (t *attentionTask) attend(image, head, first int) {
	g := t.g
	s := scratches.get()
	defer s.release()
	rows := min(t.qRows, t.lq-first)
	width := t.vPanels * g.nr
	buf := float32s(grow(&s.c, t.qRows*(scoreLine+2*width+3)*4))
	next := func(n int) []float32 {
		x := buf[:n]
		buf = buf[n:]
		return x
	}
	scores, o, part := next(t.qRows*scoreLine), next(t.qRows*width), next(t.qRows*width)
	probs := unsafe.Pointer(&scores[0]) // of plain forms in place, which leaves more of the caches to the rest
	if !g.form.plain {
		probs = unsafe.Pointer(&grow(&s.p, t.planes*t.pPlane)[0])
	}
	b := &s.softmax
	*b = softmaxBlock{
		scores: &scores[0], ld: scoreLine * 4, probs: probs, pitch: t.pPitch, rows: rows,
		scale: t.scale * math.Log2E, form: g.form, plane: t.pPlane,
	}
	m, l, factor := next(t.qRows), next(t.qRows), next(t.qRows)
	b.max, b.sum, b.factor = &m[0], &l[0], &factor[0]
	clear(o)
	clear(l)
	for r := range m {
		m[r] = float32(math.Inf(-1))
	}
	kh := image
	if t.k.Op.N == 1 {
		kh = 0
	}
	kh = kh*t.heads + head
	if t.fusedTo > 0 {
		t.fused(s, b, o, first, rows, head, image, kh)
	}
	for key := t.fusedTo; key < t.lk; key += keyBlock {
		if t.causal && key > first+rows-1 {
			break
		}
		n := min(keyBlock, t.lk-key)
		t.scores(s, scores, image*t.lq+first, rows, head, kh, key, n)
		t.hide(scores, first, rows, key, n)
		b.cols = roundUp(n, maxNR)
		t.softmax(b)
		t.weigh(s, part, probs, rows, kh, key, n, width)
		t.v.rescale(&o[0], &part[0], &factor[0], rows, width)
	}
	for r := range rows {
		inv := 1 / l[r]
		row := o[r*width : (r+1)*width]
		for i := range row {
			row[i] *= inv
		}
	}
	t.dst.store(image*t.lq+first, head*t.dim, o, width, rows, t.dim)
}

// hide sets the scores of keys that a row must not see to -Inf: those after the
// last key and, if the attention is causal, later keys than the row. A row sees
// at least the first key of the first block, so its maximum is never -Inf.
func (t *attentionTask) hide(scores []float32, first, rows, key, n int) {
	pad := roundUp(n, maxNR)
	if pad == n && (!t.causal || key+n <= first+1) {
		return
	}
	for r := range rows {
		seen := n
		if t.causal {
			seen = min(n, max(0, first+r+1-key))
		}
		for i := seen; i < pad; i++ {
			scores[r*scoreLine+i] = float32(math.Inf(-1))
		}
	}
}

// softmax turns a block of scores into probabilities.
func (t *attentionTask) softmax(b *softmaxBlock) {
	if t.g.softmax == nil {
		t.v.softmax(b)
		return
	}
	if raceEnabled {
		b.race()
	}
	t.g.softmax(b)
}

// scores computes q kᵀ for a block of queries and the n keys from key on.
func (t *attentionTask) scores(s *scratch, dst []float32, line, rows, head, kh, key, n int) {
	g := t.g
	s.strip = strip{
		a:      t.q.Op.ptr(0, line, t.q.Col+head*t.dim),
		lda:    uintptr(t.q.Op.pitch),
		b:      unsafe.Pointer(&t.keys[kh*t.keyHeadBytes+key/g.nr*t.kSteps*t.stepB]),
		steps:  &t.kTable[0],
		n:      len(t.kTable),
		c:      unsafe.Pointer(&dst[0]),
		ldc:    scoreLine * 4,
		tiles:  (rows + g.mr - 1) / g.mr,
		panels: (n + g.nr - 1) / g.nr,
		bNext:  uintptr(t.kSteps * t.stepB),
		cNext:  uintptr(g.nr * 4),
	}
	s.runner.run(g, &s.strip)
}

// weigh computes probabilities times values for the n keys from key on.
func (t *attentionTask) weigh(s *scratch, dst []float32, probs unsafe.Pointer, rows, kh, key, n, width int) {
	g := t.g
	table := t.vTable
	if n < keyBlock {
		table = t.vTail
	}
	s.strip = strip{
		a:      probs,
		lda:    uintptr(t.pPitch),
		b:      unsafe.Pointer(&t.values[kh*t.valueBytes+key/g.form.perStep()*t.stepB]),
		steps:  &table[0],
		n:      len(table),
		c:      unsafe.Pointer(&dst[0]),
		ldc:    uintptr(width * 4),
		tiles:  (rows + g.mr - 1) / g.mr,
		panels: t.vPanels,
		bNext:  uintptr(t.vSteps * t.stepB),
		cNext:  uintptr(g.nr * 4),
	}
	s.runner.run(g, &s.strip)
}
