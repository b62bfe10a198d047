package quant

import (
	"math"

	"github.com/coclico/coclico/codec/format"
)

// Project moves the colors of a painted picture rgb [h, w, 3], in [0, 1], into
// the levels that the codes of a tuned color map say they had.
//
// A code says that a sample of the map of the true picture, an average over
// about a cell, lies in an interval: [lo, hi] of its level, and everything
// beyond for the first and the last level. The sample of the painted picture is
// moved to the nearest end of the interval, if it lies outside. The true one is
// inside, so that this brings each sample nearer to it, or leaves it.
//
// Between the samples the correction is smooth: bicubic interpolation of n x n
// numbers. These are chosen such that the samples of the corrected picture come
// out exactly: with A the matrix that takes averages along one axis and U that
// of the interpolation, the numbers are (A U)^-1 E (A U)^-T for corrections E of
// the samples. (To interpolate E itself leaves about a quarter of a correction
// undone, and moves its neighbors, which eight rounds only lessen.) Colors that
// leave [0, 1] are clamped, which disturbs the samples again: hence the rounds.
//
// Project does nothing for a picture with a side of fewer pixels than the map's.
func Project(rgb []float32, w, h int, head format.Header, c format.ColorMap) {
	n := head.MapSize
	if len(rgb) != w*h*3 {
		panic("quant: picture is not [h, w, 3]")
	}
	if min(w, h) < n {
		return
	}
	lumaLo, lumaHi := luma(head.Range)
	lo, hi := chroma(head.Range, head.ColorBits)
	full, half := newSmoother(w, h, n, false), newSmoother(w, h, n, true)
	const rounds, enough = 4, 0.25 / 255
	for range rounds {
		m := full.planes(rgb)
		worst := max(excess(m.Y, c.Y, lumaLo, lumaHi, head.ColorBits),
			excess(m.U, c.U, lo, hi, head.ColorBits), excess(m.V, c.V, lo, hi, head.ColorBits))
		if worst < enough {
			return
		}
		y, u, v := full.field(m.Y), half.field(m.U), half.field(m.V)
		for i := range y {
			px := rgb[3*i:][:3]
			r, b := float32(1.402*v[i]), float32(1.772*u[i])
			px[0] = clamp(px[0] + y[i] + r)
			px[1] = clamp(px[1] + y[i] - float32(0.299*r+0.114*b)/0.587)
			px[2] = clamp(px[2] + y[i] + b)
		}
	}
}

// excess replaces the samples of a plane by what brings them into the intervals
// of their codes, and returns the largest correction.
func excess(x []float32, codes []uint8, lo, hi float32, bits int) float32 {
	worst := float32(0)
	step := (hi - lo) / float32(int(1)<<bits)
	for i, v := range x {
		k := int(codes[i])
		low, high := lo+float32(k)*step, lo+float32(k+1)*step
		if k == 0 || lo == hi { // or all of one level
			low = float32(math.Inf(-1))
		}
		if k == 1<<bits-1 || lo == hi {
			high = float32(math.Inf(1))
		}
		x[i] = min(max(v, low), high) - v
		worst = max(worst, x[i], -x[i])
	}
	return worst
}

// A smoother averages pictures to maps and interpolates corrections, along both
// axes.
type smoother struct {
	across, down axis
	w, h, n      int // n samples a side
}

// An axis is a smoother's part along one of them.
type axis struct {
	windows []window    // of the n averages
	spread  [][]float32 // interpolation [size][n]
	solve   [][]float64 // (A U)^-1 [n][n]
}

func newSmoother(w, h, n int, chroma bool) *smoother {
	s := &smoother{across: newAxis(w, n, chroma), down: newAxis(h, n, chroma), w: w, h: h, n: n}
	if chroma {
		s.n = n / 2
	}
	return s
}

