package kernels

// An enlarging convolution has four 2x2 convolutions of the small picture, one
// for each parity of its outputs; see [PackUp]. Directly they take 4 products
// per output. Winograd's form takes 49 for a tile of 6x6 outputs, 1.36 each.
//
// In one dimension, with the taps g0, g1 and g2, the outputs of pixels d are
//
//	even(k) = g0 d(k-1) + (g1+g2) d(k)
//	odd(k)  = (g0+g1) d(k) + g2 d(k+1)
//
// Three outputs of a convolution with 2 taps w0 and w1 take four products,
// F(3,2) with the points 0, 1, -1 and infinity:
//
//	m0 = w0 (d0-d2)
//	m1 = (w0+w1)/2 (d1+d2)     w0 d0 + w1 d1 = m0 + m1 + m2
//	m2 = (w0-w1)/2 (d2-d1)     w0 d1 + w1 d2 = m1 - m2
//	m3 = w1 (d3-d1)            w0 d2 + w1 d3 = m1 + m2 + m3
//
// Two things are shared. Even and odd outputs transform the same pixels: the
// four from 3t-1 on give even(3t) to even(3t+2) and odd(3t-1) to odd(3t+1), the
// six outputs from 6t-1 on, so that tiles leave no gap. And at the
// point 1 both have the same product, since the sum of their taps is the same:
// 7 products for 6 outputs, in this order:
//
//	  element of Gg    element of Bᵀd
//	0 g0               d0-d2
//	1 (g0-g1-g2)/2     d2-d1             odd(3t-1)  = M4 + M3 + M5
//	2 g1+g2            d3-d1             even(3t)   = M0 + M3 + M1
//	3 (g0+g1+g2)/2     d1+d2             odd(3t)    = M3 - M5
//	4 g0+g1            d0-d2             even(3t+1) = M3 - M1
//	5 (g0+g1-g2)/2     d2-d1             odd(3t+1)  = M3 + M5 + M6
//	6 g2               d3-d1             even(3t+2) = M3 + M1 + M2
//
// In two dimensions 16 planes of pixels serve 49 products. The transforms of
// the weights begin with the taps that PackUp has added up: w0 and w1 of even
// outputs, then those of odd ones.
//
// All constants are ±1 and 1/2, so that no transform multiplies by a rounded
// number. For sums of 320 channels of normal weights and SiLU of normal pixels,
// the error relative to the root mean square of the result is 5.3e-7, that of
// the direct form 6.6e-7. (Fewer products are less accurate: with a fifth point,
// 1/2 or 2, 1.27 products per output and 2.0e-6; with 1/2 and -2, 1.21 and
// 2.3e-6. The points of F(4x4,3x3), which do not include 1, take 1.44 and have
// 1.7e-6. And 0, 1 and infinity take 1.56, 1 and infinity 2.25.)
var winogradUp = &winogradForm{
	in: 4, step: 3, out: 6, lead: 1, taps: 4, planes: 16, products: squares(0, 2, 3, 1, 0, 2, 3), blocks: 4, run: 4,
}
