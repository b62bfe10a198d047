package kernels

import "unsafe"

// A gemm may have a loop of its own for attention, which computes the scores,
// the softmax and the weighted values of different queries at the same time. It
// works on units of fusedRows queries and keyBlock keys, for heads of 33 to 64
// channels. Units follow each other in the order
//
//	keys 0: queries 0, 1, 2, ...; keys 1: queries 0, 1, 2, ...; ...
//
// and stage s computes the scores of unit s, the softmax of unit s-1 and the
// weighted values of unit s-2. At the two ends, where there is no such unit, it
// works on memory that nobody reads, so that no stage is special.
//
// The softmax of a unit rescales its queries' output in place, so the previous
// unit of these queries must be finished: it takes at least two units of
// queries.
//
// What this is worth, in GFLOP per CPU second on 9216 tokens of 5 heads of 64,
// on a core that others disturbed (see amxLoops): 250 with one part after the
// other, 374 fused, 393 with prefetched keys. With parts of the fused loop left
// out, one at a time: 459 without exponentials, 765 without tile instructions,
// 467 without products but with their loads, 485 with the same keys for all,
// that is, from L1. So the loads of tiles hold it up. In a quiet moment the
// exponentials do, with 13 operations for 16 scores.
const (
	fusedRows = 16
	fusedDim  = 64
	probsLine = keyBlock*2 + stepBytes // bytes between rows of probabilities
)

// An attendStage locates its three units. The assembly knows this layout.
type attendStage struct {
	queries, keys, scores              unsafe.Pointer // scores = queries keysᵀ
	from, probs, max, sum, rescale     unsafe.Pointer // probs = softmax of from; 16 partial sums per row
	probsBefore, values, weightedValue unsafe.Pointer // weightedValue += probsBefore values
}

// An attendBlock is a run of stages. The assembly knows this layout.
type attendBlock struct {
	stages *attendStage
	n      int
	lda    uintptr // bytes between queries
	panel  uintptr // bytes between panels of values
	scale  float32
}

// race tells the race detector what a run of stages reads from the caller. The
// rest is memory of the running goroutine.
func (b *attendBlock) race() {
	for _, st := range unsafe.Slice(b.stages, b.n) {
		raceRead(st.queries, int(b.lda), fusedRows, 2*fusedDim)
	}
}

// fusible returns the number of blocks of keys that the gemm's own loop can
// take.
func (t *attentionTask) fusible(rows int) int {
	if t.g.attend == nil || t.causal || rows <= fusedRows || t.kSteps != 2 || t.vPanels != 2 {
		return 0
	}
	return t.lk / keyBlock
}

// fusedFloats is the number of floats that fused needs: two units of scores
// (and a row that is read too early), two of probabilities, and a unit that
// nobody reads.
const fusedFloats = (2*fusedRows+1)*scoreLine + 2*fusedRows*probsLine/4 + fusedRows*(fusedDim+16+1)

// fused computes what attend's loop computes for the first n blocks of keys.
func (t *attentionTask) fused(s *scratch, b *softmaxBlock, o []float32, first, rows, head, image, kh, n int) {
	units := (rows + fusedRows - 1) / fusedRows
	buf := float32s(grow(&s.p, (fusedFloats+units*fusedRows*16)*4))
	next := func(n int) []float32 {
		x := buf[:n]
		buf = buf[n:]
		return x
	}
	scores, probs := next((2*fusedRows+1)*scoreLine), next(2*fusedRows*probsLine/4)
	sums := next(units * fusedRows * 16)
	nowhere := next(fusedRows * (fusedDim + 16 + 1))
	clear(sums)
	at := func(x []float32, i int) unsafe.Pointer { return unsafe.Pointer(&x[i]) }
	q := t.q.Op.ptr(0, image*t.lq+first, t.q.Col+head*t.dim)
	keys, values := unsafe.Pointer(&t.keys[kh*t.keyHeadBytes]), unsafe.Pointer(&t.values[kh*t.valueBytes])
	last := n*units - 1
	s.stages = resize(s.stages, n*units+2)
	for i := range s.stages {
		u, x, w := min(i, last), i-1, i-2
		st := &s.stages[i]
		*st = attendStage{
			queries: unsafe.Add(q, u%units*fusedRows*t.q.Op.pitch),
			keys:    unsafe.Add(keys, u/units*keyBlock/t.g.nr*t.kSteps*t.stepB),
			scores:  at(scores, i%2*fusedRows*scoreLine),
			from:    at(scores, (i+1)%2*fusedRows*scoreLine),
			probs:   at(probs, (i+1)%2*fusedRows*probsLine/4),
			max:     at(nowhere, 0), sum: at(nowhere, fusedRows), rescale: at(nowhere, fusedRows*17),
			probsBefore:   at(probs, i%2*fusedRows*probsLine/4),
			values:        values,
			weightedValue: at(nowhere, fusedRows*17),
		}
		if 0 <= x && x <= last {
			row := x % units * fusedRows
			st.max, st.sum, st.rescale = unsafe.Add(unsafe.Pointer(b.max), 4*row), at(sums, 16*row), at(o, fusedDim*row)
		}
		if w >= 0 {
			st.values = unsafe.Add(values, w/units*keyBlock/t.g.form.perStep()*t.stepB)
			st.weightedValue = at(o, w%units*fusedRows*fusedDim)
		}
	}
	s.attend = attendBlock{&s.stages[0], len(s.stages), uintptr(t.q.Op.pitch), uintptr(t.vSteps * t.stepB), b.scale}
	if raceEnabled {
		s.attend.race()
	}
	t.g.attend(&s.attend)
	l := unsafe.Slice(b.sum, rows)
	for r := range l {
		for _, x := range sums[16*r : 16*r+16] {
			l[r] += x
		}
	}
}
