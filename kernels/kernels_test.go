package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/x448/float16"

	"github.com/coclico/coclico/kernels/mem"
)

// rounds reports whether f rounds float32 to bfloat16.
func rounds(f *form) bool { return f.name == formBF16.name }

// bound returns the error allowed for a sum of k products, relative to the root
// of the sum of their squares.
func bound(g *gemm, k int) float64 {
	if rounds(g.form) {
		return 0x1p-8 // both factors rounded to 2^-9, at random
	}
	return 0x1p-23 * math.Sqrt(float64(k)) * 2
}

func randoms(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func integers(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.IntN(9) - 4)
	}
	return x
}

func newOperand(p Precision, n, h, w, c, pad int) *Operand {
	o := new(Operand)
	buf := mem.Alloc(OperandBytes(p, n, h, w, c, pad))
	for i := range buf {
		buf[i] = 0xff // NaNs, to test that padding is cleared
	}
	o.Init(buf, p, n, h, w, c, pad)
	return o
}

// array rounds x to dt and returns the array with the rounded values.
func array(x []float32, dt DType) (Array, []float32) {
	var b []byte
	y := make([]float32, len(x))
	for i, v := range x {
		switch dt {
		case F32:
			u := math.Float32bits(v)
			b = append(b, byte(u), byte(u>>8), byte(u>>16), byte(u>>24))
			y[i] = v
		case F16:
			h := float16.Fromfloat32(v)
			b = append(b, byte(h.Bits()), byte(h.Bits()>>8))
			y[i] = h.Float32()
		case BF16:
			u := floatToBF16(v)
			b = append(b, byte(u), byte(u>>8))
			y[i] = bf16ToFloat(u)
		}
	}
	return Array{dt, b}, y
}

// within fails the test if an element of got is further from want than tol.
func within(t *testing.T, what string, got []float32, want, tol []float64) {
	t.Helper()
	for i := range got {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= tol[i]) {
			t.Fatalf("%s: element %d is %v, want %v +- %.3g", what, i, got[i], want[i], tol[i])
		}
	}
}

// product returns a*w in float64 and the root of the sum of squares of its
// terms.
func product(a, w []float32, m, k, n int) (c, size []float64) {
	c, size = make([]float64, m*n), make([]float64, m*n)
	for i := range m {
		for j := range n {
			var s, q float64
			for x := range k {
				v := float64(a[i*k+x]) * float64(w[j*k+x])
				s += v
				q += v * v
			}
			c[i*n+j], size[i*n+j] = s, math.Sqrt(q)
		}
	}
	return c, size
}

func TestMatMul(t *testing.T) {
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		r := rand.New(rand.NewPCG(1, 2))
		g := im.gemms[p]
		var ks, ms, ns []int
		ks = append(ks, 1, 3, 15, 16, 17, 31, 32, 33, 40, 64, 65, 100)
		for i := 0; i <= 2*g.mr+1; i += max(1, g.mr/5) {
			ms = append(ms, i+1)
		}
		for i := 0; i <= 2*g.nr+1; i += max(1, g.nr/5) {
			ns = append(ns, i+1)
		}
		for i, m := range ms {
			for j, n := range ns {
				k := ks[(i+j)%len(ks)]
				testMatMul(t, im, p, m, k, n, DType((i+j)%3), integers(r, m*k), integers(r, n*k), true)
				testMatMul(t, im, p, m, k, n, DType((i+j)%3), randoms(r, m*k), randoms(r, n*k), false)
			}
		}
		for _, k := range ks {
			testMatMul(t, im, p, g.mr+1, k, g.nr+3, F16, randoms(r, (g.mr+1)*k), randoms(r, (g.nr+3)*k), false)
		}
		testMatMul(t, im, p, 600, 70, 70, F16, randoms(r, 600*70), randoms(r, 70*70), false)
		long := stripBytes/(g.nr*g.form.size) + 100 // so long that it is cut
		testMatMul(t, im, p, g.mr+1, long, g.nr+3, F16, integers(r, (g.mr+1)*long), integers(r, (g.nr+3)*long), true)
	})
}

func testMatMul(t *testing.T, im *impl, p Precision, m, k, n int, dt DType, a, w []float32, exact bool) {
	t.Helper()
	arr, w := array(w, dt)
	packed := Pack(p, Shape{Out: n, In: k, KH: 1, KW: 1}, arr)
	o := newOperand(p, 1, 1, m, k, 0)
	o.Fill(a)
	dst := make([]float32, m*n+2)
	dst[0], dst[m*n+1] = 12345, 54321
	bias := make([]float32, n)
	for i := range bias {
		bias[i] = float32(i % 5)
	}
	MatMul(dst[1:m*n+1], o, packed, Epilogue{Bias: bias})
	if dst[0] != 12345 || dst[m*n+1] != 54321 {
		t.Fatal("sentinel overwritten")
	}
	want, tol := product(a, w, m, k, n)
	for i := range want {
		want[i] += float64(bias[i%n])
		tol[i] = tol[i]*bound(im.gemms[p], k)*3 + 1e-6
		if exact {
			tol[i] = 0
		}
	}
	within(t, fmt.Sprintf("%dx%dx%d %v", m, k, n, dt), dst[1:m*n+1], want, tol)
}