func newAxis(size, n int, chroma bool) axis {
	a := axis{windows: windows(size, n)}
	averages := make([][]float64, n)
	for i, win := range a.windows {
		averages[i] = make([]float64, size)
		for j, f := range win.weight {
			averages[i][win.first+j] = float64(f)
		}
	}
	if chroma { // of pairs of samples
		for i := range n / 2 {
			for j := range size {
				averages[i][j] = (averages[2*i][j] + averages[2*i+1][j]) / 2
			}
		}
		n /= 2
		averages = averages[:n]
	}
	a.spread = bicubic(n, size)
	product := make([][]float64, n)
	for i := range product {
		product[i] = make([]float64, n)
		for k := range n {
			for j, f := range averages[i] {
				product[i][k] += f * float64(a.spread[j][k])
			}
		}
	}
	a.solve = inverse(product)
	return a
}

// bicubic returns the interpolation from n samples to size (Keys, a = -1/2,
// align_corners=false), the border repeated.
func bicubic(n, size int) [][]float32 {
	kernel := func(x float64) float64 {
		switch x = math.Abs(x); {
		case x < 1:
			return 1.5*x*x*x - 2.5*x*x + 1
		case x < 2:
			return -0.5*x*x*x + 2.5*x*x - 4*x + 2
		}
		return 0
	}
	rows := make([][]float32, size)
	for i := range rows {
		rows[i] = make([]float32, n)
		x := (float64(i)+0.5)*float64(n)/float64(size) - 0.5
		for j := int(math.Floor(x)) - 1; j <= int(math.Floor(x))+2; j++ {
			rows[i][min(max(j, 0), n-1)] += float32(kernel(x - float64(j)))
		}
	}
	return rows
}

// inverse returns the inverse of a matrix with a dominant diagonal, which it
// destroys, by elimination without pivots.
func inverse(m [][]float64) [][]float64 {
	n := len(m)
	inv := make([][]float64, n)
	for i := range inv {
		inv[i] = make([]float64, n)
		inv[i][i] = 1
	}
	for i := range n {
		f := 1 / m[i][i]
		for j := range n {
			m[i][j] *= f
			inv[i][j] *= f
		}
		for k := range n {
			if f := m[k][i]; k != i && f != 0 {
				for j := range n {
					m[k][j] -= f * m[i][j]
					inv[k][j] -= f * inv[i][j]
				}
			}
		}
	}
	return inv
}

// planes returns the map of a picture rgb [h, w, 3], as NewPlanes does of bytes.
func (s *smoother) planes(rgb []float32) Planes {
	m := average(s.across.windows, s.down.windows, s.h, func(y int) []float32 { return rgb[y*s.w*3:][:s.w*3] })
	y, u, v := yuv420(m, s.n)
	return Planes{y, u, v}
}

// field returns the smooth correction [h*w] whose averages are e [n*n].
func (s *smoother) field(e []float32) []float32 {
	n := s.n
	left := make([]float64, n*n) // solve_h e
	for i := range n {
		for k := range n {
			f := s.down.solve[i][k]
			for j := range n {
				left[i*n+j] += f * float64(e[k*n+j])
			}
		}
	}
	knots := make([]float32, n*n) // left solve_w^T
	for i := range n {
		for j := range n {
			sum := 0.0
			for k := range n {
				sum += left[i*n+k] * s.across.solve[j][k]
			}
			knots[i*n+j] = float32(sum)
		}
	}
	lines := make([]float32, n*s.w)
	for i := range n {
		for x := range s.w {
			for k, f := range s.across.spread[x] {
				lines[i*s.w+x] += float32(f * knots[i*n+k])
			}
		}
	}
	out := make([]float32, s.h*s.w)
	for y := range s.h {
		row := out[y*s.w:][:s.w]
		for i, f := range s.down.spread[y] {
			if f == 0 {
				continue
			}
			for x := range row {
				row[x] += float32(f * lines[i*s.w+x])
			}
		}
	}
	return out
}
