package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

func TestVecFinish(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		r := rand.New(rand.NewPCG(1, 1))
		for i, cols := range sizes() {
			for mode := range 16 {
				rows, ld := (i+mode)%4+1, cols+mode%3
				n := (rows-1)*ld + cols
				src := floats(m, 0, mixed(r, n))
				var bias, res []float32
				var pb, pr *float32
				if mode&1 != 0 {
					bias = floats(m, 1, mixed(r, cols))
					pb = ptr(bias)
				}
				if mode&2 != 0 {
					res = floats(m, 2, mixed(r, n))
					pr = ptr(res)
				}
				dst := src
				switch {
				case mode&4 == 0:
					dst = floats(m, 3, randoms(r, n))
				case mode&8 != 0 && res != nil:
					dst = res
				}
				want := append([]float32(nil), dst...)
				if cols > 0 {
					finishGeneric(ptr(want), ld, ptr(src), ld, rows, cols, pb, pr, ld)
				}
				im.vec.finish(ptr(dst), ld, ptr(src), ld, rows, cols, pb, pr, ld)
				same(t, fmt.Sprintf("%dx%d mode %d", rows, cols, mode), dst, want, nil)
				m.check(t)
			}
		}
	})
}

func TestVecNarrow(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		r := rand.New(rand.NewPCG(2, 2))
		for i, cols := range sizes() {
			for k, f := range im.forms {
				oracle := []*form{&formF32, &formBF16, &formBF16x3}[k]
				rows, lds := i%4+1, cols+i%3
				pitch := cols*f.size + i%2*64
				plane := rows*pitch + 10
				n := (f.planes-1)*plane + (rows-1)*pitch + cols*f.size
				src := floats(m, 0, mixed(r, (rows-1)*lds+cols))
				dst := m.bytes(1, n)
				clear(dst)
				want := make([]byte, n)
				oracle.store(unsafe.Pointer(unsafe.SliceData(want)), pitch, plane, ptr(src), lds, rows, cols)
				f.store(unsafe.Pointer(unsafe.SliceData(dst)), pitch, plane, ptr(src), lds, rows, cols)
				sameNarrow(t, fmt.Sprintf("%s %dx%d", f.name, rows, cols), f, dst, want)
				m.check(t)
			}
		}
	})
}

// sameNarrow compares bit for bit, except for the payload of NaNs and for
// numbers below 2^-126, which VCVTNE2PS2BF16 treats as zeros.
func sameNarrow(t *testing.T, what string, f *form, got, want []byte) {
	t.Helper()
	if f.plain {
		same(t, what, float32s(got), float32s(want), nil)
		return
	}
	g, w := bf16s(got), bf16s(want)
	for i := range w {
		if w[i]&0x7fff <= 0x80 && g[i] == w[i]&0x8000 {
			continue
		}
		if g[i] != w[i] && !(g[i]&0x7fff > 0x7f80 && w[i]&0x7fff > 0x7f80) {
			t.Fatalf("%s: element %d is %#x, want %#x", what, i, g[i], w[i])
		}
	}
}

// forgetNaN clears the planes of numbers that have a NaN in both got and want.
func forgetNaN(got, want []byte, planes int) {
	n := len(got) / 2 / planes
	nan := func(b []byte, i int) bool {
		for p := range planes {
			if bf16s(b[2*(p*n+i):][:2])[0]&0x7fff > 0x7f80 {
				return true
			}
		}
		return false
	}
	for i := range n {
		if nan(got, i) && nan(want, i) {
			for p := range planes {
				putUint16(got, p*n+i, 0)
				putUint16(want, p*n+i, 0)
			}
		}
	}
}

func bf16s(b []byte) []uint16 {
	return append([]uint16(nil), unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/2)...)
}

