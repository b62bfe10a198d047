package solver

import (
	"fmt"
	"math"
	"slices"
)

// A schedule is the sequence of noise levels of a trajectory.
//
// A latent at timestep t is alpha x0 + sigma_t noise with alpha^2 = alphaBar[t]
// and sigma_t^2 = 1 - alphaBar[t]. Following Karras et al. (arXiv 2206.00364),
// a level is identified by the ratio
//
//	sigma = sigma_t / alpha = sqrt((1-alphaBar)/alphaBar),
//
// so that alpha = 1/sqrt(1+sigma^2) and sigma_t = sigma alpha.
type schedule struct {
	timesteps []int     // arguments of the network, one per step, descending
	sigmas    []float64 // float32 values; step i goes from sigmas[i] to sigmas[i+1]
}

// newSchedule is DPMSolverMultistepScheduler.set_timesteps(steps). cfg must be
// valid.
func newSchedule(cfg *Config, steps int) (schedule, error) {
	n := cfg.NumTrainTimesteps
	if steps < 1 || steps > n {
		return schedule{}, fmt.Errorf("solver: %d steps are outside 1..%d (num_train_timesteps)", steps, n)
	}
	train := trainSigmas(cfg.alphasCumprod())
	// Timesteps 0..end-1 are not clipped: their log(alpha/sigma_t) =
	// -log(sigma) is at least lambda_min_clipped.
	end, _ := slices.BinarySearchFunc(train, cfg.LambdaMinClipped, func(sigma, lambda float64) int {
		if -math.Log(sigma) >= lambda {
			return -1
		}
		return 1
	})
	if cfg.Method == UniPC {
		end = n // its class in diffusers has no lambda_min_clipped
	}
	var s schedule
	switch {
	case train[0] == 0 && (cfg.UseKarrasSigmas || cfg.UseExponentialSigmas):
		return schedule{}, fmt.Errorf("solver: without noise at timestep 0 levels cannot be spaced: the first beta, %g, is below the precision of float32", cfg.betas()[0])
	case cfg.UseKarrasSigmas: // clipping has no effect
		s = assigned(train, karras(train, steps), cfg.Method == UniPC || cfg.BetaSchedule != "squaredcos_cap_v2")
	case cfg.UseExponentialSigmas:
		s = assigned(train, exponential(train, steps), false)
	case end == 0:
		return schedule{}, fmt.Errorf("solver: lambda_min_clipped %g leaves no timestep", cfg.LambdaMinClipped)
	default:
		s.timesteps = spaced(cfg, steps, end)
		for _, t := range s.timesteps { // the offset can lead past the last timestep; numpy.interp clamps
			s.sigmas = append(s.sigmas, train[min(t, n-1)])
		}
	}
	last := 0.0
	if cfg.FinalSigmasType == "sigma_min" {
		last = train[0]
	}
	s.sigmas = append(s.sigmas, last)

	for i, t := range s.timesteps {
		if sigma := s.sigmas[i]; !(sigma > 0) || math.IsInf(sigma, 0) {
			return schedule{}, fmt.Errorf("solver: noise level %g at timestep %d: the betas exceed the range of float32", sigma, t)
		}
	}
	return s, nil
}

// trainSigmas returns the noise levels of all training timesteps in ascending
// order, rounded to float32 wherever PyTorch rounds.
func trainSigmas(alphasCumprod []float32) []float64 {
	sigmas := make([]float64, len(alphasCumprod))
	for t, bar := range alphasCumprod {
		ratio := (1 - bar) / bar
		sigmas[t] = float64(float32(math.Sqrt(float64(ratio))))
	}
	return sigmas
}

// spaced chooses timesteps in 0..end-1 as in table 2 of Lin et al. (arXiv
// 2305.08891). It rounds exactly like numpy, which rounds halves to even.
func spaced(cfg *Config, steps, end int) []int {
	ts := make([]int, 0, steps)
	switch cfg.TimestepSpacing {
	case "linspace": // linspace(0, end-1, steps+1) without its 0
		step := float64(end-1) / float64(steps)
		ts = append(ts, end-1)
		for i := steps - 1; i > 0; i-- {
			ts = append(ts, int(math.RoundToEven(float64(i)*step)))
		}
	case "leading": // with as many steps as timesteps, the ratio is 0
		ratio := end / (steps + 1)
		for i := steps; i > 0; i-- {
			ts = append(ts, i*ratio+cfg.StepsOffset)
		}
	default: // trailing: arange(end, 0, -ratio) - 1, shorter than steps if the start is clipped
		first := float64(end)
		delta := first - float64(cfg.NumTrainTimesteps)/float64(steps) - first // like numpy, not the ratio to the last bit
		for i := range steps {
			t := int(math.RoundToEven(first+float64(float64(i)*delta))) - 1
			if t < 0 {
				break
			}
			ts = append(ts, t)
		}
	}
	return ts
}

// karras spaces sigma^(1/rho) evenly from the last to the first training level
// (Karras et al., eq. 5).
func karras(train []float64, steps int) []float64 {
	const rho = 7
	lo, hi := math.Pow(train[0], 1./rho), math.Pow(train[len(train)-1], 1./rho)
	sigmas := make([]float64, steps)
	for i := range sigmas {
		ramp := 0.0 // one step: the upper end
		if steps > 1 {
			ramp = float64(i) / float64(steps-1)
		}
		sigmas[i] = math.Pow(hi+ramp*(lo-hi), rho)
	}
	return sigmas
}

// exponential spaces log(sigma) evenly from the last to the first training
// level.
func exponential(train []float64, steps int) []float64 {
	lo, hi := math.Log(train[0]), math.Log(train[len(train)-1])
	sigmas := make([]float64, steps)
	for i := range sigmas {
		v := hi
		if i > 0 {
			v += float64(float64(i) * ((lo - hi) / float64(steps-1)))
		}
		if i > 0 && i == steps-1 {
			v = lo
		}
		sigmas[i] = math.Exp(v)
	}
	return sigmas
}

// assigned returns the schedule of the given noise levels. The timesteps are
// those nearest to the levels if round is set, and otherwise the next lower
// ones.
func assigned(train, sigmas []float64, round bool) schedule {
	logs := make([]float64, len(train))
	for t, sigma := range train {
		logs[t] = float64(float32(math.Log(sigma)))
	}
	var s schedule
	for _, sigma := range sigmas {
		t := interpolate(logs, math.Log(math.Max(sigma, 1e-10)))
		if round {
			t = math.RoundToEven(t)
		}
		s.timesteps = append(s.timesteps, int(t))
		s.sigmas = append(s.sigmas, float64(float32(sigma)))
	}
	return s
}

// interpolate returns the fractional index of v in the ascending table x of
// float32 values, clamped to the table. It rounds exactly like diffusers'
// _sigma_to_t, because the caller may truncate the result.
func interpolate(x []float64, v float64) float64 {
	above, _ := slices.BinarySearchFunc(x, v, func(e, v float64) int { // the first element above v
		if e <= v {
			return -1
		}
		return 1
	})
	low := min(max(above-1, 0), len(x)-2)
	if low < 0 {
		return 0 // a table of one
	}
	gap := float64(float32(x[low+1] - x[low]))
	if !(gap > 0) {
		return float64(low)
	}
	w := min(max((v-x[low])/gap, 0), 1)
	return float64((1-w)*float64(low)) + float64(w*float64(low+1))
}