func TestEpilogue(t *testing.T) {
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, n := range []int{1, 16, 31, 33, 70} {
			for _, act := range []Activation{Identity, SiLU, GELU, QuickGELU} {
				imgs, rows, k := 2, 37, 20
				m := imgs * rows
				a, res := integers(r, m*k), randoms(r, m*n)
				arr, w := array(integers(r, n*k), F16)
				bias := randoms(r, imgs*n)
				o := newOperand(p, imgs, 1, rows, k, 0)
				o.Fill(a)
				packed := Pack(p, Shape{Out: n, In: k, KH: 1, KW: 1}, arr)
				want, tol := product(a, w, m, k, n)
				plain := make([]float64, m*n)
				for i := range want {
					x := float32(want[i]) + bias[i/(rows*n)*n+i%n]
					one := []float32{x}
					vecGeneric.activate(one, act)
					plain[i] = float64(one[0])
					want[i] = plain[i] + float64(res[i])
					tol[i] = 2e-6 * (1 + math.Abs(float64(x)) + math.Abs(float64(res[i])))
				}
				dst := append([]float32(nil), res...)
				MatMul(dst, o, packed, Epilogue{Bias: bias, Act: act, Residual: dst})
				within(t, fmt.Sprintf("n=%d act=%d", n, act), dst, want, tol)

				to := newOperand(p, imgs, 1, rows, n, 0)
				MatMulOperand(to, o, packed, Epilogue{Bias: bias, Act: act})
				to.Float32s(dst)
				for i := range tol {
					tol[i] = 3e-6 + math.Abs(plain[i])*3e-6
					if rounds(to.form) {
						tol[i] += math.Abs(plain[i]) * 0x1p-8
					}
				}
				within(t, fmt.Sprintf("operand n=%d act=%d", n, act), dst, plain, tol)
			}
		}
	})
}

func TestGEGLU(t *testing.T) {
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, out := range []int{2, 30, 32, 64, 70} {
			m, k := 41, 24
			a := integers(r, m*k)
			arr, w := array(integers(r, out*k), F16)
			bias := randoms(r, out)
			o := newOperand(p, 1, 1, m, k, 0)
			o.Fill(a)
			packed := Pack(p, Shape{Out: out, In: k, KH: 1, KW: 1, GEGLU: true}, arr)
			c, _ := product(a, w, m, k, out)
			half := out / 2
			want, tol := make([]float64, m*half), make([]float64, m*half)
			for i := range want {
				row, j := i/half*out, i%half
				want[i] = (c[row+j] + float64(bias[j])) * gelu(c[row+half+j]+float64(bias[half+j]))
				tol[i] = 1e-4 + 3e-6*math.Abs(want[i])
			}
			dst := make([]float32, m*half)
			MatMul(dst, o, packed, Epilogue{Bias: bias})
			within(t, fmt.Sprint("out=", out), dst, want, tol)
		}
	})
}

// convolve computes a 3x3 convolution by its definition.
func convolve(x, w []float32, n, h, wd, in, out, stride, origin int) ([]float64, int, int) {
	oh, ow := h/stride, wd/stride
	if origin == 0 {
		oh, ow = (h+stride-1)/stride, (wd+stride-1)/stride
	}
	y := make([]float64, n*oh*ow*out)
	for i := range y {
		o, px := i%out, i/out
		b, oy, ox := px/(oh*ow), px/ow%oh, px%ow
		for dy := range 3 {
			for dx := range 3 {
				iy, ix := oy*stride+dy-1+origin, ox*stride+dx-1+origin
				if iy < 0 || iy >= h || ix < 0 || ix >= wd {
					continue
				}
				for c := range in {
					y[i] += float64(x[((b*h+iy)*wd+ix)*in+c]) * float64(w[((o*in+c)*3+dy)*3+dx])
				}
			}
		}
	}
	return y, oh, ow
}

// repeated returns x [n,h,w,c] with every pixel repeated in both directions.
func repeated(x []float32, n, h, w, c int) []float32 {
	y := make([]float32, 0, 4*len(x))
	for row := range 2 * n * h {
		for col := range 2 * w {
			y = append(y, x[(row/2*w+col/2)*c:][:c]...)
		}
	}
	return y
}

