package codec

import (
	"context"
	"image"
	"math"
	"math/rand/v2"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/codec/quant"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/vae"
	"github.com/coclico/coclico/weights"
)

// A Preview shows what Paint is painting, one pixel for each pixel of the
// latent: 96 x 96 of 768 x 768.
//
// The preview of step 0 is the color map. After each step of the solver comes
// its estimate of the finished picture, after color guidance and before
// projection: blurred at first, and after the last step right except for the
// detail.
//
// No network runs for it. A pixel of a latent holds, among other things, about
// the mean color of a square of the picture, and a linear function of its
// channels returns that color. The coefficients are the model's own. They are
// fitted for the first preview: the VAE encodes a chart of 256 x 256 pixels,
// colored noise with the spectrum of natural pictures, and the mean colors of
// the chart's squares are regressed on its latent. With the real model that is
// 0.3 TFLOP, of the 81 of a decode.
type Preview struct {
	Image image.Image // may be kept
	Step  int         // steps that are done
	Steps int         // steps in all
}

// A colorFit is the linear function from a latent's channels to colors.
type colorFit struct {
	lock         model.Lock
	coefficients []float32 // [C,3], nil before the first use
	constant     [3]float32
}

// previewMap shows the color map, at the size of the latent.
func (p *painter) previewMap() {
	if p.o.Preview == nil {
		return
	}
	x := ownTensor(p.latent.h, p.latent.w, 3)
	copy(x.Data, quant.Upsample(p.file.rgb, p.file.f.MapSize, x.W, x.H))
	p.o.Preview(Preview{toRGBA(x), 0, len(p.path.steps)})
}

// preview shows an estimate of the latent.
func (p *painter) preview(estimate []float32, done int) {
	if p.o.Preview == nil {
		return
	}
	x := ownTensor(p.latent.h, p.latent.w, 3)
	p.colors.apply(x.Data, estimate)
	p.o.Preview(Preview{toRGBA(x), done, len(p.path.steps)})
}

// apply writes the colors of the latent's pixels to rgb, clamped to [0,1].
func (f *colorFit) apply(rgb, latent []float32) {
	channels := len(f.coefficients) / 3
	for i := range len(rgb) / 3 {
		px := f.constant
		for c, v := range latent[i*channels:][:channels] {
			for k, a := range f.coefficients[3*c:][:3] {
				px[k] += a * v
			}
		}
		for k, v := range px {
			rgb[3*i+k] = min(max(v, 0), 1)
		}
	}
}

// fitColors fits the coefficients if needed, while the encoder is in memory.
func (p *painter) fitColors(ctx context.Context, net *vae.Encoder) error {
	if p.o.Preview == nil {
		return nil
	}
	p.colors = &p.fits[p.ws.Precision]
	if err := p.colors.lock.Acquire(ctx); err != nil {
		return err
	}
	defer p.colors.lock.Release()
	if p.colors.coefficients != nil {
		return nil
	}
	cfg, err := p.model.VAE()
	if err != nil {
		return err
	}
	factor := cfg.Factor()
	side := min(max(256/factor, 8), 32) // of the chart's latent
	x := p.ws.Get(1, side*factor, side*factor, 3)
	defer p.ws.Put(x)
	chart := newChart(x.H)
	means := squareMeans(chart, x.H, factor)
	for i, v := range chart {
		x.Data[i] = 2*v - 1
	}
	z, err := net.Encode(ctx, &p.ws, x)
	if err != nil {
		return err
	}
	defer p.ws.Put(z)
	if err := p.finite(weights.VAE, z); err != nil {
		return err
	}
	p.colors.fit(z, means, cfg.ScalingFactor)
	return nil
}

// newChart returns rgb [side,side,3], side a power of two: noise in [0,1] whose
// amplitude falls as 1/f, as that of natural pictures does. From one gray pixel
// the chart grows to twice its side at a time, by interpolation, and each time
// n x n random colors are added, with weight 1/n.
func newChart(side int) []float32 {
	random := rand.New(rand.NewPCG(0, 0))
	rgb := []float32{0.5, 0.5, 0.5}
	for n := 2; n <= side; n *= 2 {
		rgb = quant.Upsample(rgb, n/2, n, n)
		for i := range rgb {
			rgb[i] += (random.Float32() - 0.5) / float32(n)
		}
	}
	return rgb
}

// squareMeans returns the means of the squares of factor x factor pixels of rgb
// [side,side,3].
func squareMeans(rgb []float32, side, factor int) []float32 {
	n := side / factor
	means := make([]float32, n*n*3)
	for i, v := range rgb {
		x, y := i/3%side/factor, i/3/side/factor
		means[(y*n+x)*3+i%3] += v / float32(factor*factor)
	}
	return means
}

// fit sets the coefficients and the constant term that map z, times scale, to
// the colors rgb with the least sum of squared errors. With d(z) and d(rgb) the
// differences from the means over all pixels, the coefficients M solve
//
//	sum d(z) d(z)^T M = sum d(z) d(rgb)^T
//
// and the constant term is mean(rgb) - M^T mean(z). A ten-thousandth of the
// channels' mean variance is added to each one's, so that there is one solution
// even where the channels of a latent depend on each other.
func (f *colorFit) fit(z *nn.Tensor, rgb []float32, scale float64) {
	n, c := z.Rows(), z.C
	row := c + 3
	x := make([]float64, 0, n*row) // the latent's channels beside the colors
	for i := range n {
		for _, v := range z.Data[i*c:][:c] {
			x = append(x, float64(v)*scale)
		}
		for _, v := range rgb[3*i:][:3] {
			x = append(x, float64(v))
		}
	}
	means := make([]float64, row)
	for i, v := range x {
		means[i%row] += v / float64(n)
	}
	a := make([][]float64, c) // the equations: [c][c] and three right sides
	for i := range a {
		a[i] = make([]float64, row)
		for at := 0; at < len(x); at += row {
			d := x[at+i] - means[i]
			for j := range a[i] {
				a[i][j] += d * (x[at+j] - means[j])
			}
		}
	}
	variance := 0.0
	for i := range a {
		variance += a[i][i] / float64(c)
	}
	for i := range a {
		a[i][i] += variance/1e4 + math.SmallestNonzeroFloat32
	}
	eliminate(a)
	f.coefficients = make([]float32, 3*c)
	for k := range f.constant {
		term := means[c+k]
		for i := range a {
			term -= a[i][c+k] * means[i]
			f.coefficients[3*i+k] = float32(a[i][c+k])
		}
		f.constant[k] = float32(term)
	}
}

// eliminate solves equations by Gauss-Jordan elimination. The rows of a are
// those of a symmetric positive definite matrix, which needs no pivoting, each
// continued by its right sides; the latter become the solutions.
func eliminate(a [][]float64) {
	for i, pivot := range a {
		for j := len(pivot) - 1; j >= i; j-- {
			pivot[j] /= pivot[i]
		}
		for k, other := range a {
			if k == i {
				continue
			}
			factor := other[i]
			for j := i; j < len(other); j++ {
				other[j] -= factor * pivot[j]
			}
		}
	}
}
