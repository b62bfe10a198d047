// Package solver is the mathematics around a diffusion network: which noise levels are visited, how a latent moves from
// one to the next, how the image embedding is noised, and the random numbers that start it all.
//
//   - [Solver]: the schedule and the steps of DPM-Solver++ (Lu et al., arXiv 2211.01095), orders 1 to 3, multistep, as
//     diffusers' DPMSolverMultistepScheduler has them.
//   - [Noising]: the DDPM noising of the image embedding in Stable unCLIP.
//   - [Generator]: the normal numbers of torch.randn on the CPU for a given seed.
//   - [Guide]: classifier-free guidance.
//
// Configuration comes from the scheduler_config.json files of a model folder through [ParseConfig] and [ParseNoising].
// Both check everything a file can say: an unsupported or impossible value is an error that names the key and the value, and
// no file can make them, or [New], panic or allocate more than a few megabytes. A call that the program gets wrong
// (slices of different lengths, a step past the end) panics with a constant string.
//
// # Precision
//
// The noise levels are rounded to float32 exactly where PyTorch rounds them, so that a schedule is the reference's,
// number by number; coefficients are then computed in float64 and applied to float32 vectors in float64, one rounding
// per element and step.
//
// # Where it differs from diffusers
//
// Two noise levels of a schedule can be equal (linspace spacing with as many steps as training timesteps). A step between
// them moves nothing, and the history behind one is not extrapolated from; diffusers divides by zero there.
// Trailing spacing with, say, 61 of 1000 steps, or with a clipped start, can end with a timestep -1 in diffusers, from
// rounding in numpy.arange; it is left out.
//
// The package knows no tensors, reads no files and imports the standard library alone.
package solver
