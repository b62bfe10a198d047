package main

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/coclico/coclico/codec/format"
)

// A sample is a code with its context, in numbers: the distance of 1/2 to white is 1/2.
type sample struct {
	features                  [14]float32
	position, activity, cross int
	lo, hi                    float64 // the code's edges; infinite outside
	least                     float64 // the share of the probability that is spread evenly
	count                     float64 // 2^bits
	weight                    float64
}

func newSample(ctx *format.Context, code uint8, bits int, half, weight float64) sample {
	levels := float64(int(1) << bits)
	s := sample{position: ctx.Position, activity: ctx.Activity, cross: ctx.Cross, count: levels, weight: weight}
	s.least = max(math.Floor(128/levels), 1) * levels / 65536
	for i, f := range ctx.Features {
		s.features[i] = float32(f) / 512
	}
	s.lo, s.hi = (float64(code)+half)/levels-0.5, (float64(code)+1+half)/levels-0.5
	if code == 0 {
		s.lo = math.Inf(-1)
	}
	if float64(code)+1 == levels {
		s.hi = math.Inf(1)
	}
	return s
}

// Parameters of a model in one vector, so that one loop can walk down: weights, then scales as natural logarithms.
const (
	atScale    = 4 * 14
	atActivity = atScale + 4
	atCross    = atActivity + 9
	parameters = atCross + 3
)

const (
	tailShare = 0.1 // of the curve's tail,
	tailScale = 3   // which is so much wider
)

// curve is the distribution of a sample about its mean, at unit scale, and its density.
func curve(z float64) (share, density float64) {
	a, da := logistic(z)
	b, db := logistic(z / tailScale)
	return (1-tailShare)*a + tailShare*b, (1-tailShare)*da + tailShare*db/tailScale
}

func logistic(z float64) (share, density float64) {
	p := 1 / (1 + math.Exp(-z))
	return p, p * (1 - p)
}

// loss returns the bits of a sample, and adds their gradient.
func (s *sample) loss(p, grad *[parameters]float64) float64 {
	mean := 0.0
	w := p[s.position*14:][:14]
	for i, f := range s.features {
		mean += w[i] * float64(f)
	}
	inverse := math.Exp(-(p[atScale+s.position] + p[atActivity+s.activity] + p[atCross+s.cross]))
	lo, dlo, zlo := 0.0, 0.0, 0.0
	if !math.IsInf(s.lo, 0) {
		zlo = (s.lo - mean) * inverse
		lo, dlo = curve(zlo)
	}
	hi, dhi, zhi := 1.0, 0.0, 0.0
	if !math.IsInf(s.hi, 0) {
		zhi = (s.hi - mean) * inverse
		hi, dhi = curve(zhi)
	}
	prob := (hi-lo)*(1-s.least) + s.least/s.count
	d := -(1 - s.least) / prob / math.Ln2
	dMean, dScale := d*-(dhi-dlo)*inverse, d*-(dhi*zhi-dlo*zlo)
	g := grad[s.position*14:][:14]
	for i, f := range s.features {
		g[i] += dMean * float64(f)
	}
	grad[atScale+s.position] += dScale
	grad[atActivity+s.activity] += dScale
	grad[atCross+s.cross] += dScale
	return -math.Log2(prob)
}

// fit returns the model of the fewest bits a sample, by Adam on samples drawn by their weight, and these bits.
func fit(samples []sample) (format.Predictor, float64) {
	const steps, batch = 4000, 1500
	var p, m, v [parameters]float64
	for position := 1; position < 4; position++ {
		p[position*14], p[position*14+1] = 0.5, 0.5
	}
	for i := range 4 {
		p[atScale+i] = -2.5
	}
	total := make([]float64, len(samples)) // of the weights up to each sample
	sum := 0.0
	for i := range samples {
		sum += samples[i].weight
		total[i] = sum
	}
	rng := rand.New(rand.NewPCG(3, 4))
	bits := 0.0
	for step := 1; step <= steps; step++ {
		var grad [parameters]float64
		loss := 0.0
		for range batch {
			i, _ := slices.BinarySearch(total, rng.Float64()*sum)
			loss += samples[min(i, len(samples)-1)].loss(&p, &grad)
		}
		if step > steps/2 {
			bits += loss / batch / (steps / 2)
		}
		descend(&p, &m, &v, &grad, step, 1.0/batch, 0.02*(1-float64(step)/steps)+0.0002)
	}
	return integers(&p), bits
}

// descend is a step of Adam; large parameters cost a little.
func descend(p, m, v, grad *[parameters]float64, step int, scale, rate float64) {
	first, second := 1-math.Pow(0.9, float64(step)), 1-math.Pow(0.999, float64(step))
	for i := range p {
		g := grad[i] * scale
		if i < atScale {
			g += 2e-4 * p[i]
		} else if i >= atActivity {
			g += 1e-4 * p[i]
		}
		m[i] = 0.9*m[i] + 0.1*g
		v[i] = 0.999*v[i] + 0.001*g*g
		p[i] -= rate * m[i] / first / (math.Sqrt(v[i]/second) + 1e-9)
	}
}

// integers rounds the parameters: weights to 1/1024, scales to steps of 2^(-1/6).
func integers(p *[parameters]float64) format.Predictor {
	var m format.Predictor
	for position := range m.Weights {
		for i := range m.Weights[position] {
			m.Weights[position][i] = int16(math.Round(1024 * p[position*14+i]))
		}
	}
	step := func(x float64) int8 { return int8(math.Round(-x * scaleSteps / math.Ln2)) }
	for i := range m.Scale {
		m.Scale[i] = step(p[atScale+i])
	}
	for i := range m.Activity {
		m.Activity[i] = step(p[atActivity+i])
	}
	for i := range m.Cross {
		m.Cross[i] = step(p[atCross+i])
	}
	return m
}
