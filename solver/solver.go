package solver

import (
	"fmt"
	"math"
	"slices"
)

// A Solver moves a latent along one trajectory. It holds the schedule, the
// position on it, and the latest outputs of the network. It is not safe for
// concurrent use.
type Solver struct {
	cfg Config
	schedule

	begin int          // the first step of the trajectory
	next  int          // the next step
	known int          // valid entries of past
	past  [4][]float32 // estimates of x0, newest first; depth of them are used

	last      []float32 // UniPC: the corrected latent before the last step
	lastOrder int       // UniPC: order of the last step
}

// New returns a solver that goes from pure noise to the picture in the given
// number of steps. It is an error if the configuration is out of range, if
// steps is outside 1..num_train_timesteps, if the betas are so small or large
// that a noise level is 0 or infinite in float32, if lambda_min_clipped leaves no
// timestep, or if use_karras_sigmas or use_exponential_sigmas is set and timestep
// 0 has no noise.
func New(cfg Config, steps int) (*Solver, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	sch, err := newSchedule(&cfg, steps)
	if err != nil {
		return nil, err
	}
	cfg.TrainedBetas = nil // the caller's, and no longer needed
	return &Solver{cfg: cfg, schedule: sch}, nil
}

// Timesteps returns the network's timestep argument for every step of the whole
// schedule, in descending order. That of step i of a trajectory that starts at
// index b is Timesteps()[b+i].
func (s *Solver) Timesteps() []int { return slices.Clone(s.timesteps) }

// Sigmas returns the noise levels sigma_t/alpha, one more than Timesteps: step
// i goes from Sigmas()[i] to Sigmas()[i+1].
func (s *Solver) Sigmas() []float64 { return slices.Clone(s.sigmas) }

// Start begins a trajectory within the schedule, for image-to-image: of n steps
// it runs the last int(n*strength), like diffusers' get_timesteps. Strength 1
// starts from pure noise, strength 0 has no steps. Start returns the index of
// the first step, for AddNoise and Timesteps. It is an error if strength is
// outside 0..1.
func (s *Solver) Start(strength float64) (int, error) {
	if !(strength >= 0 && strength <= 1) {
		return 0, fmt.Errorf("solver: strength %g is outside 0..1", strength)
	}
	n := len(s.timesteps)
	s.Begin(n - int(float64(n)*strength))
	return s.begin, nil
}

// Begin begins a new trajectory with step index, 0 <= index <=
// len(Timesteps()).
func (s *Solver) Begin(index int) {
	if index < 0 || index > len(s.timesteps) {
		panic("solver: begin outside the schedule")
	}
	s.begin = index
	s.Reset()
}

// Reset begins a new trajectory with the same first step as the last one.
func (s *Solver) Reset() { s.next, s.known = s.begin, 0 }

// AddNoise writes alpha x + sigma_t noise for the level before step index to
// dst: the start of a trajectory that begins there. Index len(Timesteps()) is
// the last level of the schedule. The slices have the same length and may be
// the same.
func (s *Solver) AddNoise(dst, x, noise []float32, index int) {
	if len(dst) != len(x) || len(dst) != len(noise) {
		panic("solver: lengths differ")
	}
	if index < 0 || index >= len(s.sigmas) {
		panic("solver: noise level outside the schedule")
	}
	alpha, sigma := split(s.sigmas[index])
	for i := range dst {
		dst[i] = float32(alpha*float64(x[i]) + sigma*float64(noise[i]))
	}
}

// Step runs the next step of the schedule from x to dst. model is the network's
// output for x at the timestep of the step, of the configured PredictionType.
// The slices have the same length in all steps of a trajectory and may be the
// same. Step allocates only in the first step of the first trajectory.
//
// Step is for methods without noise; see [Solver.Advance].
func (s *Solver) Step(dst, model, x []float32) {
	if len(dst) != len(model) || len(dst) != len(x) {
		panic("solver: lengths differ")
	}
	s.Estimate(s.push(len(x)), model, x)
	s.advance(dst, x, nil)
}

