//go:build !purego

package kernels

import "math"

// exp2TableNEON holds the constants of powers of two, in the order in which
// the assembly loads them. Everything exponential is a power of two here: the
// factor log2(e) costs nothing where there is a factor anyway.
//
// 2^y = 2^n 2^r, n the integer nearest to y and r = y-n, exact, in [-1/2, 1/2].
// 2^r = 1 + r p(r), p of degree 5: the minimax polynomial for the relative
// error of 2^r (Remez' exchange with 40 digits), 2^-27.9, whose rounded
// coefficients were searched for the best neighbours, 2^-27.4. The last step
// is one fused multiply-add, so the result is within 0.9 ulp: half of one for
// its rounding, and that of p times at most 0.35.
//
// 2^n is applied in halves, n>>1 by adding to the exponent of 2^r, the rest by
// a product, which rounds to denormals and overflows to infinity as it should.
// y is held to [-151, 129] before: the first rounds to 0, the second overflows.
// Those operations hand a NaN on.
//
//lint:ignore U1000 the assembly reads it
var exp2TableNEON = [...]float32{
	-151, 129,
	0x1.45261cp-13, 0x1.5fa6f2p-10, 0x1.3b284ep-7, // p, highest power first
	0x1.c6adcp-5, 0x1.ebfbe4p-3, 0x1.62e432p-1,
	1, // also, as an integer, the exponent of 2^0
}

// geluTableNEON holds what GELU needs besides.
//
// GELU(x) = x Phi(x). With a = |x|, Q(a) = Phi(-a) = exp(-a²/2) h(a), where
// h(a) = erfcx(a/√2)/2 falls smoothly from 1/2 like 1/a. In the substitution
// u = 0.35a/(1+0.35a), 1-u = 1/(1+0.35a), of Hastings (Approximations for
// Digital Computers, 1955) h = w - u w with w = 1/2 + u T(u): exact at 0, where
// roundings weigh most (computed as 1/(1+0.35a), 1-u would lose a's last
// digits), and of bounded relative error at infinity. T is the minimax
// polynomial of degree 7 for the relative error of h on 0 <= a <= 14.5: 2^-24.0
// after the coefficients are rounded; 0.35 makes that smallest among 0.33,
// 0.34, 0.345, 0.35 and 0.36. Beyond 14.5 exp(-a²/2) is 0, and a is held to 15
// so that u is not Inf/Inf. Phi is then Q for negative x and 1-Q for the
// others: no cancellation on either side. TestActivateNEON bounds its error.
//
//lint:ignore U1000 the assembly reads it
var geluTableNEON = [...]float32{
	-math.Log2E / 2, 0.35, 15,
	-0x1.d9cccp-6, 0x1.69fdbp-4, -0x1.0128aap-4, -0x1.17d9dep-6, // T, highest power first
	-0x1.0506c6p-4, 0x1.a3f37p-4, 0x1.0b5364p-2, -0x1.47982ep-1,
	0.5,
}

// siluQuads sets x to x/(1+2^(rate*x)), n quads: SiLU with -log2(e),
// QuickGELU with 1.702 times that. Where the power overflows, for SiLU below
// -88.7, the result is -0 instead of some -1e-37.
//
//go:noescape
func siluQuads(x *float32, n int, rate float32)

// gateQuads computes what gateGeneric computes, of n quads of every row, with
// gates at gate instead of half a row after the values.
//
//go:noescape
func gateQuads(value, gate *float32, ld, rows, n int)

// geluQuads sets x to GELU(x), n quads.
//
//go:noescape
func geluQuads(x *float32, n int)

func activateNEON(x []float32, act Activation) {
	n := len(x) &^ 3
	if n > 0 {
		activateQuads(&x[0], n/4, act)
	}
	if t := x[n:]; len(t) > 0 {
		q := quad(t)
		activateQuads(&q[0], 1, act)
		copy(t, q[:])
	}
}

func activateQuads(x *float32, n int, act Activation) {
	switch act {
	case Identity:
	case SiLU:
		siluQuads(x, n, -math.Log2E)
	case GELU:
		geluQuads(x, n)
	case QuickGELU:
		siluQuads(x, n, -1.702*math.Log2E)
	default:
		panic("kernels: unknown activation")
	}
}

func gateNEON(c *float32, ld, rows, half int) {
	n := half &^ 3
	if n > 0 {
		gateQuads(c, at(c, half), ld, rows, n/4)
	}
	if n == half {
		return
	}
	for r := range rows {
		x := row(c, ld, r, 2*half)
		value, gate := quad(x[n:half]), quad(x[half+n:])
		gateQuads(&value[0], &gate[0], 4, 1, 1)
		copy(x[n:half], value[:])
	}
}