func TestVecSums(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		r := rand.New(rand.NewPCG(3, 3))
		for i, c := range sizes() {
			if c == 0 {
				continue
			}
			rows := i % 10
			sum, sq := floats(m, 0, randoms(r, c)), floats(m, 1, randoms(r, c))
			ref, x := floats(m, 2, randoms(r, c)), floats(m, 3, randoms(r, rows*c))
			wantSum, wantSq := append([]float32(nil), sum...), append([]float32(nil), sq...)
			sumsGeneric(wantSum, wantSq, ref, x)
			im.vec.sums(sum, sq, ref, x)
			same(t, fmt.Sprintf("sum %dx%d", rows, c), sum, wantSum, nil)
			same(t, fmt.Sprintf("squares %dx%d", rows, c), sq, wantSq, func(i int) float64 { return 0x1p-22 * float64(rows+1) * (1 + math.Abs(float64(wantSq[i]))) })
			m.check(t)
		}
	})
}

func TestVecAffine(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		r := rand.New(rand.NewPCG(4, 4))
		for i, c := range sizes() {
			if c == 0 {
				continue
			}
			for mode := range 4 {
				n := (i + mode) % 5 * c
				x, scale, shift := floats(m, 0, randoms(r, n)), floats(m, 1, randoms(r, c)), floats(m, 2, randoms(r, c))
				dst := x
				if mode&1 != 0 {
					dst = floats(m, 3, randoms(r, n))
				}
				size := make([]float64, n) // of the terms of the sum
				for i := range size {
					size[i] = math.Abs(float64(x[i])*float64(scale[i%c])) + math.Abs(float64(shift[i%c]))
				}
				want := make([]float32, n)
				affineGeneric(want, x, scale, shift, mode&2 != 0)
				im.vec.affine(dst, x, scale, shift, mode&2 != 0)
				same(t, fmt.Sprintf("%dx%d mode %d", n/c, c, mode), dst, want, func(i int) float64 { return 0x1p-22 * (1 + size[i]) * size[i] })
				m.check(t)
			}
		}
	})
}

func TestVecLayerNorm(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		r := rand.New(rand.NewPCG(5, 5))
		for _, c := range sizes() {
			if c == 0 {
				continue
			}
			x := randoms(r, c)
			for i := range x {
				x[i] += 100
			}
			x, weight, bias := floats(m, 0, x), floats(m, 1, randoms(r, c)), floats(m, 2, randoms(r, c))
			dst, want := floats(m, 3, randoms(r, c)), make([]float32, c)
			vecGeneric.layerNorm(want, x, weight, bias, 1e-5)
			im.vec.layerNorm(dst, x, weight, bias, 1e-5)
			tol := 1e-6 // though 100 has 2^-17 between numbers
			if c == 1 {
				tol = 0
			}
			same(t, fmt.Sprint(c), dst, want, func(i int) float64 { return tol * float64(1+math.Abs(float64(weight[i]))) })
			im.vec.layerNorm(x, x, weight, bias, 1e-5)
			same(t, fmt.Sprint("in place ", c), x, dst, nil)
			m.check(t)
		}
	})
}

func TestVecSoftmax(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		r := rand.New(rand.NewPCG(6, 6))
		for i := range 60 {
			f := im.forms[i%3]
			rows, cols := i%5+1, i%7*32+32
			ld, pitch := cols+i%2*32, cols*f.size+i%3*64
			plane := rows * pitch
			const scale = 0.37
			scores := randoms(r, (rows-1)*ld+cols)
			for j := range scores {
				scores[j] *= []float32{1, 10, 100}[i%3]
				if i%2 == 0 && r.IntN(4) == 0 {
					scores[j] = float32(math.Inf(-1)) // hidden
				}
			}
			maxes, sums := randoms(r, rows), randoms(r, rows)
			for j := range rows {
				scores[j*ld] = 1 // never hidden
				switch {
				case i < 20:
					maxes[j], sums[j] = float32(math.Inf(-1)), 0 // the first block
				case i < 30:
					maxes[j] = 1000 // it stays
				}
			}
			b := softmaxBlock{
				scores: ptr(floats(m, 0, scores)), ld: ld * 4, rows: rows, cols: cols, scale: scale, form: f,
				pitch: pitch, plane: plane,
				probs: unsafe.Pointer(unsafe.SliceData(m.bytes(1, (f.planes-1)*plane+(rows-1)*pitch+cols*f.size))),
				max:   ptr(floats(m, 2, maxes)), sum: ptr(floats(m, 3, sums)), factor: ptr(floats(m, 4, sums)),
			}
			im.softmax(&b)
			m.check(t)
			for j := range rows {
				checkSoftmaxRow(t, &b, j, scores[j*ld:j*ld+cols], maxes[j], sums[j])
			}
		}
	})
}

