package kernels

import (
	"time"
	"unsafe"
)

// stepBytes is how much of every row of A one K step consumes: a cache line,
// which is 16 float32 or 32 bfloat16.
const stepBytes = 64

// A step locates the operands of one K step, by byte offsets from the tile's
// first row of A and from the start of the panel of B. With a table of steps,
// one loop serves linear layers (consecutive lines), convolutions (shifted
// lines, without im2col) and split operands (planes).
type step struct{ a, b int }

// A strip is a product of a run of row tiles of A and some panels of B.
// The assembly knows this layout.
type strip struct {
	a     unsafe.Pointer // first row of A
	lda   uintptr        // bytes between rows of A
	b     unsafe.Pointer // first panel of B: steps of [perStep][nr] in the gemm's order
	steps *step
	n     int            // number of steps, at least 1
	c     unsafe.Pointer // result [tiles*mr][nr], overwritten unless add is set
	ldc   uintptr        // bytes between rows of C
	tiles int            // number of row tiles, at least 1

	panels       int     // number of panels, at least 1
	bNext, cNext uintptr // bytes between panels of B and of C

	add bool // the product is added to C; see gemm.adds
}

// A gemm is one way to multiply: a tile shape, the form and order of its
// operands, and the loops that consume them. They are one value because they
// are only right together.
type gemm struct {
	form   *form
	mr, nr int
	group  int              // consecutive K of a column that lie side by side in B, for bfloat16 dot products; if 0, B holds rows of K
	loops  []func(s *strip) // all compute the same bits; see runner
	adds   bool             // the loops heed strip.add
	single bool             // the loops take one panel at a time

	// finish turns what the loops leave in C, such as integers, into
	// float32, in place: rows of cols elements, ldc bytes apart. It is nil
	// if the loops leave float32.
	finish func(c unsafe.Pointer, ldc uintptr, rows, cols int, f *form)

	// The length of a part of K, in steps of channels, or 0: see partSteps.
	linearPart, convPart int

	softmax func(b *softmaxBlock) // if not nil, replaces vec.softmax
	attend  func(b *attendBlock)  // if not nil, runs fused stages of attention

	peak     func(n int) // runs n rounds of multiplications on registers alone
	peakFLOP int         // floating-point operations in one round
}

// run runs a strip with one of the loops.
func (g *gemm) run(loop int, s *strip) {
	if raceEnabled {
		g.raceStrip(s)
	}
	if g.single {
		g.runPanels(loop, s)
	} else {
		g.loops[loop](s)
	}
	if g.finish == nil {
		return
	}
	for p := range uintptr(s.panels) {
		g.finish(unsafe.Add(s.c, p*s.cNext), s.ldc, s.tiles*g.mr, g.nr, g.form)
	}
}

// runPanels runs a strip panel by panel.
func (g *gemm) runPanels(loop int, s *strip) {
	// The strip is memory that the garbage collector scans: its pointers must
	// not advance beyond the last panel, past the end of their blocks.
	b, c := s.b, s.c
	for p := range uintptr(s.panels) {
		s.b, s.c = unsafe.Add(b, p*s.bNext), unsafe.Add(c, p*s.cNext)
		g.loops[loop](s)
	}
	s.b, s.c = b, c
}

// raceStrip tells the race detector what a strip reads and writes.
func (g *gemm) raceStrip(s *strip) {
	steps := unsafe.Slice(s.steps, s.n)
	rows := s.tiles * g.mr
	for i, j := 0, 0; i < len(steps); i = j { // runs of adjacent steps
		for j = i + 1; j < len(steps) && steps[j].a == steps[j-1].a+stepBytes; j++ {
		}
		raceRead(unsafe.Add(s.a, steps[i].a), int(s.lda), rows, (j-i)*stepBytes)
	}
	for p := range uintptr(s.panels) {
		for _, st := range steps {
			raceRead(unsafe.Add(s.b, int(p*s.bNext)+st.b), 0, 1, stepBytes*g.nr)
		}
		raceWrite(unsafe.Add(s.c, p*s.cNext), int(s.ldc), rows, 4*g.nr) // and reads it, if s.add
	}
}

// A runner runs strips with the fastest of a gemm's loops. Which one that is
// depends on what else the core is doing and changes within seconds, so the
// runner times a few strips every now and then. A runner belongs to one
// goroutine's scratch. It affects speed alone.
type runner struct {
	strips int
	best   int
	times  [maxLoops]float64 // in this trial, of each loop, per step of one tile
}

// maxLoops bounds the loops of every gemm.
const maxLoops = 2

// A trial times the loops in turn, trialRounds times, and judges each by its
// shortest time, so that a single timer interrupt does not choose the wrong
// loop. A trial takes place once in retryStrips strips, which keeps the cost of
// a loop that takes four times as long at 3 %.
const (
	retryStrips = 256
	trialRounds = 3
)

func (r *runner) run(g *gemm, s *strip) {
	n := len(g.loops)
	trial := r.strips % retryStrips
	r.strips++
	if n == 1 {
		g.run(0, s)
		return
	}
	if trial >= n*trialRounds {
		g.run(r.best, s)
		return
	}
	loop := trial % n
	start := time.Now()
	g.run(loop, s)
	d := float64(time.Since(start)) / float64(s.tiles*s.panels*s.n)
	if trial < n || d < r.times[loop] {
		r.times[loop] = d
	}
	if trial == n*trialRounds-1 {
		r.best = 0
		for i, t := range r.times[:n] {
			if t < r.times[r.best] {
				r.best = i
			}
		}
	}
}
