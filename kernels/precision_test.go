package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// int8Scale makes the integers of the tests, and sums of a few of them, exact
// in formInt8.
const int8Scale = 0.25

// formInt8 holds integers from -127 to 127, which stand for multiples of scale.
var formInt8 = &form{
	name: "int8", size: 1, planes: 1, scale: int8Scale,
	weights: [numDTypes]weightForm{F32: {whenPacked, 1}, F16: {whenPacked, 1}, BF16: {whenPacked, 1}},
	narrow: func(f *form, dst unsafe.Pointer, pitch, _ int, src *float32, lds, rows, cols int) {
		for r := range rows {
			for i, x := range row(src, lds, r, cols) {
				*(*int8)(unsafe.Add(dst, r*pitch+i)) = toInt8(x, f.scale)
			}
		}
	},
	encode: func(f *form, dst, src []byte, dt DType, _ int) {
		for i := range dst {
			dst[i] = byte(toInt8(element(src, dt, i), f.scale))
		}
	},
	widen: func(f *form, p unsafe.Pointer, _ int) float32 { return float32(*(*int8)(p)) * f.scale },
}

func toInt8(x, scale float32) int8 {
	return int8(max(-127, min(127, math.RoundToEven(float64(x/scale)))))
}

// gemmInt8 adds products of int8 in int32.
var gemmInt8 = &gemm{
	form: formInt8, mr: 4, nr: 16,
	loops: []func(*strip){func(s *strip) { runInt8(s, 4, 16) }}, single: true,
	finish: func(c unsafe.Pointer, ldc uintptr, rows, cols int, f *form) {
		for r := range rows {
			for i := range cols {
				p := unsafe.Add(c, r*int(ldc)+4*i)
				*(*float32)(p) = float32(*(*int32)(p)) * f.scale * f.scale
			}
		}
	},
}

func runInt8(s *strip, mr, nr int) {
	for m := range s.tiles * mr {
		c := unsafe.Slice((*int32)(unsafe.Add(s.c, uintptr(m)*s.ldc)), nr)
		clear(c)
		for _, st := range unsafe.Slice(s.steps, s.n) {
			a := (*[64]int8)(unsafe.Add(s.a, m*int(s.lda)+st.a))
			b := unsafe.Slice((*int8)(unsafe.Add(s.b, st.b)), 64*nr)
			for k, x := range a {
				for j := range c {
					c[j] += int32(x) * int32(b[k*nr+j])
				}
			}
		}
	}
}

// TestThirdPrecision takes the steps of doc.go for a new precision and runs
// every kernel with it: a form, a gemm and a finish are all it takes.
func TestThirdPrecision(t *testing.T) {
	for _, v := range machines() {
		t.Run(v.name, func(t *testing.T) {
			use(t, &impl{name: "int8", gemms: [NumPrecisions]*gemm{gemmInt8, gemmInt8}, vec: v.vec})
			t.Run("MatMul", testInt8MatMul)
			t.Run("Conv2D", testInt8Conv2D)
			t.Run("Attention", testInt8Attention)
			t.Run("LayerNorm", testInt8LayerNorm)
		})
	}
}

func testInt8MatMul(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 1))
	for i, k := range []int{1, 17, 63, 64, 65, 130, 300} {
		m, n := 1+5*i, 1+7*i
		testMatMul(t, active(), Fast, m, k, n, DType(i%3), integers(r, m*k), integers(r, n*k), true)
	}
}

func testInt8Conv2D(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 2))
	for _, s := range []struct{ n, h, w, in, out int }{{1, 3, 3, 1, 1}, {2, 5, 4, 70, 20}, {1, 9, 12, 33, 35}} {
		x, bias := integers(r, s.n*s.h*s.w*s.in), integers(r, s.out)
		arr, w := array(integers(r, s.out*s.in*9), F16)
		shape := Shape{Out: s.out, In: s.in, KH: 3, KW: 3}
		o := newOperand(Fast, s.n, s.h, s.w, s.in, 1)
		o.Fill(x)
		for _, so := range [][2]int{{1, 0}, {2, 0}, {2, 1}} {
			want, _, _ := convolve(x, w, s.n, s.h, s.w, s.in, s.out, so[0], so[1])
			for i := range want {
				want[i] += float64(bias[i%s.out])
			}
			dst := make([]float32, len(want))
			Conv2D(dst, o, Pack(Fast, shape, arr), so[0], so[1], Epilogue{Bias: bias})
			within(t, fmt.Sprint(s, so), dst, want, make([]float64, len(want)))
		}
		big := newOperand(Fast, s.n, 2*s.h, 2*s.w, s.in, 1)
		big.FillUpsampled(x)
		want, got := make([]float32, s.n*4*s.h*s.w*s.out), make([]float32, s.n*4*s.h*s.w*s.out)
		Conv2D(want, big, Pack(Fast, shape, arr), 1, 0, Epilogue{})
		ConvUp2D(got, o, PackUp(Fast, shape, arr), Epilogue{})
		same(t, fmt.Sprint("up ", s), got, want, nil)
	}
}