// checkSoftmaxRow compares a row with exponentials in float64, relative to the
// maximum that the softmax found.
func checkSoftmaxRow(t *testing.T, b *softmaxBlock, r int, scores []float32, oldMax, oldSum float32) {
	t.Helper()
	top := row(b.max, 0, 0, b.rows)[r]
	want := max(oldMax, rowMaxGeneric(scores)*b.scale)
	factor := math.Exp2(float64(oldMax) - float64(top))
	near := func(what string, got, want, tol float64) {
		if !(math.Abs(got-want) <= tol) {
			t.Fatalf("%s, row %d of %dx%d: %s is %v, want %v", b.form.name, r, b.rows, b.cols, what, got, want)
		}
	}
	near("maximum", float64(top), float64(want), 0)
	drop := 0.0 // an exponent is rounded to float32
	if factor > 0 {
		drop = math.Abs(float64(oldMax - top))
	}
	poly := 0.0
	if rounds(b.form) {
		poly = 9e-5 // of exp2BF16Table
	}
	if got := row(b.factor, 0, 0, b.rows)[r]; oldMax == top && got != 1 {
		t.Fatalf("%s, row %d of %dx%d: the maximum stays, but the factor is %v", b.form.name, r, b.rows, b.cols, got)
	}
	near("factor", float64(row(b.factor, 0, 0, b.rows)[r]), factor, factor*(poly+1e-6*(1+drop))+0x1p-124)
	sum := float64(oldSum) * factor
	sumTol := math.Abs(sum) * (poly + 1e-6*(2+drop))
	for i, x := range scores {
		e := math.Exp2(float64(x)*float64(b.scale) - float64(top))
		sum += e
		tol := 0.0
		if e > 0 {
			tol = e * (poly + 0x1p-22*(4+math.Abs(float64(top))+math.Abs(float64(x)*float64(b.scale))))
		}
		sumTol += tol
		got := b.form.widen(b.form, unsafe.Add(b.probs, r*b.pitch+b.form.size*i), b.plane)
		if rounds(b.form) {
			tol += e * 0x1p-8
		}
		near(fmt.Sprint("probability ", i), float64(got), e, tol+0x1p-124)
	}
	near("sum", float64(row(b.sum, 0, 0, b.rows)[r]), sum, sumTol)
}

func TestVecRescale(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		r := rand.New(rand.NewPCG(8, 8))
		for i := range 40 {
			rows, width := i%5+1, (i%7+1)*16
			o, part, factor := floats(m, 0, randoms(r, rows*width)), floats(m, 1, randoms(r, rows*width)), floats(m, 2, randoms(r, rows))
			in, want := append([]float32(nil), o...), append([]float32(nil), o...)
			rescaleGeneric(ptr(want), ptr(part), ptr(factor), rows, width)
			im.vec.rescale(ptr(o), ptr(part), ptr(factor), rows, width)
			same(t, fmt.Sprintf("%dx%d", rows, width), o, want, func(i int) float64 {
				return 0x1p-22*(math.Abs(float64(in[i]*factor[i/width]))+math.Abs(float64(part[i]))) + 0x1p-148
			})
			m.check(t)
		}
	})
}

