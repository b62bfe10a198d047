package quant

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"testing"
)

// The checksums are of what PyTorch 2.15 (AVX-512) computes before it quantizes: the little-endian float32 of m, y, u, v for
// picture(h, w, gray), made by a C++ program on libtorch_cpu with
//
//	x := from_blob(rgb, {h, w, 3}, kByte).permute({2, 0, 1}).to(kFloat) / 255, unsqueezed
//	m := (antialias ? at::_upsample_bilinear2d_aa : at::upsample_bilinear2d)(x, {n, n}, false)[0], as [n, n, 3]
//	y := 0.299*m[0] + 0.587*m[1] + 0.114*m[2]
//	u := at::avg_pool2d((m[2] - y)/1.772 + 0.5, {2, 2}), v := at::avg_pool2d((m[0] - y)/1.402 + 0.5, {2, 2})
//
// Gray pictures are here because their U and V sit on a threshold: a last bit decides their codes.
var resampled = []struct {
	h, w, n         int
	gray, antialias bool
	crc             uint32
}{
	{150, 200, 6, false, false, 0x34214b02},
	{150, 200, 6, false, true, 0x6e88cb41},
	{150, 200, 6, true, false, 0xf244b8c8},
	{150, 200, 6, true, true, 0xb5bc3542},
	{97, 101, 32, false, false, 0x65270b8c},
	{97, 101, 32, false, true, 0x62a81460},
	{97, 101, 32, true, false, 0x25e9bb5a},
	{97, 101, 32, true, true, 0x77ceec43},
	{768, 768, 8, false, false, 0xa79cb6f7},
	{768, 768, 8, false, true, 0x3c6943ec},
	{768, 768, 8, true, false, 0xae1ef670},
	{768, 768, 8, true, true, 0x250b3ea9},
	{3, 5, 8, false, false, 0x57a9f755},
	{3, 5, 8, false, true, 0xfe2e3896},
	{3, 5, 8, true, false, 0x72f4a939},
	{3, 5, 8, true, true, 0x5fb89c64},
	{1, 1, 2, false, false, 0x7dfc12c0},
	{1, 1, 2, false, true, 0x7dfc12c0},
	{1, 1, 2, true, false, 0xffbca3b2},
	{1, 1, 2, true, true, 0xffbca3b2},
	{333, 222, 64, false, false, 0xacbee389},
	{333, 222, 64, false, true, 0xbd9a2ee1},
	{333, 222, 64, true, false, 0xdaa134c7},
	{333, 222, 64, true, true, 0x9a03e5ff},
	{8, 8, 8, false, false, 0xa408702f},
	{8, 8, 8, false, true, 0xa408702f},
	{8, 8, 8, true, false, 0xa491cfbb},
	{8, 8, 8, true, true, 0xa491cfbb},
	{257, 31, 10, false, false, 0xfe449462},
	{257, 31, 10, false, true, 0xa5f62439},
	{257, 31, 10, true, false, 0xd443c567},
	{257, 31, 10, true, true, 0x8cbf9646},
}

// picture returns bytes [h, w, 3] of a linear congruential generator; a gray one repeats each of them three times.
func picture(h, w int, gray bool) []byte {
	rgb := make([]byte, h*w*3)
	x := uint32(1)
	for i := range rgb {
		if gray && i%3 != 0 {
			rgb[i] = rgb[i-1]
			continue
		}
		x = x*1664525 + 1013904223
		rgb[i] = byte(x >> 24)
	}
	return rgb
}

func TestResampleBits(t *testing.T) {
	for _, c := range resampled {
		rgb := picture(c.h, c.w, c.gray)
		m := resample(rgb, c.w, c.h, c.n, c.antialias)
		y, u, v := yuv420(m, c.n)
		sum := crc32.NewIEEE()
		for _, x := range [][]float32{m, y, u, v} {
			for _, f := range x {
				var b [4]byte
				binary.LittleEndian.PutUint32(b[:], math.Float32bits(f))
				sum.Write(b[:])
			}
		}
		if sum.Sum32() != c.crc {
			t.Errorf("%dx%d to %d, gray %v, antialias %v: not PyTorch's bits", c.w, c.h, c.n, c.gray, c.antialias)
		}
	}
}

// TestWindows checks what every window must be, at sizes no golden has.
func TestWindows(t *testing.T) {
	for _, in := range []int{1, 2, 3, 7, 63, 64, 65, 1000, 20000} {
		for _, out := range []int{1, 2, 6, 64, 768} {
			for i, w := range windows(in, out) {
				sum := 0.0
				for _, f := range w.weight {
					sum += float64(f)
				}
				if w.first < 0 || len(w.weight) == 0 || w.first+len(w.weight) > in || math.Abs(sum-1) > 1e-5 {
					t.Errorf("%d to %d: window %d is %d+%d with sum %v", in, out, i, w.first, len(w.weight), sum)
				}
			}
			for i, p := range taps(in, out) {
				if p.i0 < 0 || p.i1 < p.i0 || p.i1 >= in || p.w0 < 0 || p.w1 < 0 || p.w0+p.w1 != 1 {
					t.Errorf("%d to %d: tap %d is %v", in, out, i, p)
				}
			}
		}
	}
}
