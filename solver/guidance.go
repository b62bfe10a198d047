package solver

import "math"

// Guidance is classifier-free guidance with its refinements, in the forms of
// diffusers (diffusers:src/diffusers/guiders). [NewGuidance] returns the plain
// one; the fields may then be changed.
type Guidance struct {
	// Scale is the factor of cond - uncond; 1 is the conditional output.
	Scale float64

	// Rescale, from 0 (off) to 1, is the share of the result that gets the
	// standard deviation of the conditional output (Lin et al., arXiv
	// 2305.08891, section 3.4).
	Rescale float64

	// Start and Stop are fractions of the steps. Outside of them the result is
	// the conditional output and the unconditional one is not needed
	// (Kynkäänniemi et al., arXiv 2404.07724).
	Start, Stop float64

	// Projected is adaptive projected guidance, or nil.
	Projected *Projection
}

// A Projection is adaptive projected guidance (Sadat et al., arXiv 2410.02416),
// which changes the difference cond - uncond. The paper applies it to estimates
// of x0, not to the network's outputs; see [Solver.Estimate].
type Projection struct {
	// Eta scales the part of the difference that is parallel to cond, which
	// saturates colors; 1 is plain guidance.
	Eta float64

	// Threshold, if positive, bounds the Euclidean norm of the difference.
	Threshold float64

	// Momentum is the weight of the running average of earlier differences, and
	// usually negative; 0 is none.
	Momentum float64

	average []float32
}

// NewGuidance returns plain guidance of the given scale.
func NewGuidance(scale float64) *Guidance { return &Guidance{Scale: scale, Stop: 1} }

// Active reports whether step i of n needs the unconditional output.
func (g *Guidance) Active(i, n int) bool {
	return g.Scale != 1 && int(g.Start*float64(n)) <= i && i < int(g.Stop*float64(n))
}

// Reset forgets the momentum, for the next trajectory.
func (g *Guidance) Reset() {
	if g.Projected != nil {
		g.Projected.average = nil
	}
}

// Apply writes the guided output of one picture to dst. uncond is nil in steps
// where Active is false. The slices have the same length, and dst may be one of
// the others.
func (g *Guidance) Apply(dst, uncond, cond []float32) {
	if len(dst) != len(cond) || uncond != nil && len(dst) != len(uncond) {
		panic("solver: lengths differ")
	}
	deviation := 0.0
	if g.Rescale > 0 {
		deviation = standardDeviation(cond) // before dst overwrites it
	}
	switch {
	case uncond == nil:
		copy(dst, cond)
	case g.Projected != nil:
		g.Projected.apply(dst, uncond, cond, g.Scale)
	default:
		Guide(dst, uncond, cond, g.Scale)
	}
	if g.Rescale > 0 {
		if own := standardDeviation(dst); own > 0 {
			factor := float32(g.Rescale*deviation/own + 1 - g.Rescale)
			for i := range dst {
				dst[i] *= factor
			}
		}
	}
}

// standardDeviation returns the standard deviation of x.
func standardDeviation(x []float32) float64 {
	var sum, squares float64
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		d := float64(v) - mean
		squares += d * d
	}
	return math.Sqrt(squares / float64(len(x)))
}

func (p *Projection) apply(dst, uncond, cond []float32, scale float64) {
	if p.average == nil {
		p.average = make([]float32, len(cond))
	}
	if len(p.average) != len(cond) {
		panic("solver: lengths differ between steps")
	}
	var norm, dot, square float64
	for i, c := range cond {
		d := c - uncond[i] + float32(p.Momentum*float64(p.average[i]))
		p.average[i] = d
		norm += float64(d) * float64(d)
		dot += float64(d) * float64(c)
		square += float64(c) * float64(c)
	}
	shrink := 1.0
	if norm = math.Sqrt(norm); p.Threshold > 0 && norm > p.Threshold {
		shrink = p.Threshold / norm
	}
	parallel := 0.0 // the part of the difference along cond, in units of cond
	if square > 0 {
		parallel = dot / square
	}
	for i, u := range uncond {
		along := parallel * float64(cond[i])
		across := float64(p.average[i]) - along
		dst[i] = float32(float64(u) + scale*shrink*(across+p.Eta*along))
	}
}

// Guide writes uncond + scale (cond - uncond) to dst: classifier-free guidance
// (Ho and Salimans, arXiv 2207.12598) in the form of diffusers, where scale 1
// is the conditional output. The slices have the same length and may be the
// same.
func Guide(dst, uncond, cond []float32, scale float64) {
	if len(dst) != len(uncond) || len(dst) != len(cond) {
		panic("solver: lengths differ")
	}
	g := float32(scale)
	for i, u := range uncond {
		dst[i] = u + g*(cond[i]-u)
	}
}