// Estimate writes the network's estimate of x0 to dst: the picture to which the
// next step leads. model is the network's output for x, as in Step. The slices
// have the same length and may be the same.
func (s *Solver) Estimate(dst, model, x []float32) {
	if len(dst) != len(model) || len(dst) != len(x) {
		panic("solver: lengths differ")
	}
	if s.next >= len(s.timesteps) {
		panic("solver: step past the end of the schedule")
	}
	alpha, sigma := split(s.sigmas[s.next])
	var cx, cm float64 // x0 = cx x + cm model
	switch s.cfg.PredictionType {
	case "epsilon": // the noise: x = alpha x0 + sigma_t eps
		cx, cm = 1/alpha, -sigma/alpha
	case "sample":
		cx, cm = 0, 1
	default: // v_prediction: v = alpha eps - sigma_t x0 (Salimans and Ho, arXiv 2202.00512)
		cx, cm = alpha, -sigma
	}
	for i, m := range model {
		dst[i] = float32(cx*float64(x[i]) + cm*float64(m))
	}
}

// Advance is Step with the estimate x0 of [Solver.Estimate], which the caller
// may have changed, in place of the network's output. noise is standard normal,
// new for every step, if the method is [SDE], and nil otherwise.
func (s *Solver) Advance(dst, x0, x, noise []float32) {
	if len(dst) != len(x0) || len(dst) != len(x) || noise != nil && len(dst) != len(noise) {
		panic("solver: lengths differ")
	}
	copy(s.push(len(x)), x0)
	s.advance(dst, x, noise)
}

// push makes room for a new estimate of x0, before the earlier ones.
func (s *Solver) push(n int) []float32 {
	if s.next >= len(s.timesteps) {
		panic("solver: step past the end of the schedule")
	}
	depth := s.cfg.SolverOrder
	if s.cfg.Method == UniPC {
		depth++
	}
	if len(s.past[0]) != n {
		if s.known > 0 {
			panic("solver: lengths differ between steps")
		}
		for i := range depth {
			s.past[i] = make([]float32, n)
		}
		if s.cfg.Method == UniPC {
			s.last = make([]float32, n)
		}
	}
	oldest := s.past[depth-1]
	copy(s.past[1:depth], s.past[:depth-1])
	s.past[0] = oldest
	s.known = min(s.known+1, depth)
	return oldest
}

// advance runs the next step with the pushed estimate.
func (s *Solver) advance(dst, x, noise []float32) {
	if (noise != nil) != (s.cfg.Method == SDE) {
		panic("solver: noise missing or unexpected")
	}
	if s.cfg.Method == UniPC {
		s.advanceUniPC(dst, x)
	} else {
		s.combine(dst, x, noise, s.coefficients(s.next, s.order()))
	}
	s.next++
}

// A combination has the coefficients of a step, x_t = x x_s + m[0] m0 + m[1] m1
// + m[2] m2 + m[3] m3 + noise z.
type combination struct {
	x     float64
	m     [4]float64
	noise float64
}

// combine writes a combination of x, the estimates in past and z to dst.
func (s *Solver) combine(dst, x, z []float32, c combination) {
	m0, m1, m2, m3 := s.past[0], s.past[1], s.past[2], s.past[3]
	switch {
	case c.m[3] != 0:
		for i := range dst {
			dst[i] = float32(c.x*float64(x[i]) + c.m[0]*float64(m0[i]) + c.m[1]*float64(m1[i]) + c.m[2]*float64(m2[i]) + c.m[3]*float64(m3[i]))
		}
	case c.m[2] != 0:
		for i := range dst {
			dst[i] = float32(c.x*float64(x[i]) + c.m[0]*float64(m0[i]) + c.m[1]*float64(m1[i]) + c.m[2]*float64(m2[i]))
		}
	case c.noise != 0 && c.m[1] != 0:
		for i := range dst {
			dst[i] = float32(c.x*float64(x[i]) + c.m[0]*float64(m0[i]) + c.m[1]*float64(m1[i]) + c.noise*float64(z[i]))
		}
	case c.noise != 0:
		for i := range dst {
			dst[i] = float32(c.x*float64(x[i]) + c.m[0]*float64(m0[i]) + c.noise*float64(z[i]))
		}
	case c.m[1] != 0:
		for i := range dst {
			dst[i] = float32(c.x*float64(x[i]) + c.m[0]*float64(m0[i]) + c.m[1]*float64(m1[i]))
		}
	default:
		for i := range dst {
			dst[i] = float32(c.x*float64(x[i]) + c.m[0]*float64(m0[i]))
		}
	}
}

// split returns alpha and sigma_t of the level sigma = sigma_t/alpha. The sum
// of their squares is 1.
func split(sigma float64) (alpha, sigmaT float64) {
	h := math.Hypot(1, sigma)
	return 1 / h, sigma / h
}
