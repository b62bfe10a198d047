package solver

import (
	"fmt"
	"math"
	"slices"
)

// DPM-Solver++ (Lu et al., arXiv 2211.01095), multistep.
//
// Write a latent as x = alpha x0 + sigma_t noise, and let lambda =
// log(alpha/sigma_t). With m(lambda) the network's estimate of x0, the exact
// solution of the diffusion ODE (their eq. 9) from a level s to a cleaner level
// t is
//
//	x_t = sigma_t/sigma_s x_s + sigma_t integral from lambda_s to lambda_t of e^lambda m(lambda) dlambda.
//
// Only m is unknown under the integral. Expand it around lambda_s, m = m0 + m0'
// (lambda-lambda_s) + ..., and integrate e^lambda (lambda-lambda_s)^k/k!
// analytically. With h = lambda_t - lambda_s and p = e^-h - 1:
//
//	sigma_t int e^lambda                          = -alpha_t p
//	sigma_t int e^lambda (lambda-lambda_s)        =  alpha_t (p/h + 1) h
//	sigma_t int e^lambda (lambda-lambda_s)^2 / 2  = -alpha_t ((p+h)/h^2 - 1/2) h^2
//
// The derivatives come from the estimates m1 and m2 at the previous levels.
// With r0 = (lambda_s0-lambda_s1)/h and r1 = (lambda_s1-lambda_s2)/h, the
// divided differences are
//
//	E0 = (m0-m1)/r0                        about h m0'
//	E1 = (m1-m2)/r1
//	D1 = E0 + r0/(r0+r1) (E0-E1)           about h m0', one order better
//	D2 = (E0-E1)/(r0+r1)                   about h^2 m0''
//
// and the steps of diffusers (dpm_solver_first_order_update and its two
// siblings) are x_t = sigma_t/sigma_s x - alpha_t p m0 + c with
//
//	order 1             c = 0                                                     (DDIM)
//	order 2, midpoint   c = -alpha_t p/2 E0       (their algorithm 2: -p/2 for p/h + 1)
//	order 2, heun       c = alpha_t (p/h + 1) E0
//	order 3             c = alpha_t (p/h + 1) D1 - alpha_t ((p+h)/h^2 - 1/2) D2
//
// Every step is linear in x, m0, m1 and m2: scalar coefficients and one pass
// over the vectors.
//
// At the end of the schedule sigma_t = 0 and lambda_t is infinite. The limit of
// the first-order step is x = m0; higher orders have no limit.

// A Solver moves a latent along one trajectory. It holds the schedule, the
// position on it, and the latest outputs of the network. It is not safe for
// concurrent use.
type Solver struct {
	cfg Config
	schedule

	begin int          // the first step of the trajectory
	next  int          // the next step
	known int          // valid entries of past: steps since begin, at most SolverOrder
	past  [3][]float32 // estimates of x0, newest first; SolverOrder of them are used
}

// New returns a solver that goes from pure noise to the picture in the given
// number of steps. It is an error if the configuration is out of range, if
// steps is outside 1..num_train_timesteps, or if the betas are so small or
// large that a noise level is 0 or infinite in float32.
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
func (s *Solver) Step(dst, model, x []float32) {
	if len(dst) != len(model) || len(dst) != len(x) {
		panic("solver: lengths differ")
	}
	if s.next >= len(s.timesteps) {
		panic("solver: step past the end of the schedule")
	}
	s.remember(model, x)
	c := s.coefficients(s.next, s.order())
	m0, m1, m2 := s.past[0], s.past[1], s.past[2]
	switch {
	case c.m[2] != 0:
		for i := range dst {
			dst[i] = float32(c.x*float64(x[i]) + c.m[0]*float64(m0[i]) + c.m[1]*float64(m1[i]) + c.m[2]*float64(m2[i]))
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
	s.next++
}

// remember turns the network's output into an estimate of x0 and puts it before
// the earlier ones.
func (s *Solver) remember(model, x []float32) {
	order := s.cfg.SolverOrder
	if len(s.past[0]) != len(x) {
		if s.known > 0 {
			panic("solver: lengths differ between steps")
		}
		for i := range order {
			s.past[i] = make([]float32, len(x))
		}
	}
	oldest := s.past[order-1]
	copy(s.past[1:order], s.past[:order-1])
	s.past[0] = oldest
	s.known = min(s.known+1, order)

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
		oldest[i] = float32(cx*float64(x[i]) + cm*float64(m))
	}
}

// order returns the order of the next step: as high as configuration and
// history allow, and lower at the end of the schedule.
func (s *Solver) order() int {
	n := len(s.timesteps)
	few := s.cfg.LowerOrderFinal && n < 15
	switch {
	case s.next == n-1 && (few || s.cfg.EulerAtFinal || s.cfg.FinalSigmasType == "zero"):
		return 1
	case s.next == n-2 && few:
		return min(s.known, 2)
	}
	return s.known
}

// A combination has the coefficients of a step, x_t = x x_s + m[0] m0 + m[1] m1
// + m[2] m2.
type combination struct {
	x float64
	m [3]float64
}

// coefficients returns the coefficients of step i for an order; see the
// derivation above. It lowers the order where two levels are equal, because
// their estimates give no derivative.
func (s *Solver) coefficients(i, order int) combination {
	from, to := s.sigmas[i], s.sigmas[i+1]
	if to == from {
		return combination{x: 1}
	}
	if to == 0 {
		return combination{m: [3]float64{1}}
	}
	if order >= 3 && s.sigmas[i-2] == s.sigmas[i-1] {
		order = 2
	}
	if order >= 2 && s.sigmas[i-1] == from {
		order = 1
	}
	_, sigmaFrom := split(from)
	alpha, sigma := split(to)
	h := math.Log(from / to) // lambda = -log(sigma/alpha)
	p := math.Expm1(-h)
	c := combination{x: sigma / sigmaFrom, m: [3]float64{-alpha * p}}
	if order == 1 {
		return c
	}
	r0 := math.Log(s.sigmas[i-1]/from) / h
	d1 := alpha * (p/h + 1) // multiplies E0, or D1
	if order == 2 {
		if s.cfg.SolverType == "midpoint" {
			d1 = -alpha * p / 2
		}
		c.m[0] += d1 / r0
		c.m[1] -= d1 / r0
		return c
	}
	r1 := math.Log(s.sigmas[i-2]/s.sigmas[i-1]) / h
	d2 := -alpha * ((p+h)/(h*h) - 0.5)
	e1 := (d1*r0 + d2) / (r0 + r1) // D1 and D2 give d1 E0 + e1 (E0-E1)
	e0 := d1 + e1
	c.m[0] += e0 / r0
	c.m[1] -= e0/r0 + e1/r1
	c.m[2] += e1 / r1
	return c
}

// split returns alpha and sigma_t of the level sigma = sigma_t/alpha. The sum
// of their squares is 1.
func split(sigma float64) (alpha, sigmaT float64) {
	h := math.Hypot(1, sigma)
	return 1 / h, sigma / h
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
