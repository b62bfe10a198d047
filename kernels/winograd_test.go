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

// winogradForms are Winograd's forms, with their oracles.
var winogradForms = []struct {
	name   string
	form   *winogradForm
	loops  func(v *vec) *winogradLoops
	oracle *winogradLoops

	// The errors allowed in the transforms of pixels, weights and results; 0
	// is for the same bits.
	tol [3]float64
}{
	{"F(4x4,3x3)", winogradConv, func(v *vec) *winogradLoops { return v.winograd }, winogradGeneric, [3]float64{1e-5, 1e-6, 4e-5}},
	{"enlarging", winogradUp, func(v *vec) *winogradLoops { return v.winogradUp }, winogradUpGeneric, [3]float64{}},
}

// winogradImpls runs f for every implementation with transforms.
func winogradImpls(t *testing.T, f func(t *testing.T, im *impl)) {
	for _, m := range machines() {
		if m.vec.winograd != nil && m.vec.winogradUp != nil && m.gemms[Exact].form.plain {
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

// TestWinogradProducts: in every form, each plane of transformed weights has
// one product, and products of the same plane of pixels follow each other.
func TestWinogradProducts(t *testing.T) {
	for _, c := range winogradForms {
		n := len(c.form.products)
		weights, last := map[int]bool{}, 0
		for _, p := range c.form.products {
			if weights[p.weights] || p.weights < 0 || p.weights >= n || p.pixels < last || p.pixels >= c.form.planes {
				t.Errorf("%s: product %+v", c.name, p)
			}
			weights[p.weights], last = true, p.pixels
		}
		if last != c.form.planes-1 || c.form.in*c.form.in > winogradArea {
			t.Errorf("%s: %+v", c.name, c.form)
		}
	}
}

// TestWinogradTransforms compares the transforms of every machine with the
// generic ones, in every kind of memory.
func TestWinogradTransforms(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		for _, c := range winogradForms {
			t.Run(c.name, func(t *testing.T) {
				w, f := c.loops(im.vec), c.form
				if w == nil {
					t.Skip("no transforms")
				}
				tol := func(i int) func(int) float64 {
					if c.tol[i] == 0 {
						return nil
					}
					return func(int) float64 { return c.tol[i] }
				}
				planes := len(f.products)
				r := rand.New(rand.NewPCG(41, 1))
				tmp := unsafe.Pointer(&m.bytes(2, winogradArea*stepBytes)[0])
				for lines := 1; lines <= 4; lines++ {
					for _, gap := range []int{0, 64, 192} {
						plane := lines*stepBytes + gap

						// Overlapping pixels in one block of memory.
						px := floats(m, 0, randoms(r, (lines+35)*16))
						var src [winogradArea]unsafe.Pointer
						for i, j := range r.Perm(winogradArea) {
							src[i] = unsafe.Pointer(&px[16*j])
						}
						got := floats(m, 1, randoms(r, ((f.planes-1)*plane+lines*stepBytes)/4))
						want := slices.Clone(got)
						w.input(ptrOf(got), plane, &src, tmp, lines)
						c.oracle.input(ptrOf(want), plane, &src, nil, lines)
						m.check(t)
						same(t, fmt.Sprint("input ", lines, gap), got, want, tol(0))

						g := floats(m, 0, randoms(r, f.taps*f.taps*lines*16))
						got = floats(m, 1, randoms(r, ((planes-1)*plane+lines*stepBytes)/4))
						want = slices.Clone(got)
						w.weights(ptrOf(got), plane, ptrOf(g), tmp, lines)
						c.oracle.weights(ptrOf(want), plane, ptrOf(g), nil, lines)
						m.check(t)
						same(t, fmt.Sprint("weights ", lines, gap), got, want, tol(1))

						for tiles := 1; tiles <= 3; tiles++ {
							plane := tiles*lines*stepBytes + gap
							row := f.out * tiles * lines * stepBytes
							pitch := row + gap
							src := floats(m, 0, randoms(r, ((planes-1)*plane+tiles*lines*stepBytes)/4))
							got := floats(m, 1, randoms(r, ((f.out-1)*pitch+row)/4))
							want := slices.Clone(got)
							w.output(ptrOf(got), pitch, ptrOf(src), plane, tmp, tiles, lines)
							c.oracle.output(ptrOf(want), pitch, ptrOf(src), plane, nil, tiles, lines)
							m.check(t)
							same(t, fmt.Sprint("output ", tiles, lines, gap), got, want, tol(2))
						}
					}
				}
			})
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
	testWinogradSizes(t, testWinograd, [][4]int{{1, 34, 5, 20}, {3, 4, 37, 9}, {1, 33, 66, 7}, {2, 30, 29, 18}})
}

// TestWinogradUp does the same with enlarging convolutions.
func TestWinogradUp(t *testing.T) {
	testWinogradSizes(t, testWinogradUp, [][4]int{{1, 26, 4, 20}, {3, 3, 28, 9}, {1, 25, 50, 7}, {2, 23, 22, 18}})
}

// TestWinogradParts does the same with so many channels that a panel is
// multiplied in parts.
func TestWinogradParts(t *testing.T) {
	winogradImpls(t, func(t *testing.T, im *impl) {
		force(t, 1)
		r := rand.New(rand.NewPCG(41, 6))
		g := im.gemms[Exact]
		for _, more := range []int{24, 0, 1, 530} {
			testWinograd(t, r, 2, 9, 14, longK(g)+more, g.nr+3, F16, 1)
			if testing.Short() { // emulators are slow
				break
			}
		}
	})
}

// longK returns the largest number of channels whose panel is multiplied at once.
func longK(g *gemm) int { return winogradPanelBytes / (winogradArea * g.nr * stepBytes) * 16 }

// A winogradTest compares a convolution of [n,h,w,in] with its definition.
type winogradTest func(t *testing.T, r *rand.Rand, n, h, w, in, out int, dt DType, epilogue int)

// testWinogradSizes runs a test at all sizes around one and two tiles, and at
// some n, h, w and in with more tiles than a block or a run.
func testWinogradSizes(t *testing.T, test winogradTest, more [][4]int) {
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
				test(t, r, 1+i%2, h, w, ins[i%len(ins)], outs[i%len(outs)], DType(i%3), i%4)
			}
		}
		for _, s := range more {
			test(t, r, s[0], s[1], s[2], s[3], g.nr+3, F16, 1)
		}
	})
}

