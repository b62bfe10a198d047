package codec

import (
	"slices"

	"github.com/coclico/coclico/solver"
)

// A Sampler is how noise becomes a picture: a method that solves the diffusion
// equation, a schedule of noise levels, and refinements of the guidance, each
// as diffusers has it; see package solver. No file holds a sampler. The zero
// value is what files mean: the model's own, which is DPM-Solver++ of order 2
// for every Stable unCLIP, with plain guidance.
//
// Every sampler evaluates the UNet once a step: the corrector of UniPC waits
// for the evaluation of the step that follows.
type Sampler struct {
	Method   Method
	Order    int // 1 to 3, of the SDE 1 or 2; 0 is the model's, 2
	Schedule Schedule

	// GuidanceRescale, from 0 to 1, is the share of the guided output that gets
	// the standard deviation of the unguided one. It takes the glare from
	// pictures of high guidance; 0.7 is usual.
	GuidanceRescale float64

	// GuidanceInterval is the part of the steps that are guided, as fractions;
	// {0, 0} is {0, 1}, all of them. A step that is not guided takes half the
	// time.
	GuidanceInterval [2]float64

	// APG, if not nil, is adaptive projected guidance of the estimated picture.
	APG *APG
}

// A Method is a method of solving the diffusion equation.
type Method string

const (
	MethodDPM   Method = "dpm++"     // DPM-Solver++ multistep, the default; order 1 is DDIM
	MethodSDE   Method = "dpm++-sde" // SDE-DPM-Solver++ multistep, with fresh noise in every step
	MethodUniPC Method = "unipc"     // UniPC
)

// A Schedule says where the steps lie between noise and picture. Sampling.Steps
// and Sampling.Strength count in every one.
type Schedule string

const (
	ScheduleLinspace    Schedule = "linspace" // timesteps at even distances from both ends
	ScheduleLeading     Schedule = "leading"  // from the clean end
	ScheduleTrailing    Schedule = "trailing" // from the noisy end
	ScheduleKarras      Schedule = "karras"   // noise levels of Karras et al.
	ScheduleExponential Schedule = "exponential"
)

// APG is adaptive projected guidance (Sadat et al., arXiv 2410.02416), against
// the saturated colors of high guidance. It is the difference that guidance
// adds to the estimated picture that it changes.
type APG struct {
	Eta       float64 // what is left, 0 to 1, of its part along the estimate
	Threshold float64 // if not 0, the largest norm of the difference
	Momentum  float64 // -1 to 1, of the running average of differences
}

// Validate returns an [OptionError] if a value is out of range.
func (s Sampler) Validate() error {
	most := 3
	if s.Method == MethodSDE {
		most = 2
	}
	start, stop := s.GuidanceInterval[0], s.GuidanceInterval[1]
	switch {
	case !slices.Contains([]Method{"", MethodDPM, MethodSDE, MethodUniPC}, s.Method):
		return optionErrorf("method %q: it is %s, %s or %s", s.Method, MethodDPM, MethodSDE, MethodUniPC)
	case s.Order < 0 || s.Order > most:
		return optionErrorf("order %d: it is 1 to %d", s.Order, most)
	case !slices.Contains([]Schedule{"", ScheduleLinspace, ScheduleLeading, ScheduleTrailing, ScheduleKarras, ScheduleExponential}, s.Schedule):
		return optionErrorf("schedule %q: it is %s, %s, %s, %s or %s", s.Schedule,
			ScheduleLinspace, ScheduleLeading, ScheduleTrailing, ScheduleKarras, ScheduleExponential)
	case !(s.GuidanceRescale >= 0 && s.GuidanceRescale <= 1):
		return optionErrorf("guidance rescale %g: it is 0 to 1", s.GuidanceRescale)
	case !(start >= 0 && start <= stop && stop <= 1):
		return optionErrorf("guidance interval %g to %g: it is within 0 to 1", start, stop)
	case s.APG == nil:
		return nil
	}
	switch a := s.APG; {
	case !(a.Eta >= 0 && a.Eta <= 1):
		return optionErrorf("APG eta %g: it is 0 to 1", a.Eta)
	case !(a.Threshold >= 0 && a.Threshold <= MaxGuidance):
		return optionErrorf("APG threshold %g: it is 0 to %g", a.Threshold, MaxGuidance)
	case !(a.Momentum >= -1 && a.Momentum <= 1):
		return optionErrorf("APG momentum %g: it is -1 to 1", a.Momentum)
	}
	return nil
}

// configure changes the model's configuration.
func (s Sampler) configure(cfg *solver.Config) {
	cfg.Method = map[Method]solver.Method{MethodSDE: solver.SDE, MethodUniPC: solver.UniPC}[s.Method]
	if s.Order != 0 {
		cfg.SolverOrder = s.Order
	}
	if s.Method == MethodSDE {
		cfg.SolverOrder = min(cfg.SolverOrder, 2)
	}
	if s.Schedule == "" {
		return
	}
	cfg.UseKarrasSigmas = s.Schedule == ScheduleKarras
	cfg.UseExponentialSigmas = s.Schedule == ScheduleExponential
	if !cfg.UseKarrasSigmas && !cfg.UseExponentialSigmas {
		cfg.TimestepSpacing = string(s.Schedule)
	}
}

// guidance returns classifier-free guidance of a scale.
func (s Sampler) guidance(scale float64) *solver.Guidance {
	g := solver.NewGuidance(scale)
	g.Rescale = s.GuidanceRescale
	if s.GuidanceInterval != [2]float64{} {
		g.Start, g.Stop = s.GuidanceInterval[0], s.GuidanceInterval[1]
	}
	if a := s.APG; a != nil {
		g.Projected = &solver.Projection{Eta: a.Eta, Threshold: a.Threshold, Momentum: a.Momentum}
	}
	return g
}
