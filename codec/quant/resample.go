package quant

import "math"

// PyTorch's bilinear interpolation of a float32 picture, to the last bit.
//
// The last bit matters: a gray picture has U = V = 1/2, a threshold of the
// quantizer, so the rounding of a resampled value decides a code. The codes
// must be the same on every machine, and equal to the reference's. Hence:
//
//   - A Go compiler may fuse x*y + z into one rounding (on arm64, ppc64le,
//     riscv64, s390x, and amd64 from GOAMD64=v3 on) or not. Where the product
//     is rounded it is written float32(x*y), which forbids fusing; where it is
//     not, fma below is called.
//   - PyTorch's kernels are compiled for fused multiply-adds, and where GCC
//     fused them is part of the result. The order here was found by comparing
//     with PyTorch 2.15 on random pictures of many sizes; each function names
//     its kernel.

// fma returns a*b + c with the product not rounded. A product of two float32 is
// exact in float64 (24 + 24 bits of 53), so the result is the same whether or
// not the machine fuses this float64 expression.
func fma(a, b, c float32) float32 {
	return float32(float64(a)*float64(b) + float64(c))
}

// A tap is how an output sample is read from a line of input: w0*x[i0] +
// w1*x[i1].
type tap struct {
	i0, i1 int
	w0, w1 float32
}

// taps returns the taps of bilinear interpolation (align_corners=false, no
// antialias) from in samples to out: output i lies at (i + 1/2) in/out - 1/2.
// From ATen/native/UpSample.h: compute_source_index_and_lambda.
func taps(in, out int) []tap {
	t := make([]tap, out)
	scale := float32(in) / float32(out)
	for i := range t {
		if in == out {
			t[i] = tap{i, i, 1, 0}
			continue
		}
		x := max(fma(scale, float32(i)+0.5, -0.5), 0)
		i0 := min(int(x), in-1)
		w1 := min(x-float32(i0), 1)
		t[i] = tap{i0, min(i0+1, in-1), 1 - w1, w1}
	}
	return t
}

// bilinear resamples a w x h picture whose channel c of pixel (x, y) is at(x,
// y, c) to [outH, outW, 3]. It reads four pixels for each pixel of the output,
// whatever the picture's size. From ATen/native/cpu/UpSampleKernel.cpp:
// cpu_upsample_linear_channels_last, which PyTorch takes when outW + outH <=
// 128.
func bilinear(at func(x, y, c int) float32, w, h, outW, outH int) []float32 {
	dst := make([]float32, 0, outW*outH*3)
	across, down := taps(w, outW), taps(h, outH)
	for _, v := range down {
		for _, u := range across {
			w00, w01 := float32(v.w0*u.w0), float32(v.w0*u.w1)
			w10, w11 := float32(v.w1*u.w0), float32(v.w1*u.w1)
			for c := range 3 {
				sum := float32(at(u.i1, v.i0, c) * w01)
				sum = fma(at(u.i0, v.i0, c), w00, sum)
				sum = fma(at(u.i0, v.i1, c), w10, sum)
				sum = fma(at(u.i1, v.i1, c), w11, sum)
				dst = append(dst, sum)
			}
		}
	}
	return dst
}

// A window is a run of input samples, starting at first, whose weighted mean is
// an output sample.
type window struct {
	first  int
	weight []float32 // at least one; their sum is 1
}

// windows returns the windows of antialiased bilinear interpolation from in
// samples to out: a triangle that reaches one output sample (at least one input
// sample) to both sides, cut at the borders and normalized. From
// ATen/native/cpu/UpSampleKernel.cpp: _compute_indices_min_size_weights_aa,
// with its mixture of float and double.
func windows(in, out int) []window {
	all := make([]window, out)
	scale := float32(in) / float32(out)
	reach := max(scale, 1)
	inverse := float64(1 / reach)
	for i := range all {
		center := float32(float64(scale) * (float64(i) + 0.5))
		first := max(int(float64(center-reach)+0.5), 0)
		end := min(int(float64(center+reach)+0.5), in)
		weight := make([]float32, end-first)
		sum := float32(0)
		for j := range weight {
			x := float32((float64(float32(first+j)-center) + 0.5) * inverse)
			weight[j] = max(1-float32(math.Abs(float64(x))), 0)
			sum += weight[j]
		}
		for j := range weight {
			weight[j] /= sum
		}
		all[i] = window{first, weight}
	}
	return all
}

// mean returns the weighted mean of x[0], x[stride], ... From the same file:
// interpolate_aa_single_dim, a loop that GCC vectorized by four: after the
// first term, the products of whole groups of four are rounded and added in
// order, and the rest is fused.
func (w *window) mean(x []float32, stride int) float32 {
	sum := float32(x[0] * w.weight[0])
	rest := w.weight[1:]
	grouped := len(rest) / 4 * 4
	at := stride
	for _, f := range rest[:grouped] {
		sum += float32(x[at] * f)
		at += stride
	}
	for _, f := range rest[grouped:] {
		sum = fma(x[at], f, sum)
		at += stride
	}
	return sum
}

// antialiased resamples rgb [h, w, 3] to [size, size, 3], rows first. It holds
// one row of the picture and size columns. From the same file:
// separable_upsample_generic_Nd_kernel_impl.
func antialiased(rgb []byte, w, h, size int) []float32 {
	unit := units()
	line := make([]float32, w*3)
	return average(windows(w, size), windows(h, size), h, func(y int) []float32 {
		for i, b := range rgb[y*w*3:][:w*3] {
			line[i] = unit[b]
		}
		return line
	})
}

// average returns the averages [size, size, 3] of the rows of a picture of h.
func average(across, down []window, h int, row func(y int) []float32) []float32 {
	size := len(across)
	columns := make([]float32, 0, h*size*3)
	for y := range h {
		line := row(y)
		for i := range across {
			for c := range 3 {
				columns = append(columns, across[i].mean(line[across[i].first*3+c:], 3))
			}
		}
	}
	dst := make([]float32, 0, size*size*3)
	for _, win := range down {
		for x := range size * 3 {
			dst = append(dst, win.mean(columns[win.first*size*3+x:], size*3))
		}
	}
	return dst
}

// units returns the float32 value in [0, 1] of every byte.
func units() *[256]float32 {
	var unit [256]float32
	for i := range unit {
		unit[i] = float32(i) / 255
	}
	return &unit
}

// resample returns rgb [h, w, 3] at n x n pixels, float32 [n, n, 3] in [0, 1].
func resample(rgb []byte, w, h, n int, antialias bool) []float32 {
	if antialias {
		return antialiased(rgb, w, h, n)
	}
	unit := units()
	return bilinear(func(x, y, c int) float32 { return unit[rgb[(y*w+x)*3+c]] }, w, h, n, n)
}
