package kernels

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/coclico/coclico/kernels/mem"
)

// TestParallel checks that every piece runs exactly once, also in nested calls.
func TestParallel(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(procs)
		for _, n := range []int{0, 1, 2, 5, 100} {
			count := make([]atomic.Int32, n*3)
			Parallel(n, func(i int) {
				Parallel(3, func(j int) { count[3*i+j].Add(1) })
			})
			for i := range count {
				if c := count[i].Load(); c != 1 {
					t.Fatalf("GOMAXPROCS=%d: piece %d of %d ran %d times", procs, i, 3*n, c)
				}
			}
		}
	}
}

// TestParallelPanics: a panic of a piece is the caller's, once the others are done.
func TestParallelPanics(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(procs)
		for round := range 50 {
			var running atomic.Int32
			func() {
				defer func() {
					if v := recover(); v != round || running.Load() != 0 {
						t.Errorf("GOMAXPROCS=%d: panic %v while %d pieces ran, want %d", procs, v, running.Load(), round)
					}
				}()
				Parallel(20, func(i int) {
					if i == 7 {
						panic(round)
					}
					running.Add(1)
					runtime.Gosched()
					running.Add(-1)
				})
			}()
		}
		n := atomic.Int32{}
		Parallel(20, func(int) { n.Add(1) })
		if n.Load() != 20 {
			t.Errorf("GOMAXPROCS=%d: %d pieces of 20 ran after a panic", procs, n.Load())
		}
	}
}

// TestPeaks runs each implementation's loop of multiplications alone.
func TestPeaks(t *testing.T) {
	for _, m := range machines() {
		for _, g := range m.gemms {
			if g.peak == nil {
				continue
			}
			if g.peak(3); g.peakFLOP <= 0 {
				t.Errorf("%s, %s: %d operations a round", m.name, g.form.name, g.peakFLOP)
			}
		}
	}
}

// TestDeterminism checks that results do not depend on the number of goroutines
// that share the work, nor on their timing.
func TestDeterminism(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		if !slices.Contains(impls(), im) {
			t.Skip("slow, and split like the others")
		}
		r := rand.New(rand.NewPCG(21, 22))
		const n, h, w, c, out = 2, 15, 14, 40, 70
		x := randoms(r, n*h*w*c)
		conv, _ := array(randoms(r, out*c*9), F16)
		qkv, _ := array(randoms(r, 3*out*out), F16)
		weights := Pack(p, Shape{Out: out, In: c, KH: 3, KW: 3}, conv)
		project := Pack(p, Shape{Out: 3 * out, In: out, KH: 1, KW: 1}, qkv)
		run := func() []float32 {
			a := newOperand(p, n, h, w, c, 1)
			GroupNorm(a, x, x[:c], x[c:2*c], 4, 1e-5, true)
			y := make([]float32, n*h*w*out)
			Conv2D(y, a, weights, 1, 0, Epilogue{})
			b := newOperand(p, n, 1, h*w, out, 0)
			LayerNorm(b, y, y[:out], y[out:2*out], 1e-5)
			all := newOperand(p, n, 1, h*w, 3*out, 0)
			MatMulOperand(all, b, project, Epilogue{})
			Attention(b, View{all, 0}, View{all, out}, View{all, 2 * out}, 7, 10, 0.3, false)
			b.Float32s(y)
			return y
		}
		runtime.GOMAXPROCS(1)
		want := run()
		for _, procs := range []int{1, 2, 7} {
			runtime.GOMAXPROCS(procs)
			for i, v := range run() {
				if v != want[i] {
					t.Fatalf("GOMAXPROCS=%d: element %d is %v, want %v", procs, i, v, want[i])
				}
			}
		}
	})
}

// TestScratchesForget checks that what kernels keep for the next call does not
// keep the memory of their last caller alive.
func TestScratchesForget(t *testing.T) {
	eachImpl(t, func(t *testing.T, _ *impl, p Precision) {
		const rows, width = 300, 64
		r := rand.New(rand.NewPCG(23, 24))
		x, w := randoms(r, rows*width), randoms(r, width*width)
		arr, _ := array(w, F16)
		a, dst := newOperand(p, 1, 1, rows, width, 0), newOperand(p, 1, 1, rows, width, 0)
		a.Fill(x)
		MatMul(x, a, Pack(p, Shape{Out: width, In: width, KH: 1, KW: 1}, arr), Epilogue{})
		Attention(dst, View{a, 0}, View{a, 0}, View{a, 0}, 1, width, 0.1, false)
		scratches.mu.Lock()
		defer scratches.mu.Unlock()
		for _, s := range scratches.free {
			used := func(s attendStage) bool { return s != attendStage{} }
			if s.strip != (strip{}) || s.attend != (attendBlock{}) || s.softmax != (softmaxBlock{}) ||
				slices.ContainsFunc(s.stages[:cap(s.stages)], used) {
				t.Fatal("an idle scratch points into the memory of its last caller")
			}
		}
	})
}

// TestPanicsLoseNothing: after a panic that a caller survives, memory that the
// garbage collector does not see is where it was, or is freed.
func TestPanicsLoseNothing(t *testing.T) {
	survived := func(f func()) (panicked bool) {
		defer func() { panicked = recover() != nil }()
		f()
		return
	}
	if strconv.IntSize == 64 { // a 32-bit system may have so much memory
		b := mem.Alloc(mem.HugePage)
		if !survived(func() { grow(&b, math.MaxInt-2*mem.HugePage) }) || b != nil {
			t.Errorf("%d bytes are left of a buffer that was freed", len(b))
		}
	}
	idle := func() int {
		scratches.mu.Lock()
		defer scratches.mu.Unlock()
		return len(scratches.free)
	}
	scratches.keep(new(scratch))
	before := idle()
	noWeights := &foldTask{v: active().vec, in: 1, a: Array{DType: F32}}
	if !survived(func() { noWeights.do(0) }) || idle() != before {
		t.Errorf("%d scratches are idle, %d before a panic", idle(), before)
	}
	tasks := len(attentionTasks.free)
	if !survived(func() {
		Attention(new(Operand), View{new(Operand), 0}, View{new(Operand), 0}, View{new(Operand), 0}, 0, 0, 1, false)
	}) ||
		len(attentionTasks.free) < max(tasks, 1) {
		t.Errorf("%d tasks of attention are idle, %d before a panic", len(attentionTasks.free), tasks)
	}
}
