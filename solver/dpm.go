package solver

import "math"

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
//	order 1             c = 0   (DDIM)
//	order 2, midpoint   c = -alpha_t p/2 E0   (their algorithm 2)
//	order 2, heun       c = alpha_t (p/h + 1) E0
//	order 3             c = alpha_t (p/h + 1) D1 - alpha_t ((p+h)/h^2 - 1/2) D2
//
// where midpoint replaces p/h + 1 by -p/2; they differ by terms of order h^2.
//
// Every step is linear in x, m0, m1 and m2: scalar coefficients and one pass
// over the vectors.
//
// At the end of the schedule sigma_t = 0 and lambda_t is infinite. The limit of
// the first-order step is x = m0; higher orders have no limit.
//
// The SDE of the same process (the paper's SDE-DPM-Solver++) adds noise z. With
// q = 1 - e^-2h its steps are
//
//	x_t = sigma_t/sigma_s e^-h x + alpha_t q m0 + c + sigma_t sqrt(q) z
//
// with c as above, but -q for p and 2h for h. Order 3 is not supported: in
// diffusers the coefficient of D2 does not vanish with h.

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

// coefficients returns the coefficients of step i for an order; see the
// derivation above.
func (s *Solver) coefficients(i, order int) combination {
	from, to := s.sigmas[i], s.sigmas[i+1]
	if to == from {
		return combination{x: 1}
	}
	if to == 0 {
		return combination{m: [4]float64{1}}
	}
	order = s.distinct(i, order)
	_, sigmaFrom := split(from)
	alpha, sigma := split(to)
	h := math.Log(from / to) // lambda = -log(sigma/alpha)
	x, noise, length := sigma/sigmaFrom, 0.0, h
	if s.cfg.Method == SDE {
		length = 2 * h
		x *= math.Exp(-h)
		noise = sigma * math.Sqrt(-math.Expm1(-length))
	}
	p := math.Expm1(-length)
	c := combination{x: x, m: [4]float64{-alpha * p}, noise: noise}
	if order == 1 {
		return c
	}
	r0 := math.Log(s.sigmas[i-1]/from) / h
	d1 := alpha * (p/length + 1) // multiplies E0, or D1
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

// distinct lowers the order of step i where two levels are equal, because their
// estimates give no derivative.
func (s *Solver) distinct(i, order int) int {
	if order >= 3 && s.sigmas[i-2] == s.sigmas[i-1] {
		order = 2
	}
	if order >= 2 && s.sigmas[i-1] == s.sigmas[i] {
		order = 1
	}
	return order
}
