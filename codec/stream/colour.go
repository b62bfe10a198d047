package stream

// QuantiseColour makes the colour map of a picture rgb [h, w, 3], the centre square in the codec: bilinear interpolation
// (align_corners=false) to n x n pixels, BT.601 full-range YUV, chroma averaged over 2 x 2, bits bits for each sample.
// antialias chooses the interpolation that averages over all of the picture; without it, as in the paper's pipeline and
// PyTorch's default, each pixel of the map is read from four of the picture. n is even, at most 64.
//
// The codes are those of PyTorch 2.15 on a machine with fused multiply-adds, the same on every machine.
func QuantiseColour(rgb []byte, w, h, n, bits int, antialias bool) Colour {
	checkMap(n, bits)
	if w < 1 || h < 1 || len(rgb)%3 != 0 || len(rgb)/3%w != 0 || len(rgb)/3/w != h {
		panic("stream: picture is not [h, w, 3]")
	}
	return NewPlanes(rgb, w, h, n, antialias).Quantise(bits)
}

// Quantise returns the codes of a map.
func (m Planes) Quantise(bits int) Colour {
	return Colour{quantisePlane(m.Y, bits), quantisePlane(m.U, bits), quantisePlane(m.V, bits)}
}

// Planes are a colour map before it is quantised: YUV 4:2:0 of RGB in [0, 1], grey at 1/2.
type Planes struct {
	Y    []float32 // [n * n]
	U, V []float32 // [n/2 * n/2]
}

// NewPlanes returns the map of a picture; see [QuantiseColour].
func NewPlanes(rgb []byte, w, h, n int, antialias bool) Planes {
	y, u, v := yuv420(resample(rgb, w, h, n, antialias), n)
	return Planes{y, u, v}
}

// NewRGB returns a picture averaged to n x n pixels: RGB [n, n, 3] in [0, 1].
func NewRGB(rgb []byte, w, h, n int) []float32 { return antialiased(rgb, w, h, n) }

// resample returns rgb [h, w, 3] at n x n pixels, float32 [n, n, 3] in [0, 1].
func resample(rgb []byte, w, h, n int, antialias bool) []float32 {
	if antialias {
		return antialiased(rgb, w, h, n)
	}
	unit := units()
	return bilinear(func(x, y, c int) float32 { return unit[rgb[(y*w+x)*3+c]] }, w, h, n, n)
}

// yuv420 returns the planes Y [n*n], U and V [n/2*n/2] of m [n, n, 3]. Each operation rounds to float32, as PyTorch's do.
func yuv420(m []float32, n int) (y, u, v []float32) {
	y = make([]float32, n*n)
	fullU, fullV := make([]float32, n*n), make([]float32, n*n)
	for i := range y {
		r, g, b := m[i*3], m[i*3+1], m[i*3+2]
		y[i] = float32(0.299*r) + float32(0.587*g) + float32(0.114*b)
		fullU[i] = (b-y[i])/1.772 + 0.5
		fullV[i] = (r-y[i])/1.402 + 0.5
	}
	return y, halve(fullU, n), halve(fullV, n)
}

// halve averages an n x n plane over 2 x 2.
func halve(x []float32, n int) []float32 {
	dst := make([]float32, 0, n*n/4)
	for i := 0; i < n; i += 2 {
		for j := i * n; j < (i+1)*n; j += 2 {
			dst = append(dst, (x[j]+x[j+1]+x[j+n]+x[j+n+1])/4)
		}
	}
	return dst
}

// quantisePlane returns floor(x 2^bits), limited to the codes there are. The product is exact and positive where it matters,
// so that the conversion is the floor.
func quantisePlane(x []float32, bits int) []uint8 {
	codes := make([]uint8, len(x))
	levels := float32(int(1) << bits)
	for i, v := range x {
		codes[i] = uint8(min(max(v*levels, 0), levels-1))
	}
	return codes
}

// DequantiseColour returns the colour map that c stands for, RGB [n, n, 3] in [0, 1]: the middles of the levels, chroma
// repeated over 2 x 2. It panics if c is not an n x n map of this many bits.
func DequantiseColour(c Colour, n, bits int) []float32 {
	checkMap(n, bits)
	if len(c.Y) != n*n || len(c.U) != n*n/4 || len(c.V) != n*n/4 {
		panic("stream: planes of another size")
	}
	levels := float32(int(1) << bits)
	middle := func(code uint8) float32 {
		if int(code)>>bits != 0 {
			panic("stream: code of more than bits bits")
		}
		return (float32(code) + 0.5) / levels
	}
	plane := func(codes []uint8) []float32 {
		x := make([]float32, len(codes))
		for i, code := range codes {
			x[i] = middle(code)
		}
		return x
	}
	return Planes{plane(c.Y), plane(c.U), plane(c.V)}.RGB(n)
}

// RGB returns a map of n x n pixels in RGB [n, n, 3], limited to [0, 1]; chroma is repeated over 2 x 2.
func (m Planes) RGB(n int) []float32 {
	rgb := make([]float32, 0, n*n*3)
	for i := range n {
		for j := range n {
			at := i/2*(n/2) + j/2
			y, u, v := m.Y[i*n+j], m.U[at], m.V[at]
			r := y + float32(1.402*(v-0.5))
			b := y + float32(1.772*(u-0.5))
			g := (y - float32(0.299*r) - float32(0.114*b)) / 0.587
			rgb = append(rgb, clamp(r), clamp(g), clamp(b))
		}
	}
	return rgb
}

// Upsample returns the colour map rgb [n, n, 3] at [h, w, 3] by bilinear interpolation (align_corners=false), limited to
// [0, 1].
func Upsample(rgb []float32, n, w, h int) []float32 {
	if n < 1 || len(rgb) != n*n*3 || w < 1 || h < 1 {
		panic("stream: colour map is not [n, n, 3]")
	}
	up := bilinear(func(x, y, c int) float32 { return rgb[(y*n+x)*3+c] }, n, n, w, h)
	for i, v := range up {
		up[i] = clamp(v)
	}
	return up
}

func clamp(x float32) float32 {
	return min(max(x, 0), 1)
}

func checkMap(n, bits int) {
	if n < 2 || n > MaxMapSize || n%2 != 0 {
		panic("stream: colour map size is not an even number from 2 to 64")
	}
	if bits < 1 || bits > MaxColourBits {
		panic("stream: bits of a colour value outside 1 to 8")
	}
}