func testInt8Attention(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 3))
	for _, s := range []struct{ lq, lk, dim int }{{1, 1, 1}, {5, 3, 70}, {150, 4, 20}} {
		q, k, v := integers(r, s.lq*s.dim), integers(r, s.lk*s.dim), integers(r, s.lk*s.dim)
		op := func(rows int, x []float32) View {
			o := newOperand(Fast, 1, 1, rows, s.dim, 0)
			o.Fill(x)
			return View{Op: o}
		}
		dst := newOperand(Fast, 1, 1, s.lq, s.dim, 0)
		const scale = 0.1
		Attention(dst, op(s.lq, q), op(s.lk, k), op(s.lk, v), 1, s.dim, scale, false)
		got := make([]float32, s.lq*s.dim)
		dst.Float32s(got)
		dots, _ := product(q, k, s.lq, s.dim, s.lk)
		want, tol := make([]float64, len(got)), make([]float64, len(got))
		for i := range want {
			row := dots[i/s.dim*s.lk:][:s.lk]
			var sum float64
			for j, d := range row {
				e := math.Exp(d * scale)
				sum += e
				want[i] += e * float64(v[j*s.dim+i%s.dim])
			}
			want[i] /= sum
			// Values of up to 4 have weights that were rounded to the scale,
			// and so is the result.
			tol[i] = int8Scale/2*4*float64(s.lk) + int8Scale/2 + 1e-5
		}
		within(t, fmt.Sprint(s), got, want, tol)
	}
}

func testInt8LayerNorm(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 4))
	const rows, c = 7, 50
	x, weight, bias := randoms(r, rows*c), randoms(r, c), randoms(r, c)
	o, got, want := newOperand(Fast, 1, 1, rows, c, 0), make([]float32, rows*c), make([]float32, rows*c)
	LayerNorm(o, x, weight, bias, 1e-5)
	o.Float32s(got)
	for i := 0; i < len(x); i += c {
		vecGeneric.layerNorm(want[i:i+c], x[i:i+c], weight, bias, 1e-5)
	}
	same(t, "layer norm", got, want, func(int) float64 { return int8Scale/2 + 1e-4 })
}

// TestFormsWiden checks that widening is the inverse of narrowing.
func TestFormsWiden(t *testing.T) {
	x := []float32{0, 1, -2.5, 0.25, 31, 0x1.fffffep3}
	for f, exact := range map[*form]int{&formF32: 6, &formBF16x3: 6, &formBF16: 5, formInt8: 5} {
		buf := make([]byte, 4*len(x)*f.planes)
		plane := f.size * len(x)
		f.store(unsafe.Pointer(&buf[0]), 0, plane, &x[0], 0, 1, len(x))
		for i, want := range x[:exact] {
			if got := f.widen(f, unsafe.Pointer(&buf[f.size*i]), plane); got != want {
				t.Errorf("%s: %v becomes %v", f.name, want, got)
			}
		}
	}
}

// TestProducts checks the order of the products of planes.
func TestProducts(t *testing.T) {
	for _, c := range []struct {
		a, b int
		want string
	}{
		{1, 1, "[[0 0]]"},
		{3, 1, "[[2 0] [1 0] [0 0]]"},
		{3, 2, "[[2 0] [1 1] [1 0] [0 1] [0 0]]"},
		{3, 3, "[[2 0] [1 1] [0 2] [1 0] [0 1] [0 0]]"},
	} {
		pairs, n := products(c.a, c.b)
		if got := pairs[:n]; fmt.Sprint(got) != c.want {
			t.Errorf("%d and %d planes: %v, want %s", c.a, c.b, got, c.want)
		}
	}
}
