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
// With the paper's map, whose samples are farther from the picture than what
// the network paints, w = 0.3 lost on color and on meaning.
//
// The weight of a step is [Fade] of the file's number, and the band has three
// quarters of the map's frequencies along each axis. Both were chosen with the
// built-in model, tuned maps and the projection of package quant; area color score
// and CLIP distance of 22 photos and 112 landscapes, "2 to .5" for a weight that
// changes linearly from the first step to the last:
//
//	band  weight     photos          landscapes
//	 -    0          .0158  .177     .00887  .0970
//	8/8   .2         .0134  .186     .00769  .0945
//	8/8   .3         .0128  .189     .00755  .0974
//	6/8   .3         .0128  .190     .00754  .0957
//	8/8   .2 to .5   .0123  .193     .00757  .1031
//	8/8   .4 to .1   .0135  .180     .00770  .0942
//	8/8   .6 to .1   .0131  .180     .00757  .0948
//	8/8   .8 to 0    .0132  .175     .00760  .0943
//	5/8   .7 to .1                   .00764  .0946
//	6/8   .7 to .1   .0130  .184     .00751  .0940
//	6/8   .8 to .1   .0128  .186     .00748  .0943
//
// So the early steps should follow the map, and the late ones what the network
// sees in it. The map's highest frequencies are mostly noise of its levels; a
// weight of exp(-f^2) over the band instead of fewer frequencies gave .0130,
// .185, .00765 and .0953 at .3.
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
