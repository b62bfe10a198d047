package kernels

import "math"

// This file holds the coefficients of every polynomial in the assembly, each
// of them once, and how they were found. TestPolynomials measures what is
// claimed here.
//
// Everything exponential is a power of two: the factor log2(e) costs nothing
// where there is a factor anyway.

// wide fills a vector of eight, an operand of AVX2 instructions. AVX-512
// broadcasts the first of them.
func wide(c float32) [8]float32 { return [8]float32{c, c, c, c, c, c, c, c} }

// exp2Table holds the constants of powers of two on amd64.
//
// With f = z - floor(z), 2^z = 2^f 2^floor(z). 2^f on [0,1] is
// 1 + c1 f + ... + c6 f^6 with the c that minimize the largest relative error
// (Remez), rounded to float32 one after another while the others are fitted
// again: 2^-28.8. Degree 5 reaches 2^-23.5, which makes 2.1 units in the last
// place instead of 0.9. The constant 1 makes 2^0 = 1.
var exp2Table = [...][8]float32{
	wide(1),
	wide(0x1.62e42cp-1),  // c1 = 0.69314706
	wide(0x1.ebfd3ap-3),  // c2 = 0.24022909
	wide(0x1.c68af6p-5),  // c3 = 0.055486184
	wide(0x1.3cfd82p-7),  // c4 = 0.0096737752
	wide(0x1.47373ap-10), // c5 = 0.0012482289
	wide(0x1.c4456cp-13), // c6 = 0.00021565970
	wide(128),            // AVX2: from here on 2^z is infinite,
	wide(-127),           // and up to here it is 0
	wide(-0x1.715476p+0), // -log2(e), the rate of SiLU
}

// exp2BF16Table holds c0 to c3 of 2^f = c0 + f(c1 + f(c2 + f c3)) on [0,1), for
// probabilities that become bfloat16, which rounds them by up to 2e-3; -Inf, with
// which a search for a maximum begins; fusedSlack; and -255, the exponent from which
// on a bfloat16 is 0 in any case.
//
// c0 is 1, and the others minimize the largest relative error (Remez, rounded one
// after another): 8.6e-5. With a free c0 it would be 7.5e-5, but 2^0 would be
// 0.999925, by which a maximum that stays would rescale what came before it: 3 %
// in 1024 blocks of keys.
var exp2BF16Table = [...]float32{
	1, 0x1.63e658p-1, 0x1.d23794p-3, 0x1.3baa98p-4,
	float32(math.Inf(-1)), fusedSlack, -255,
}

// geluTable holds what GELU needs besides on amd64.
//
// GELU(x) = x Phi(x) = max(x,0) - h(|x|), where h(a) = a Phi(-a): one function
// for both signs, without cancellation where GELU goes to zero.
//
// Phi(-a) = exp(-a²/2) R(a), and R(a) = erfcx(a/√2)/2 falls from 1/2 like
// 1/(a √(2π)). With t = 1/(1+0.35a) it is t S(t), and S is smooth on the whole
// of (0,1]. Its polynomial of degree 8 minimizes the largest relative error of
// R on 0 <= a <= 14 (Remez, coefficients rounded one after another): 2^-24.8.
// The factor 0.35 is the best of 0.2 to 0.5 at that degree: 0.3 and 0.4 give
// 2^-23.4 and 2^-22.4.
//
// Beyond 14.5, exp(-a²/2) is 0 in float32. There a stays 14.5, so that GELU(+Inf)
// is +Inf, and GELU(-Inf) 0. The exponent -a²/2 log2(e) is rounded to float32,
// so that GELU's relative error on the left grows as a² 2^-24.
var geluTable = [...][8]float32{
	wide(-math.Log2E / 2),
	wide(14.5),
	wide(0.35),
	wide(0x1.1df1d4p-3),  // S0 = 0.13962141
	wide(0x1.1e6fd8p-3),  // S1 = 0.13986176
	wide(0x1.ead6d4p-4),  // S2 = 0.11983378
	wide(0x1.b024acp-4),  // S3 = 0.10550372
	wide(-0x1.7a705p-6),  // S4 = -0.023098066
	wide(0x1.45f2d4p-3),  // S5 = 0.15915456
	wide(-0x1.05d4dcp-2), // S6 = -0.25569481
	wide(0x1.26d518p-3),  // S7 = 0.14396113
	wide(-0x1.dd7ccp-6),  // S8 = -0.029143512
}

// exp2TableNEON holds the constants of powers of two on arm64, in the order in
// which the assembly loads them.
//
// 2^y = 2^n 2^r, where n is the integer nearest to y, and r = y-n is exact and
// in [-1/2, 1/2]. 2^r = 1 + r p(r), with p of degree 5: the minimax polynomial
// for the relative error of 2^r (Remez' exchange with 40 digits) has 2^-27.9,
// and the best neighbors of its coefficients in float32 have 2^-27.4. The last
// step is one fused multiply-add, so the result is within 0.9 ulp: half of one
// for its own rounding, and that of p times at most 0.35.
//
// 2^n is applied in halves: n>>1 by adding to the exponent of 2^r, the rest by
// a product, which rounds to denormals and overflows to infinity as it should.
// y is first limited to [-151, 129]: the former rounds to 0, the latter
// overflows. A NaN passes through these operations.
var exp2TableNEON = [...]float32{
	-151, 129,
	0x1.45261cp-13, 0x1.5fa6f2p-10, 0x1.3b284ep-7, // p, highest power first
	0x1.c6adcp-5, 0x1.ebfbe4p-3, 0x1.62e432p-1,
	1, // also, as an integer, the exponent of 2^0
}

// geluTableNEON holds what GELU needs besides on arm64.
//
// GELU(x) = x Phi(x). With a = |x|, Q(a) = Phi(-a) = exp(-a²/2) h(a), where
// h(a) = erfcx(a/√2)/2 falls smoothly from 1/2 like 1/a. In the substitution u
// = 0.35a/(1+0.35a), 1-u = 1/(1+0.35a), of Hastings (Approximations for Digital
// Computers, 1955) h = w - u w with w = 1/2 + u T(u): exact at 0, where
// rounding errors weigh most (computed as 1/(1+0.35a), 1-u would lose a's last
// digits), and of bounded relative error at infinity. T is the minimax
// polynomial of degree 7 for the relative error of h on 0 <= a <= 14.5: 2^-23.9
// after its coefficients are rounded. 0.35 makes that smallest among 0.33,
// 0.34, 0.345, 0.35 and 0.36. Beyond 14.5, exp(-a²/2) is 0, and a is limited to
// 15 so that u is not Inf/Inf. Phi is then Q for negative x and 1-Q for the
// others, without cancellation on either side. TestActivateNEON bounds its
// error.
var geluTableNEON = [...]float32{
	-math.Log2E / 2, 0.35, 15,
	-0x1.d9cccp-6, 0x1.69fdbp-4, -0x1.0128aap-4, -0x1.17d9dep-6, // T, highest power first
	-0x1.0506c6p-4, 0x1.a3f37p-4, 0x1.0b5364p-2, -0x1.47982ep-1,
	0.5,
}
