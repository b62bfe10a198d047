// Package iqa computes image quality metrics: the networks that papers on
// compression print, and the measures that need no network.
//
//	metric     kind                      weights
//	MUSIQ      without a reference       Ke et al., ICCV 2021 (arXiv:2108.05997)
//	DBCNN      without a reference       Zhang et al., TCSVT 2020 (arXiv:1907.02665)
//	LPIPS      against a reference       Zhang et al., CVPR 2018 (arXiv:1801.03924), on VGG16 or AlexNet
//	DISTS      against a reference       Ding et al., TPAMI 2022 (arXiv:2004.07728), on VGG16
//	PSNR       against a reference       none
//	MS-SSIM    against a reference       none
//	CMMD       between sets of vectors   CLIP's
//	aesthetics of one CLIP vector        LAION's predictor
//
// A [Set] holds the metrics whose weights exist: [Open] reads them from folders,
// [Synthetic] computes them by the law of package weights. A [Metric] rates one
// [Picture].
//
// # Conventions
//
// Scores follow pyiqa (by Chen and Mo; most papers take their numbers from it),
// lpips and DISTS-pytorch. Every network sees the picture at its own size,
// neither cropped nor scaled. MUSIQ also sees two smaller copies.
//
// # Arithmetic
//
// Products run on the kernels of package nn at the precision of the call.
// Coordinates, norms, statistics and final sums are float64. At nn.Exact the
// scores of the golden cases are within 1e-5 of those computed in float64
// throughout. At nn.Fast, on a machine that multiplies bfloat16, they are off by
// a few thousandths, and those of MUSIQ by 1 to 6 hundredths: publish scores of
// nn.Exact.
package iqa
