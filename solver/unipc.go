package solver

import "math"

// UniPC (Zhao et al., arXiv 2302.04867) with B(h) = e^-h - 1, diffusers' "bh2".
//
// A step is a prediction of the latent at the next level. Once the network has
// been evaluated there, its estimate m_t corrects that latent at no cost,
// before the following step starts from it. In the notation of dpm.go, with r_k
// = (lambda_sk-lambda_s0)/h < 0 for the level of m_k and D_k = (m_k-m0)/r_k,
// both are
//
//	x_t = sigma_t/sigma_s x - alpha_t p (m0 + sum of w_k D_k)
//
// where the corrector has one term more, with r = 1 and D = m_t - m0. The
// weights solve the linear equations
//
//	sum of w_k r_k^(i-1) = b_i,   b_i = i! phi_i / p,   i = 1, 2, ...
//
// with as many equations as terms and
//
//	phi_1 = p/(-h) - 1,   phi_(i+1) = phi_i/(-h) - 1/(i+1)!,
//
// which is the sum of (-h)^j/(j+i)! over j >= 1. With a single term the weight
// is 1/2, as in the paper's code and diffusers.

// advanceUniPC corrects x, except in the first step, and predicts dst.
func (s *Solver) advanceUniPC(dst, x []float32) {
	if s.next > s.begin {
		s.combine(s.last, s.last, nil, s.corrector(s.next-1, s.lastOrder))
	} else {
		copy(s.last, x)
	}
	s.lastOrder = min(s.cfg.SolverOrder, s.known)
	if s.cfg.LowerOrderFinal {
		s.lastOrder = min(s.lastOrder, len(s.timesteps)-s.next)
	}
	s.combine(dst, s.last, nil, s.predictor(s.next, s.lastOrder))
}

// predictor returns the coefficients of step i for an order.
func (s *Solver) predictor(i, order int) combination {
	if s.sigmas[i+1] == s.sigmas[i] {
		return combination{x: 1}
	}
	if s.sigmas[i+1] == 0 {
		return combination{m: [4]float64{1}}
	}
	u := s.unified(i, s.distinct(i, order))
	c := combination{x: u.x, m: [4]float64{u.m}}
	switch u.order {
	case 2:
		c.add(1, 0, u.m*0.5/u.r[0])
	case 3:
		w2 := (u.b[1] - u.r[0]*u.b[0]) / (u.r[1] - u.r[0])
		c.add(1, 0, u.m*(u.b[0]-w2)/u.r[0])
		c.add(2, 0, u.m*w2/u.r[1])
	}
	return c
}

// corrector returns the coefficients that correct step i, done with an order.
// m[0] is that of the estimate at the end of the step, m[1] that at its start.
func (s *Solver) corrector(i, order int) combination {
	if s.sigmas[i+1] == s.sigmas[i] {
		return combination{x: 1}
	}
	u := s.unified(i, s.distinct(i, order))
	c := combination{x: u.x, m: [4]float64{0, u.m}}
	w := 0.5 // of m_t - m0
	switch r1, r2 := u.r[0], u.r[1]; u.order {
	case 2:
		w1 := (u.b[0] - u.b[1]) / (1 - r1)
		w = u.b[0] - w1
		c.add(2, 1, u.m*w1/r1)
	case 3:
		d1, d2 := u.b[0]-u.b[1], u.b[1]-u.b[2]
		w2 := (d2 - r1*d1) / (r2 - r1) / (1 - r2)
		w1 := (d1 - (1-r2)*w2) / (1 - r1)
		w = u.b[0] - w1 - w2
		c.add(2, 1, u.m*w1/r1)
		c.add(3, 1, u.m*w2/r2)
	}
	c.add(0, 1, u.m*w)
	return c
}

// add adds k (m_i - m_j).
func (c *combination) add(i, j int, k float64) {
	c.m[i] += k
	c.m[j] -= k
}

// A unified has what predictor and corrector of a step share.
type unified struct {
	order int
	x, m  float64    // sigma_t/sigma_s and -alpha_t p
	r     [2]float64 // of m1 and m2
	b     [3]float64
}

func (s *Solver) unified(i, order int) unified {
	from, to := s.sigmas[i], s.sigmas[i+1]
	_, sigmaFrom := split(from)
	alpha, sigma := split(to)
	h := math.Log(from / to) // lambda = -log(sigma/alpha)
	p := math.Expm1(-h)
	u := unified{order: order, x: sigma / sigmaFrom, m: -alpha * p}
	for k := range order - 1 {
		u.r[k] = math.Log(from/s.sigmas[i-1-k]) / h
	}
	factorial := 1.0
	for k := range u.b {
		factorial *= float64(k + 1)
		u.b[k] = factorial * phi(k+1, -h) / p
	}
	return u
}

// phi returns the sum of x^j/(j+k)! over j >= 1, for x < 0.
func phi(k int, x float64) float64 {
	if x > -1 { // the recurrence would cancel
		factorial := 1.0
		for i := 2; i <= k; i++ {
			factorial *= float64(i)
		}
		sum, term := 0.0, 1/factorial
		for j := 1; j <= 20; j++ {
			term *= x / float64(j+k)
			sum += term
		}
		return sum
	}
	v, factorial := math.Expm1(x)/x-1, 1.0
	for i := 2; i <= k; i++ {
		factorial *= float64(i)
		v = v/x - 1/factorial
	}
	return v
}
