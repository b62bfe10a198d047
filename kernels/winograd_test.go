package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"unsafe"
)

// winogradImpls runs f for every implementation with transforms.
func winogradImpls(t *testing.T, f func(t *testing.T, im *impl)) {
	for _, m := range machines() {
		if m.vec.winograd != nil && m.gemms[Exact].form.plain {
			t.Run(m.name, func(t *testing.T) { use(t, m.impl); f(t, m.impl) })
		}
	}
}

// force chooses the form of convolutions until the test ends.
func force(t testing.TB, form int) {
	old := winogradForced
	winogradForced = form
	t.Cleanup(func() { winogradForced = old })
}

// TestWinogradTable: every row of the assembly's constants is one number, and
// the points are those of the oracle.
func TestWinogradTable(t *testing.T) {
	for i, row := range winogradTable {
		for _, v := range row {
			if v != row[0] {
				t.Errorf("row %d is %v", i, row)
			}
		}
	}
	if a, b := winogradTable[2][0], winogradTable[3][0]; a != winogradA || b != winogradB {
		t.Errorf("the points are %v and %v", a, b)
	}
}

// TestWinogradTransforms compares the transforms of every machine with the
// generic ones, in every kind of memory.
func TestWinogradTransforms(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		w := im.vec.winograd
		if w == nil {
			t.Skip("no transforms")
		}
		r := rand.New(rand.NewPCG(41, 1))
		tmp := unsafe.Pointer(&m.bytes(2, winogradArea*stepBytes)[0])
		for lines := 1; lines <= 4; lines++ {
			for _, gap := range []int{0, 64, 192} {
				plane := lines*stepBytes + gap
				size := ((winogradArea-1)*plane + lines*stepBytes) / 4

				// 36 overlapping pixels in one block of memory.
				px := floats(m, 0, randoms(r, (lines+35)*16))
				var src [winogradArea]unsafe.Pointer
				for i, j := range r.Perm(winogradArea) {
					src[i] = unsafe.Pointer(&px[16*j])
				}
				got := floats(m, 1, randoms(r, size))
				want := slices.Clone(got)
				w.input(ptrOf(got), plane, &src, tmp, lines)
				winogradInputGeneric(ptrOf(want), plane, &src, nil, lines)
				m.check(t)
				same(t, fmt.Sprint("input ", lines, gap), got, want, func(int) float64 { return 1e-5 })

				g := floats(m, 0, randoms(r, 9*lines*16))
				copy(got, want)
				w.weights(ptrOf(got), plane, ptrOf(g), tmp, lines)
				winogradWeightsGeneric(ptrOf(want), plane, ptrOf(g), nil, lines)
				m.check(t)
				same(t, fmt.Sprint("weights ", lines, gap), got, want, func(int) float64 { return 1e-6 })

				for tiles := 1; tiles <= 3; tiles++ {
					plane := tiles*lines*stepBytes + gap
					pitch := 4*tiles*lines*stepBytes + gap
					src := floats(m, 0, randoms(r, ((winogradArea-1)*plane+tiles*lines*stepBytes)/4))
					got := floats(m, 1, randoms(r, (3*pitch+4*tiles*lines*stepBytes)/4))
					want := slices.Clone(got)
					w.output(ptrOf(got), pitch, ptrOf(src), plane, tmp, tiles, lines)
					winogradOutputGeneric(ptrOf(want), pitch, ptrOf(src), plane, nil, tiles, lines)
					m.check(t)
					same(t, fmt.Sprint("output ", tiles, lines, gap), got, want, func(int) float64 { return 4e-5 })
				}
			}
		}
	})
}

func ptrOf(x []float32) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(x)) }

// winogradTol is the error allowed in a result, relative to the root mean
// square of results. The largest seen in TestWinograd is 5.4e-6.
const winogradTol = 1e-5

// TestWinograd compares F(4x4,3x3) with the definition of a convolution at all
// sizes around one and two tiles, with channels around the steps and the
// panels, biases per picture, residuals and activations.
func TestWinograd(t *testing.T) {
	winogradImpls(t, func(t *testing.T, im *impl) {
		force(t, 1)
		r := rand.New(rand.NewPCG(41, 2))
		g := im.gemms[Exact]
		ins, outs := []int{1, 15, 16, 17, 31, 33, 48}, []int{1, g.nr - 1, g.nr, g.nr + 1, 2*g.nr + 5, 3}
		i := 0
		for h := 1; h <= 9; h++ {
			for w := 1; w <= 9; w++ {
				if i++; raceEnabled && i%7 != 0 { // it is slow
					continue
				}
				testWinograd(t, r, 1+i%2, h, w, ins[i%len(ins)], outs[i%len(outs)], DType(i%3), i%4)
			}
		}
		for _, s := range [][4]int{{1, 34, 5, 20}, {3, 4, 37, 9}, {1, 33, 66, 7}, {2, 30, 29, 18}} { // more than a block, more than a run
			testWinograd(t, r, s[0], s[1], s[2], s[3], g.nr+3, F16, 1)
		}
	})
}