// TestConv2D compares direct convolutions, whose sums of integers are exact,
// with the definition. See TestWinograd for the other form.
func TestConv2D(t *testing.T) {
	force(t, -1)
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		r := rand.New(rand.NewPCG(7, 8))
		for _, s := range []struct{ n, h, w, in, out int }{
			{1, 1, 1, 1, 1}, {1, 2, 2, 3, 5}, {2, 3, 5, 4, 33}, {1, 12, 12, 33, 20}, {3, 7, 4, 17, 16}, {2, 9, 40, 8, 40}, {1, 33, 33, 5, 3}, {2, 6, 14, 7, 35}, {2, 19, 21, 20, 4}, {2, 35, 3, 130, 2}, {1, 4, 6, 400, 20}, {1, 4, 6, 700, 40},
		} {
			x := integers(r, s.n*s.h*s.w*s.in)
			arr, w := array(integers(r, s.out*s.in*9), F16)
			packed := Pack(p, Shape{Out: s.out, In: s.in, KH: 3, KW: 3}, arr)
			o := newOperand(p, s.n, s.h, s.w, s.in, 1)
			o.Fill(x)
			for _, so := range [][2]int{{1, 0}, {2, 0}, {2, 1}} {
				if so[1] == 1 && (s.h < 3 || s.w < 3) {
					continue
				}
				want, oh, ow := convolve(x, w, s.n, s.h, s.w, s.in, s.out, so[0], so[1])
				bias := integers(r, s.n*s.out)
				for i := range want {
					want[i] += float64(bias[i/(oh*ow*s.out)*s.out+i%s.out])
				}
				dst := make([]float32, len(want))
				Conv2D(dst, o, packed, so[0], so[1], Epilogue{Bias: bias})
				within(t, fmt.Sprint(s, so), dst, want, make([]float64, len(want)))
			}
			if s.h%2 == 0 && s.w%2 == 0 {
				small := integers(r, s.n*s.h*s.w/4*s.in)
				o.FillUpsampled(small)
				want, _, _ := convolve(repeated(small, s.n, s.h/2, s.w/2, s.in), w, s.n, s.h, s.w, s.in, s.out, 1, 0)
				dst := make([]float32, len(want))
				Conv2D(dst, o, packed, 1, 0, Epilogue{})
				within(t, fmt.Sprint("up ", s), dst, want, make([]float64, len(want)))

				folded := PackUp(p, Shape{Out: s.out, In: s.in, KH: 3, KW: 3}, arr)
				lo := newOperand(p, s.n, s.h/2, s.w/2, s.in, 1)
				lo.Fill(small)
				clear(dst)
				ConvUp2D(dst, lo, folded, Epilogue{})
				within(t, fmt.Sprint("folded ", s), dst, want, make([]float64, len(want)))

				// The transforms of Winograd's form do not round integers.
				force(t, 1)
				clear(dst)
				ConvUp2D(dst, lo, folded, Epilogue{})
				within(t, fmt.Sprint("folded, Winograd's form ", s), dst, want, make([]float64, len(want)))
				force(t, -1)
			}
		}
	})
}

func TestAttention(t *testing.T) {
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		r := rand.New(rand.NewPCG(9, 10))
		for _, s := range []struct {
			n, lq, lk, heads, dim int
			shared, causal        bool
		}{
			{1, 1, 1, 1, 1, false, false}, {2, 5, 5, 2, 7, false, false}, {2, 70, 77, 3, 16, true, false}, {1, 77, 77, 2, 64, false, true},
			{1, 33, 700, 1, 40, false, false}, {2, 70, 1030, 2, 64, false, false}, {1, 200, 256, 1, 50, true, false}, {1, 17, 512, 1, 33, false, false}, {1, 600, 600, 1, 12, false, true}, {1, 97, 600, 2, 64, false, false}, {2, 65, 512, 1, 65, false, false}, {1, 20, 513, 2, 32, false, false},
			{1, 1, 256, 1, 64, false, false}, {1, 97, 319, 2, 64, false, false}, {1, 160, 448, 1, 63, false, false},
		} {
			width := s.heads * s.dim
			kn := s.n
			if s.shared {
				kn = 1
			}
			col := 3
			q, kv := randoms(r, s.n*s.lq*(width+col)), randoms(r, kn*s.lk*2*width)
			qo, kvo := newOperand(p, s.n, 1, s.lq, width+col, 0), newOperand(p, kn, 1, s.lk, 2*width, 0)
			qo.Fill(q)
			kvo.Fill(kv)
			qo.Float32s(q)
			kvo.Float32s(kv)
			dst := newOperand(p, s.n, 1, s.lq, width, 0)
			scale := float32(1 / math.Sqrt(float64(s.dim)))
			Attention(dst, View{qo, col}, View{kvo, 0}, View{kvo, width}, s.heads, s.dim, scale, s.causal)
			got := make([]float32, s.n*s.lq*width)
			dst.Float32s(got)
			want, tol := make([]float64, len(got)), make([]float64, len(got))
			for i := range s.n * s.lq * s.heads {
				img, tok, h := i/(s.lq*s.heads), i/s.heads%s.lq, i%s.heads
				n := s.lk
				if s.causal {
					n = tok + 1
				}
				kv := kv[img%kn*s.lk*2*width:][:n*2*width]
				o := (img*s.lq+tok)*width + h*s.dim
				query := q[(img*s.lq+tok)*(width+col)+col+h*s.dim:][:s.dim]
				attendOne(want[o:o+s.dim], tol[o:o+s.dim], query, kv[h*s.dim:], kv[width+h*s.dim:], 2*width, scale, rounds(dst.form))
			}
			within(t, fmt.Sprint(s), got, want, tol)
		}
	})
}

