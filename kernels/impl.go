package kernels

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"
)

// Precision says how much of a float32 the operands of a product keep.
type Precision uint8

const (
	// Exact products are as accurate as float32 arithmetic. An
	// implementation whose multiplier takes only bfloat16 splits each
	// operand into several and adds the products, smallest first.
	Exact Precision = iota
	// Fast products may round their operands to bfloat16; sums stay float32.
	Fast
)

func (p Precision) String() string {
	if p == Fast {
		return "fast"
	}
	return "exact"
}

// A form is the way in which an operand's elements lie in memory.
type form uint8

const (
	formF32    form = iota // float32
	formBF16               // bfloat16, rounded to nearest even
	formBF16x3             // three planes of bfloat16 whose sum has float32's 24 bits
)

// stepBytes is how much of every row of A one K step consumes: a cache line,
// 16 float32 or 32 bfloat16.
const stepBytes = 64

func (f form) elemSize() int {
	if f == formF32 {
		return 4
	}
	return 2
}

// perStep is the number of K elements in one step.
func (f form) perStep() int { return stepBytes / f.elemSize() }

func (f form) planes() int {
	if f == formBF16x3 {
		return 3
	}
	return 1
}

// A step locates the operands of one K step: byte offsets from the tile's
// first row of A and from the start of the panel of B. With a table of steps
// one loop serves linear layers (consecutive lines), convolutions (shifted
// lines, no im2col) and split operands (planes).
type step struct{ a, b int }

// A strip is some panels of B against a run of row tiles of A.
// The assembly knows this layout.
type strip struct {
	a     unsafe.Pointer // first row of A
	lda   uintptr        // bytes from a row of A to the next
	b     unsafe.Pointer // panel of B: steps of [64/size][nr] in the gemm's order
	steps *step
	n     int            // number of steps, at least 1
	c     unsafe.Pointer // float32 [tiles*mr][nr], overwritten
	ldc   uintptr        // bytes from a row of C to the next
	tiles int            // number of row tiles, at least 1

	panels       int     // number of panels, at least 1
	bNext, cNext uintptr // bytes from a panel of B, and of C, to the next
}

// A gemm is one way to multiply: a tile shape, the form and order in which it
// wants its operands, and the loop that consumes them. They are one value
// because they are only right together.
type gemm struct {
	form   form
	mr, nr int
	vnni   bool                 // B in pairs of K (bfloat16 dot products), else in rows of K
	loops  []func(s *strip)     // they compute the same bits; see runner
	single bool                 // the loops take one panel at a time
	attend func(b *attendBlock) // runs fused stages of attention; may be nil

	peak     func(n int) // n rounds of its multiplications on registers alone
	peakFLOP int         // of one round
}

// A runner runs strips with the faster of a gemm's loops. Which one that is
// depends on what else the core is doing, and changes within seconds: every
// now and then a few strips are timed. A runner belongs to a goroutine's
// scratch; it is about speed alone.
type runner struct {
	strips int
	best   int
	times  [2]float64 // of each loop in this trial, for one step of one tile
}

// A trial times the loops in turn, trialRounds times, and judges each by its
// shortest time: one timer interrupt must not choose the wrong loop. From one
// trial to the next pass retryStrips, so that a wrong loop that takes four times
// as long costs 3 %.
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

// run runs a strip with one of the loops, panel by panel if it must be.
func (g *gemm) run(loop int, s *strip) {
	if !g.single {
		g.loops[loop](s)
		return
	}
	// No pointer may ever stand behind its memory: the strip lies where the
	// garbage collector looks.
	b, c := s.b, s.c
	for p := range uintptr(s.panels) {
		s.b, s.c = unsafe.Add(b, p*s.bNext), unsafe.Add(c, p*s.cNext)
		g.loops[loop](s)
	}
	s.b, s.c = b, c
}

// An impl is everything that one instruction set does.
type impl struct {
	name        string // "generic", "avx2", "avx512", "amx", "neon"
	available   func() bool
	fast, exact *gemm
	vec         *vec
}

func (im *impl) gemm(p Precision) *gemm {
	if p == Fast {
		return im.fast
	}
	return im.exact
}

// impls returns every implementation in the binary, best first.
// The last one is generic, which every machine has.
func impls() []*impl { return append(archImpls(), genericImpl) }

// EnvVar names the environment variable that forces an implementation, for
// tests and bug reports.
const EnvVar = "COCLICO_KERNELS"

// choose returns the implementation that name asks for, or the best available.
func choose(name string) (*impl, error) {
	var best *impl
	for _, im := range impls() {
		ok := im.available()
		if name == im.name {
			if !ok {
				return nil, fmt.Errorf("%s=%s: this machine does not have it", EnvVar, name)
			}
			return im, nil
		}
		if ok && best == nil {
			best = im
		}
	}
	if name != "" {
		return nil, fmt.Errorf("%s=%s: no such implementation; this binary has %v", EnvVar, name, Names())
	}
	return best, nil
}

// current is the implementation in use, chosen at first use.
var current atomic.Pointer[impl]

// active returns the implementation in use. A bad [EnvVar] panics here;
// programs call [Check] first.
func active() *impl {
	if im := current.Load(); im != nil {
		return im
	}
	im, err := choose(os.Getenv(EnvVar))
	if err != nil {
		panic(err.Error())
	}
	current.CompareAndSwap(nil, im)
	return current.Load()
}

// Check reports whether [EnvVar] names an implementation that can run here.
func Check() error {
	_, err := choose(os.Getenv(EnvVar))
	return err
}

// Peak returns the rate of one core in GFLOP/s at the active implementation's
// multiplications with nothing to load or store, the best of runs in about d;
// 0 for an implementation that has no such loop.
func Peak(p Precision, d time.Duration) float64 {
	g := active().gemm(p)
	if g.peak == nil {
		return 0
	}
	const rounds = 1000
	best := 0.0
	for end := time.Now().Add(d); time.Now().Before(end); {
		start := time.Now()
		g.peak(rounds)
		best = max(best, float64(rounds*g.peakFLOP)/float64(time.Since(start).Nanoseconds()))
	}
	return best
}

// Active returns the name of the implementation in use.
func Active() string { return active().name }

// Names returns the implementations in this binary, best first, whether or
// not this machine can run them.
func Names() []string {
	var names []string
	for _, im := range impls() {
		names = append(names, im.name)
	}
	return names
}

// Available reports whether this machine can run the implementation of that name.
func Available(name string) bool {
	for _, im := range impls() {
		if im.name == name {
			return im.available()
		}
	}
	return false
}
