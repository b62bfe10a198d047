//go:build !purego

package kernels

// expTableNEON holds the constants of the exponential, in the order in which
// the assembly loads them.
//
// exp(x) = 2^n exp(r), n the integer nearest to x/ln 2, r = x - n ln 2 in
// [-ln2/2, ln2/2]. ln 2 is a float32 and its remainder: n times the first is
// a multiple of 2^-24 and x, where n is not 0, one of 2^-25; their difference
// is below 1/2, so the fused subtraction is exact, and the second leaves an
// error far below a rounding.
//
// exp(r) = 1 + r + r² q(r), q of degree 4, the minimax polynomial for the
// relative error of exp (Remez' exchange with 40 digits): 2^-28.2. With the
// roundings the result is within 1 ulp (TestExpNEON).
//
// 2^n is applied in halves, n>>1 by adding to the exponent of exp(r), the rest
// by a product, which rounds to denormals and overflows to infinity as it
// should. x is held to [-104, 89] before: exp(-104) is below half the smallest
// denormal and exp(89) overflows. Those operations hand a NaN on.
var expTableNEON = [...]float32{
	-104, 89,
	0x1.715476p+0,                // 1/ln 2
	0x1.62e43p-1, -0x1.05c61p-29, // ln 2
	0x1.6a23dp-10, 0x1.123a2p-7, 0x1.5558f2p-5, 0x1.555492p-3, 0x1.fffffcp-2, // q, highest power first
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
var geluTableNEON = [...]float32{
	-0.5, 0.35, 15,
	-0x1.d9cccp-6, 0x1.69fdbp-4, -0x1.0128aap-4, -0x1.17d9dep-6, // T, highest power first
	-0x1.0506c6p-4, 0x1.a3f37p-4, 0x1.0b5364p-2, -0x1.47982ep-1,
	0.5,
}

// expSumQuads computes what expSumGeneric computes, of n quads. The sum is
// taken in float64, each lane for itself.
//
//go:noescape
func expSumQuads(x *float32, n int, scale, max float32) float64

// siluQuads sets x to x/(1+exp(-scale*x)), n quads: SiLU with scale 1,
// QuickGELU with 1.702. Where the exponential overflows, below -88.7/scale, the
// result is -0 instead of some -1e-37.
//
//go:noescape
func siluQuads(x *float32, n int, scale float32)

// gateQuads computes what gateGeneric computes, of n quads of every row, with
// gates at gate instead of half a row after the values.
//
//go:noescape
func gateQuads(value, gate *float32, ld, rows, n int)

// geluQuads sets x to GELU(x), n quads.
//
//go:noescape
func geluQuads(x *float32, n int)

func expSumNEON(x []float32, scale, max float32) float32 {
	n := len(x) &^ 3
	var sum float64
	if n > 0 {
		sum = expSumQuads(&x[0], n/4, scale, max)
	}
	if t := x[n:]; len(t) > 0 {
		q := quad(t)
		expSumQuads(&q[0], 1, scale, max)
		copy(t, q[:])
		for _, e := range t {
			sum += float64(e)
		}
	}
	return float32(sum)
}

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
		siluQuads(x, n, 1)
	case GELU:
		geluQuads(x, n)
	case QuickGELU:
		siluQuads(x, n, 1.702)
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