func TestVecConversions(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		r := rand.New(rand.NewPCG(9, 9))
		for _, n := range append(sizes(), 1024, 1040, 2500) {
			for _, dt := range []DType{F32, F16, BF16} {
				src := m.bytes(0, n*dt.Size())
				for i := range src {
					src[i] = byte(r.Uint32()) // every kind of number
				}
				dst, want := floats(m, 1, make([]float32, n)), make([]float32, n)
				toF32Generic(want, src, dt)
				im.vec.toF32(dst, src, dt)
				same(t, fmt.Sprintf("toF32 %d of %v", n, dt), dst, want, nil)
				got, want2 := m.bytes(2, 2*n), make([]byte, 2*n)
				formBF16.convert(want2, src, dt, 1)
				im.forms[1].convert(got, src, dt, 1)
				sameNarrow(t, fmt.Sprintf("toBF16 %d of %v", n, dt), &formBF16, got, want2)
				for planes := 1; planes <= 3; planes++ {
					got, want2 := m.bytes(2, 2*n*planes), make([]byte, 2*n*planes)
					formBF16x3.convert(want2, src, dt, planes)
					im.forms[2].convert(got, src, dt, planes)
					forgetNaN(got, want2, planes)
					sameNarrow(t, fmt.Sprintf("split %d of %v into %d", n, dt, planes), &formBF16, got, want2)
				}
				plain := m.bytes(3, 4*n)
				im.forms[0].convert(plain, src, dt, 1)
				same(t, fmt.Sprintf("encode %d of %v", n, dt), float32s(plain), want, nil)
				m.check(t)
			}
		}
	})
}

func TestVecTransposeWords(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		if im.vec.transposeWords == nil {
			t.Skip("no loop of its own")
		}
		r := rand.New(rand.NewPCG(10, 11))
		for steps := 1; steps <= 4; steps++ {
			for _, gap := range []int{0, 2, 32, 70} {
				pitch, stride := 32+gap, steps*32+gap
				dstStep := 16*pitch + gap
				src := m.bytes(0, 15*stride+steps*32)
				for i := range src {
					src[i] = byte(r.Uint32())
				}
				dst := m.bytes(1, (steps-1)*dstStep+15*pitch+32)
				im.vec.transposeWords(unsafe.Pointer(&dst[0]), pitch, dstStep, unsafe.Pointer(&src[0]), stride, steps)
				m.check(t)
				for i := range steps * 256 {
					s, c, k := i/256, i/16%16, i%16
					to, from := s*dstStep+k*pitch+2*c, c*stride+s*32+2*k
					if dst[to] != src[from] || dst[to+1] != src[from+1] {
						t.Fatalf("step %d, column %d, word %d of %d steps, gap %d", s, c, k, steps, gap)
					}
				}
			}
		}
	})
}

func TestVecTranspose(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) {
		v := im.vec
		if v.transpose == nil || v.interleave == nil {
			t.Skip("no loops of its own")
		}
		r := rand.New(rand.NewPCG(10, 10))
		u32 := func(b []byte, i int) *uint32 { return (*uint32)(unsafe.Pointer(&b[i])) }
		u16 := func(b []byte, i int) *uint16 { return (*uint16)(unsafe.Pointer(&b[i])) }
		for steps := 1; steps <= 3; steps++ {
			pitch, stride := 64+64*(steps%2), steps*64+steps%3*20
			dstStep := 16 * pitch
			src := m.bytes(0, 15*stride+steps*64)
			for i := range src {
				src[i] = byte(r.Uint32())
			}
			dst := m.bytes(1, (steps-1)*dstStep+15*pitch+64)
			v.transpose(unsafe.Pointer(&dst[0]), pitch, dstStep, unsafe.Pointer(&src[0]), stride, steps)
			m.check(t)
			for i := range steps * 256 {
				s, c, k := i/256, i/16%16, i%16
				if *u32(dst, s*dstStep+k*pitch+4*c) != *u32(src, c*stride+s*64+4*k) {
					t.Fatalf("transpose: step %d, column %d, dword %d of %d steps", s, c, k, steps)
				}
			}

			stride, dstStep = 32+steps*6, 1024+steps*64
			src = m.bytes(0, (32*steps-1)*stride+32)
			for i := range src {
				src[i] = byte(r.Uint32())
			}
			dst = m.bytes(1, (steps-1)*dstStep+1024)
			v.interleave(unsafe.Pointer(&dst[0]), dstStep, unsafe.Pointer(&src[0]), stride, steps)
			m.check(t)
			for i := range steps * 512 {
				s, k, c := i/512, i/16%32, i%16
				if *u16(dst, s*dstStep+k/2*64+(2*c+k%2)*2) != *u16(src, (32*s+k)*stride+2*c) {
					t.Fatalf("interleave: step %d, row %d, column %d of %d steps", s, k, c, steps)
				}
			}
		}
	})
}
