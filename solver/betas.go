package solver

import (
	"fmt"
	"math"
)

// maxTimesteps bounds num_train_timesteps, so that no configuration takes more
// than a few megabytes.
const maxTimesteps = 100_000

// Betas describes the noise that the forward process adds at each training
// timestep. All of diffusers' schedulers share this part of the configuration;
// the defaults are those of their constructors.
type Betas struct {
	NumTrainTimesteps int     `json:"num_train_timesteps"` // 1..100000; default 1000
	BetaStart         float64 `json:"beta_start"`          // in (0, 1); default 0.0001
	BetaEnd           float64 `json:"beta_end"`            // in (0, 1); default 0.02

	// BetaSchedule is "linear" (the default), "scaled_linear" or
	// "squaredcos_cap_v2".
	BetaSchedule string `json:"beta_schedule"`

	// TrainedBetas, if not nil, replaces the schedule: one value in (0, 1) per
	// timestep.
	TrainedBetas []float64 `json:"trained_betas"`
}

func defaultBetas() Betas {
	return Betas{NumTrainTimesteps: 1000, BetaStart: 0.0001, BetaEnd: 0.02, BetaSchedule: "linear"}
}

func (b *Betas) validate() error {
	if b.NumTrainTimesteps < 1 || b.NumTrainTimesteps > maxTimesteps {
		return fmt.Errorf("solver: num_train_timesteps %d is outside 1..%d", b.NumTrainTimesteps, maxTimesteps)
	}
	if b.TrainedBetas != nil {
		if len(b.TrainedBetas) != b.NumTrainTimesteps {
			return fmt.Errorf("solver: trained_betas has %d values for num_train_timesteps %d", len(b.TrainedBetas), b.NumTrainTimesteps)
		}
		for i, beta := range b.TrainedBetas {
			if !isBeta(beta) {
				return fmt.Errorf("solver: trained_betas[%d] = %g is not between 0 and 1", i, beta)
			}
		}
		return nil
	}
	switch b.BetaSchedule {
	case "squaredcos_cap_v2": // does not use BetaStart and BetaEnd
	case "linear", "scaled_linear":
		if !isBeta(b.BetaStart) {
			return fmt.Errorf("solver: beta_start %g is not between 0 and 1", b.BetaStart)
		}
		if !isBeta(b.BetaEnd) {
			return fmt.Errorf("solver: beta_end %g is not between 0 and 1", b.BetaEnd)
		}
	default:
		return fmt.Errorf("solver: beta_schedule %q is not supported (linear, scaled_linear, squaredcos_cap_v2)", b.BetaSchedule)
	}
	return nil
}

// isBeta reports whether beta is between 0 and 1, both excluded. It reports
// false for NaN.
func isBeta(beta float64) bool { return beta > 0 && beta < 1 }

// alphasCumprod returns the fraction of the signal's variance that remains
// after each timestep,
//
//	alphaBar[t] = (1-beta[0]) (1-beta[1]) ... (1-beta[t]),
//
// rounded like PyTorch's: betas and alphas are float32, and torch.cumprod
// accumulates float32 in float64 and rounds every partial product. The rounding
// matters: at t = 0, 1-alphaBar is 4e-5 and has only nine significant bits.
func (b *Betas) alphasCumprod() []float32 {
	bar := b.betas()
	prod := 1.0
	for t, beta := range bar {
		prod *= float64(1 - beta)
		bar[t] = float32(prod)
	}
	return bar
}

// betas returns diffusers' betas (schedulers/scheduling_ddpm.py) in float32. b
// must be valid.
func (b *Betas) betas() []float32 {
	n := b.NumTrainTimesteps
	betas := make([]float32, n)
	switch {
	case b.TrainedBetas != nil:
		for t, beta := range b.TrainedBetas {
			betas[t] = float32(beta)
		}
	case b.BetaSchedule == "linear":
		linspace32(betas, b.BetaStart, b.BetaEnd)
	case b.BetaSchedule == "scaled_linear": // linear in the square root, as in latent diffusion
		linspace32(betas, math.Sqrt(b.BetaStart), math.Sqrt(b.BetaEnd))
		for t, root := range betas {
			betas[t] = root * root
		}
	default: // squaredcos_cap_v2 of improved DDPM (arXiv 2102.09672, eq. 17): alphaBar is a squared cosine
		const maxBeta = 0.999
		alphaBar := func(t int) float64 {
			c := math.Cos((float64(t)/float64(n) + 0.008) / 1.008 * math.Pi / 2)
			return c * c
		}
		for t := range betas {
			betas[t] = float32(min(1-alphaBar(t+1)/alphaBar(t), maxBeta))
		}
	}
	return betas
}

// linspace32 is torch.linspace(start, end, len(dst)) in float32: the step is
// rounded once, and each half counts from its own end
// (aten/src/ATen/native/cpu/RangeFactoriesKernel.cpp).
func linspace32(dst []float32, start, end float64) {
	first, last := float32(start), float32(end)
	if len(dst) == 1 {
		dst[0] = first
		return
	}
	step := (last - first) / float32(len(dst)-1)
	for i := range dst {
		if i < len(dst)/2 {
			dst[i] = float32(float64(first) + float64(step)*float64(i)) // one rounding: torch uses a fused multiply-add
		} else {
			dst[i] = float32(float64(last) - float64(step)*float64(len(dst)-1-i))
		}
	}
}