// attendOne is the oracle of [Attention] for one query: keys and values are ld
// elements apart. tol receives the tolerance: with probabilities and results in
// bfloat16, that of rounding each of them once.
func attendOne(want, tol []float64, query, keys, values []float32, ld int, scale float32, rounded bool) {
	n := (len(values) + ld - 1) / ld
	p, sum := make([]float64, n), 0.0
	for j := range p {
		var dot float64
		for d, x := range query {
			dot += float64(x) * float64(keys[j*ld+d])
		}
		p[j] = dot * float64(scale)
	}
	top := slices.Max(p)
	for j := range p {
		p[j] = math.Exp(p[j] - top)
		sum += p[j]
	}
	for d := range want {
		var size float64
		for j, e := range p {
			x := e / sum * float64(values[j*ld+d])
			want[d] += x
			size += math.Abs(x)
		}
		tol[d] = 5e-6
		if rounded {
			tol[d] = (size + math.Abs(want[d])) * (0x1p-8 + 1e-4)
		}
	}
}

func TestNorms(t *testing.T) {
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		r := rand.New(rand.NewPCG(11, 12))
		for _, s := range []struct{ n, h, w, c, groups, pad int }{
			{1, 1, 2, 4, 2, 0}, {2, 5, 7, 33, 3, 1}, {2, 20, 20, 64, 32, 1}, {1, 3, 3, 320, 32, 0}, {1, 40, 9, 48, 1, 0},
		} {
			x := randoms(r, s.n*s.h*s.w*s.c)
			for i := range x {
				x[i] = x[i]*0.3 + 5*float32(i%s.c%3)
			}
			weight, bias := randoms(r, s.c), randoms(r, s.c)
			for _, silu := range []bool{false, true} {
				o := newOperand(p, s.n, s.h, s.w, s.c, s.pad)
				GroupNorm(o, x, weight, bias, s.groups, 1e-5, silu)
				got := make([]float32, len(x))
				o.Float32s(got)
				want, tol := make([]float64, len(x)), make([]float64, len(x))
				per := s.c / s.groups
				for g := range s.n * s.groups {
					var sum, sq, cnt float64
					each := func(f func(i int)) {
						for px := range s.h * s.w {
							for c := range per {
								f((g/s.groups*s.h*s.w+px)*s.c + g%s.groups*per + c)
							}
						}
					}
					each(func(i int) { sum += float64(x[i]); cnt++ })
					each(func(i int) { d := float64(x[i]) - sum/cnt; sq += d * d })
					each(func(i int) {
						y := (float64(x[i])-sum/cnt)/math.Sqrt(sq/cnt+1e-5)*float64(weight[i%s.c]) + float64(bias[i%s.c])
						tol[i] = 2e-5 * (1 + math.Abs(y))
						if silu {
							y *= sigmoid(y)
						}
						want[i] = y
						if rounds(o.form) {
							tol[i] += math.Abs(y) * 0x1p-8
						}
					})
				}
				within(t, fmt.Sprint("group ", s, silu), got, want, tol)
			}
			o := newOperand(p, s.n, s.h, s.w, s.c, 0)
			LayerNorm(o, x, weight, bias, 1e-5)
			got := make([]float32, len(x))
			o.Float32s(got)
			want, tol := make([]float64, len(x)), make([]float64, len(x))
			one := make([]float32, s.c)
			for i := 0; i < len(x); i += s.c {
				vecGeneric.layerNorm(one, x[i:i+s.c], weight, bias, 1e-5)
				for j, v := range one {
					want[i+j] = float64(v)
					tol[i+j] = 1e-5 * (1 + math.Abs(float64(v)))
					if rounds(o.form) {
						tol[i+j] += math.Abs(float64(v)) * 0x1p-8
					}
				}
			}
			within(t, fmt.Sprint("layer ", s), got, want, tol)
		}
	})
}
