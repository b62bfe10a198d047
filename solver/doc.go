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
//   - [LowBand]: color guidance.
//
// [ParseConfig] and [ParseNoising] parse the scheduler_config.json files of a
// model folder. An unsupported or impossible value is an error that names the
// key and the value. No file makes them, or [New], panic or allocate more than
// a few megabytes. An incorrect call, such as one with slices of different
// lengths or a step past the end, panics with a constant string.
//
// # Color guidance
//
// A picture should have the colors of a map, c = L x0, its lowest frequencies.
// With the network's output e, the estimate of the picture is x0(e) = (z - s
// e)/a at the noise level s of the signal a. To descend d = |L x0 - c|^2 while
// staying near e,
//
//	e' = e + k (s/a) P (x0(e) - z_c),  P = L^T L,
//
// where z_c is the latent of the map and P projects onto the low band; or,
// seen from the estimate, x0' = x0 - k (s/a)^2 P (x0 - z_c). Scaled like that
// the guidance dies with s. Bordin and Maugey (arXiv 2404.06865) find that it
// must not: with a constant weight w in place of k (s/a)^2 each step takes
//
//	x0 <- x0 + w P (z_c - x0)
//
// before it is completed: [LowBand.Pull] between [Solver.Estimate] and
// [Solver.Advance]. w = 0 is no guidance; w = 1 replaces the band, as ILVR does.
// With the built-in model, 24 photos and 28 landscapes and a tuned map: w = 0.3
// lowers the color score by 30 and 29 % and does not harm the CLIP distance
// (0.133 to 0.126, 0.092 to 0.086); w = 0.6 and 1 gain less than a tenth more
// and lose on the distance. With the paper's map, whose samples are farther from
// the picture than what the network paints, w = 0.3 lost on both.
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