func testWinograd(t *testing.T, r *rand.Rand, n, h, w, in, out int, dt DType, epilogue int) {
	t.Helper()
	x := randoms(r, n*h*w*in)
	arr, weights := array(randoms(r, out*in*9), dt)
	want, _, _ := convolve(x, weights, n, h, w, in, out, 1, 0)
	tol := winogradTol * math.Sqrt(max(1, float64(in)/64)) // more roundings add up at random
	checkWinograd(t, r, want, n, h, w, in, out, epilogue, tol, func(dst []float32, e Epilogue) {
		o := newOperand(Exact, n, h, w, in, 1)
		o.Fill(x)
		Conv2D(dst, o, Pack(Exact, Shape{Out: out, In: in, KH: 3, KW: 3}, arr), 1, 0, e)
	})
}

// winogradUpTol is the error allowed in a result of an enlarging convolution,
// relative to the root mean square of results. The largest seen is 1.9e-6.
const winogradUpTol = 4e-6

func testWinogradUp(t *testing.T, r *rand.Rand, n, h, w, in, out int, dt DType, epilogue int) {
	t.Helper()
	x := randoms(r, n*h*w*in)
	arr, weights := array(randoms(r, out*in*9), dt)
	want, _, _ := convolve(repeated(x, n, h, w, in), weights, n, 2*h, 2*w, in, out, 1, 0)
	checkWinograd(t, r, want, n, 2*h, 2*w, in, out, epilogue, winogradUpTol, func(dst []float32, e Epilogue) {
		o := newOperand(Exact, n, h, w, in, 1)
		o.Fill(x)
		ConvUp2D(dst, o, PackUp(Exact, Shape{Out: out, In: in, KH: 3, KW: 3}, arr), e)
	})
}

