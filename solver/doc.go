// Package solver implements the mathematics around a diffusion network: the
// schedule of noise levels, the steps of a latent from one level to the next,
// the noising of the image embedding, and the random numbers.
//
//   - [Solver]: schedules and steps of DPM-Solver++ (Lu et al., arXiv
//     2211.01095), multistep, orders 1 to 3, like diffusers'
//     DPMSolverMultistepScheduler.
//     Its SDE variant and UniPC are options; see [Method].
//   - [Noising]: the DDPM noising of the image embedding in Stable unCLIP.
//   - [Generator]: the normal numbers of torch.randn on the CPU.
//   - [Guide] and [Guidance]: classifier-free guidance and its refinements.
//
// [ParseConfig] and [ParseNoising] parse the scheduler_config.json files of a
// model folder. An unsupported or impossible value is an error that names the
// key and the value. No file makes them, or [New], panic or allocate more than
// a few megabytes. An incorrect call, such as one with slices of different
// lengths or a step past the end, panics with a constant string.
//
// # Precision
//
// Noise levels are rounded to float32 exactly where PyTorch rounds them, so a
// schedule equals the reference's number by number. Coefficients are computed
// in float64 and applied to float32 vectors in float64, with one rounding per
// element and step.
//
// # Differences from diffusers
//
// Two noise levels of a schedule can be equal (linspace spacing with as many
// steps as training timesteps). A step between them changes nothing, and later
// steps do not extrapolate from it; diffusers divides by zero. Trailing spacing
// with, for example, 61 of 1000 steps, or with a clipped start, can end with a
// timestep of -1 in diffusers, because of rounding in numpy.arange; here that
// step is left out.
//
// The package has no tensors, reads no files and imports only the standard
// library.
package solver
