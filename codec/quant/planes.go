package quant

// Planes are a color map in numbers: YUV 4:2:0 of RGB in [0, 1], with gray at U
// = V = 1/2.
type Planes struct {
	Y    []float32 // [n * n]
	U, V []float32 // [n/2 * n/2]
}

// NewPlanes returns the map of a picture rgb [h, w, 3] at n x n pixels, n even:
// bilinear interpolation (align_corners=false), BT.601 full-range YUV, chroma
// averaged over 2 x 2. With antialias each pixel of the map averages its part
// of the picture; without it, as in the paper's pipeline and PyTorch's default,
// it is interpolated from four pixels of the picture.
//
// The numbers are those of PyTorch 2.15 on a machine with fused multiply-adds,
// the same on every machine.
func NewPlanes(rgb []byte, w, h, n int, antialias bool) Planes {
	checkMap(n, 1)
	if w < 1 || h < 1 || len(rgb)%3 != 0 || len(rgb)/3%w != 0 || len(rgb)/3/w != h {
		panic("quant: picture is not [h, w, 3]")
	}
	y, u, v := yuv420(resample(rgb, w, h, n, antialias), n)
	return Planes{y, u, v}
}

// Average returns a picture rgb [h, w, 3] averaged to n x n pixels: RGB [n, n,
// 3] in [0, 1], as in the area color score.
func Average(rgb []byte, w, h, n int) []float32 { return antialiased(rgb, w, h, n) }

// Interpolate is Average without antialias, as in the paper's color score: each
// value is interpolated from four pixels.
func Interpolate(rgb []byte, w, h, n int) []float32 { return resample(rgb, w, h, n, false) }

// yuv420 returns the planes Y [n*n], U and V [n/2*n/2] of m [n, n, 3]. Each
// operation rounds to float32, as PyTorch's do.
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

// RGB returns a map of n x n pixels as RGB [n, n, 3], clamped to [0, 1]. Chroma
// is repeated over 2 x 2.
func (m Planes) RGB(n int) []float32 {
	rgb := make([]float32, 0, n*n*3)
	for i := range n {
		for j := range n {
			at := i/2*(n/2) + j/2
			y, u, v := m.Y[i*n+j], m.U[at], m.V[at]
			if u == 0.5 && v == 0.5 { // without the rounding of the general case
				rgb = append(rgb, clamp(y), clamp(y), clamp(y))
				continue
			}
			r := y + float32(1.402*(v-0.5))
			b := y + float32(1.772*(u-0.5))
			g := (y - float32(0.299*r) - float32(0.114*b)) / 0.587
			rgb = append(rgb, clamp(r), clamp(g), clamp(b))
		}
	}
	return rgb
}

// Upsample returns the color map rgb [n, n, 3] at [h, w, 3] by bilinear
// interpolation (align_corners=false), clamped to [0, 1].
func Upsample(rgb []float32, n, w, h int) []float32 {
	if n < 1 || len(rgb) != n*n*3 || w < 1 || h < 1 {
		panic("quant: color map is not [n, n, 3]")
	}
	up := bilinear(func(x, y, c int) float32 { return rgb[(y*n+x)*3+c] }, n, n, w, h)
	for i, v := range up {
		up[i] = clamp(v)
	}
	return up
}

func clamp(x float32) float32 { return min(max(x, 0), 1) }