// checkWinograd compares the result [n,h,w,out] of convolve with want. Bit 0 of
// epilogue adds a bias per picture, bit 1 an activation and a residual.
func checkWinograd(t *testing.T, r *rand.Rand, want []float64, n, h, w, in, out, epilogue int, relative float64, convolve func(dst []float32, e Epilogue)) {
	t.Helper()
	tol := make([]float64, len(want))
	for i := range tol {
		tol[i] = relative * math.Sqrt(float64(9*in))
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
	convolve(dst[1:len(dst)-1], e)
	if dst[0] != 12345 || dst[len(dst)-1] != 54321 {
		t.Fatal("sentinel overwritten")
	}
	within(t, fmt.Sprintf("%dx%dx%d, %d to %d", n, h, w, in, out), dst[1:len(dst)-1], want, tol)
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
			if f, loop := task.winograd(); (f == winogradConv) != c.want || (loop == im.vec.winograd) != c.want {
				t.Errorf("%+v: %v", c, f)
			}
		}

		able = im.vec.winogradUp != nil && im.gemm(p, true).form.plain
		for _, c := range []struct {
			h, w, out int
			want      bool
		}{
			{96, 96, 320, able}, {1, 96, 16, able}, {16, 16, 16, able}, {96, 15, 320, false}, {96, 96, 15, false},
		} {
			o := newOperand(p, 1, c.h, c.w, 16, 1)
			var task productTask
			task.enlarge(im.vec, o, PackUp(p, Shape{Out: c.out, In: 16, KH: 3, KW: 3}, Array{F16, nil}), Epilogue{})
			if f, loop := task.winograd(); (f == winogradUp) != c.want || (loop == im.vec.winogradUp) != c.want {
				t.Errorf("enlarging %+v: %v", c, f)
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
			shape := Shape{Out: out, In: in, KH: 3, KW: 3}
			o := newOperand(Exact, n, h, w, in, 1)
			o.Fill(x)
			rms := func(form int, want []float64, convolve func(dst []float32)) float64 {
				force(t, form)
				dst := make([]float32, len(want))
				convolve(dst)
				var d, s float64
				for i, v := range want {
					d += (float64(dst[i]) - v) * (float64(dst[i]) - v)
					s += v * v
				}
				return math.Sqrt(d / s)
			}
			conv := func(dst []float32) { Conv2D(dst, o, Pack(Exact, shape, arr), 1, 0, Epilogue{}) }
			want, _, _ := convolve(x, weights, n, h, w, in, out, 1, 0)
			direct, winograd := rms(-1, want, conv), rms(1, want, conv)
			t.Logf("%d channels: direct %.2g, F(4x4,3x3) %.2g", in, direct, winograd)
			if winograd > 2e-6 {
				t.Errorf("%d channels: F(4x4,3x3) has an error of %.2g, direct %.2g", in, winograd, direct)
			}

			conv = func(dst []float32) { ConvUp2D(dst, o, PackUp(Exact, shape, arr), Epilogue{}) }
			want, _, _ = convolve(repeated(x, n, h, w, in), weights, n, 2*h, 2*w, in, out, 1, 0)
			direct, winograd = rms(-1, want, conv), rms(1, want, conv)
			t.Logf("%d channels, enlarging: direct %.2g, Winograd's form %.2g", in, direct, winograd)
			if winograd > 1.1*direct {
				t.Errorf("%d channels: enlarging has an error of %.2g, directly %.2g", in, winograd, direct)
			}
		}
	})
}

// TestWinogradCut checks that neither the number of goroutines nor a band of
// whole tile rows changes a bit, and that pictures do not affect each other.
func TestWinogradCut(t *testing.T) {
	winogradImpls(t, func(t *testing.T, im *impl) {
		force(t, 1)
		testWinogradCut(t, 20)
		if !testing.Short() {
			testWinogradCut(t, longK(im.gemms[Exact])+24)
		}
	})
}

func testWinogradCut(t *testing.T, in int) {
	t.Helper()
	const n, h, w, out = 2, 27, 30, 40 // two blocks of tiles
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

	for _, procs := range []int{1, 3, 24} {
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
}

// TestWinogradUpCut checks that neither the number of goroutines nor other
// pictures change a bit of an enlarging convolution.
func TestWinogradUpCut(t *testing.T) {
	winogradImpls(t, func(t *testing.T, im *impl) {
		force(t, 1)
		const n, h, w, in, out = 3, 19, 17, 20, 40
		r := rand.New(rand.NewPCG(41, 5))
		x := randoms(r, n*h*w*in)
		arr, _ := array(randoms(r, out*in*9), F16)
		weights := PackUp(Exact, Shape{Out: out, In: in, KH: 3, KW: 3}, arr)
		enlarge := func(x []float32) []float32 {
			o := newOperand(Exact, len(x)/(h*w*in), h, w, in, 1)
			o.Fill(x)
			dst := make([]float32, 4*len(x)/in*out)
			ConvUp2D(dst, o, weights, Epilogue{})
			return dst
		}
		want := enlarge(x)
		for _, procs := range []int{1, 3, 24} {
			old := runtime.GOMAXPROCS(procs)
			got := enlarge(x)
			runtime.GOMAXPROCS(old)
			same(t, fmt.Sprint(procs, " goroutines"), got, want, nil)
		}
		for i := range n {
			got := enlarge(x[i*h*w*in:][:h*w*in])
			same(t, fmt.Sprint("picture ", i), got, want[i*len(got):][:len(got)], nil)
		}
	})
}