func testWinograd(t *testing.T, r *rand.Rand, n, h, w, in, out int, dt DType, epilogue int) {
	t.Helper()
	x := randoms(r, n*h*w*in)
	arr, weights := array(randoms(r, out*in*9), dt)
	o := newOperand(Exact, n, h, w, in, 1)
	o.Fill(x)
	want, _, _ := convolve(x, weights, n, h, w, in, out, 1, 0)
	tol := make([]float64, len(want))
	for i := range tol {
		tol[i] = winogradTol * math.Sqrt(float64(9*in))
	}
	var e Epilogue
	if epilogue&1 != 0 {
		e.Bias = randoms(r, n*out)
		for i := range want {
			want[i] += float64(e.Bias[i/(h*w*out)*out+i%out])
		}
	}
	dst := make([]float32, len(want)+2)
	dst[0], dst[len(dst)-1] = 12345, 54321
	if epilogue&2 != 0 {
		copy(dst[1:], randoms(r, len(want)))
		e.Act, e.Residual = SiLU, dst[1:len(dst)-1]
		for i, v := range want {
			want[i] = v/(1+math.Exp(-v)) + float64(dst[1+i])
		}
	}
	Conv2D(dst[1:len(dst)-1], o, Pack(Exact, Shape{Out: out, In: in, KH: 3, KW: 3}, arr), 1, 0, e)
	if dst[0] != 12345 || dst[len(dst)-1] != 54321 {
		t.Fatal("sentinel overwritten")
	}
	within(t, fmt.Sprintf("%dx%dx%d, %d to %d, %v", n, h, w, in, out, dt), dst[1:len(dst)-1], want, tol)
}

// TestWinogradChoice checks which convolutions are direct: those with other
// strides, of other forms than float32, or of shapes for which it pays.
func TestWinogradChoice(t *testing.T) {
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		able := im.vec.winograd != nil && im.gemm(p, true).form.plain
		for _, c := range []struct {
			h, w, out, stride int
			want              bool
		}{
			{96, 96, 320, 1, able}, {1, 96, 32, 1, able}, {12, 12, 32, 1, able},
			{96, 96, 320, 2, false}, {96, 11, 320, 1, false}, {96, 96, 31, 1, false},
		} {
			o := newOperand(p, 1, c.h, c.w, 16, 1)
			task := productTask{v: im.vec}
			task.conv(o, Pack(p, Shape{Out: c.out, In: 16, KH: 3, KW: 3}, Array{F16, nil}), c.stride, 0, Epilogue{})
			if got := task.winograd(); got != c.want {
				t.Errorf("%+v: %v", c, got)
			}
		}
	})
}

// TestWinogradError measures the error of whole convolutions, relative to the
// root mean square of the result, beside that of direct ones.
func TestWinogradError(t *testing.T) {
	winogradImpls(t, func(t *testing.T, im *impl) {
		for _, in := range []int{64, 320} {
			const n, h, w, out = 1, 8, 8, 16
			r := rand.New(rand.NewPCG(41, 3))
			x := randoms(r, n*h*w*in)
			vecGeneric.activate(x, SiLU)
			arr, weights := array(randoms(r, out*in*9), F32)
			o := newOperand(Exact, n, h, w, in, 1)
			o.Fill(x)
			want, _, _ := convolve(x, weights, n, h, w, in, out, 1, 0)
			rms := func(form int) float64 {
				force(t, form)
				dst := make([]float32, len(want))
				Conv2D(dst, o, Pack(Exact, Shape{Out: out, In: in, KH: 3, KW: 3}, arr), 1, 0, Epilogue{})
				var d, s float64
				for i, v := range want {
					d += (float64(dst[i]) - v) * (float64(dst[i]) - v)
					s += v * v
				}
				return math.Sqrt(d / s)
			}
			direct, winograd := rms(-1), rms(1)
			t.Logf("%d channels: direct %.2g, F(4x4,3x3) %.2g", in, direct, winograd)
			if winograd > 2e-6 {
				t.Errorf("%d channels: F(4x4,3x3) has an error of %.2g, direct %.2g", in, winograd, direct)
			}
		}
	})
}

// TestWinogradCut checks that neither the number of goroutines nor a band of
// whole tile rows changes a bit, and that pictures do not affect each other.
func TestWinogradCut(t *testing.T) {
	winogradImpls(t, func(t *testing.T, im *impl) {
		force(t, 1)
		const n, h, w, in, out = 2, 11, 14, 20, 40
		r := rand.New(rand.NewPCG(41, 4))
		x := randoms(r, n*h*w*in)
		arr, _ := array(randoms(r, out*in*9), F16)
		weights := Pack(Exact, Shape{Out: out, In: in, KH: 3, KW: 3}, arr)
		one, zero := make([]float32, in), make([]float32, in)
		for i := range one {
			one[i] = 1
		}
		o := newOperand(Exact, n, h, w, in, 1)
		GroupNorm(o, x, one, zero, 2, 1e-5, true)
		want := make([]float32, n*h*w*out)
		Conv2D(want, o, weights, 1, 0, Epilogue{})

		for _, procs := range []int{1, 3} {
			old := runtime.GOMAXPROCS(procs)
			got := make([]float32, len(want))
			Conv2D(got, o, weights, 1, 0, Epilogue{})
			runtime.GOMAXPROCS(old)
			same(t, fmt.Sprint(procs, " goroutines"), got, want, nil)
		}
		var m Norm
		m.Measure(x, one, zero, n, h, w, 2, 1e-5)
		for _, rows := range []int{4, 8} {
			for i := range n {
				for y := 0; y < h; y += rows {
					k := min(rows, h-y)
					band := newOperand(Exact, 1, k, w, in, 1)
					m.Apply(band, i, y, nil, true)
					got := make([]float32, k*w*out)
					Conv2D(got, band, weights, 1, 0, Epilogue{})
					same(t, fmt.Sprintf("picture %d, rows from %d", i, y), got, want[(i*h+y)*w*out:][:len(got)], nil)
				}
			}
		}
	})
}
