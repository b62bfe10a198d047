package icc

import "math"

// Code points of ITU-T H.273 (2024) that callers treat specially.
const (
	Unspecified  = 2  // primaries or transfer characteristics
	TransferSRGB = 13 // the transfer characteristics of sRGB
)

// CICP returns the profile of color primaries and transfer characteristics of
// ITU-T H.273, sections 8.1 and 8.2. Unspecified ones are those of sRGB. The
// transfer characteristics of television are the inverse of a camera's curve
// rather than a screen's.
func CICP(primaries, transfer uint8) (*Profile, error) {
	p, ok := primariesOf(primaries)
	if !ok {
		return nil, UnsupportedError("unknown primaries")
	}
	switch transfer {
	case 16:
		return nil, UnsupportedError("high dynamic range, PQ")
	case 18:
		return nil, UnsupportedError("high dynamic range, HLG")
	}
	curve := curveOf(transfer)
	if curve == nil {
		return nil, UnsupportedError("unknown transfer characteristics")
	}
	return New(p, curve)
}

// primariesOf returns the primaries of a code, and whether it is known.
func primariesOf(code uint8) (Primaries, bool) {
	c := XY{0.310, 0.316} // illuminant C
	switch code {
	case 1, Unspecified:
		return BT709, true
	case 4: // BT.470, System M
		return Primaries{XY{0.67, 0.33}, XY{0.21, 0.71}, XY{0.14, 0.08}, c}, true
	case 5: // BT.601, 625 lines
		return Primaries{XY{0.64, 0.33}, XY{0.29, 0.60}, XY{0.15, 0.06}, d65}, true
	case 6, 7: // BT.601, 525 lines
		return Primaries{XY{0.630, 0.340}, XY{0.310, 0.595}, XY{0.155, 0.070}, d65}, true
	case 8: // film
		return Primaries{XY{0.681, 0.319}, XY{0.243, 0.692}, XY{0.145, 0.049}, c}, true
	case 9: // BT.2020
		return Primaries{XY{0.708, 0.292}, XY{0.170, 0.797}, XY{0.131, 0.046}, d65}, true
	case 10: // XYZ
		return Primaries{XY{1, 0}, XY{0, 1}, XY{0, 0}, XY{1.0 / 3, 1.0 / 3}}, true
	case 11: // P3 of cinemas
		return Primaries{XY{0.680, 0.320}, XY{0.265, 0.690}, XY{0.150, 0.060}, XY{0.314, 0.351}}, true
	case 12: // Display P3
		return Primaries{XY{0.680, 0.320}, XY{0.265, 0.690}, XY{0.150, 0.060}, d65}, true
	case 22: // EBU Tech. 3213
		return Primaries{XY{0.630, 0.340}, XY{0.295, 0.605}, XY{0.155, 0.077}, d65}, true
	}
	return Primaries{}, false
}

// curveOf returns the curve of transfer characteristics, nil for an unknown code.
func curveOf(code uint8) Curve {
	switch code {
	case 1, 6, 11, 14, 15: // BT.709, BT.601 and BT.2020
		const a, b = 1.09929682680944, 0.018053968510807
		return parametric(1/0.45, 1/a, (a-1)/a, 0, 1/4.5, 0, 4.5*b)
	case 4:
		return Gamma(2.2)
	case 5:
		return Gamma(2.8)
	case 7: // SMPTE 240M
		const a, b = 1.111572195921731, 0.022821585529445
		return parametric(1/0.45, 1/a, (a-1)/a, 0, 1/4.0, 0, 4*b)
	case 8:
		return Linear
	case 9: // logarithmic, 100 to 1
		return func(x float64) float64 { return decades(x, 2) }
	case 10: // logarithmic, 316 to 1
		return func(x float64) float64 { return decades(x, 2.5) }
	case Unspecified, TransferSRGB:
		return SRGB
	case 17: // SMPTE ST 428-1
		return func(x float64) float64 { return math.Pow(x, 2.6) * 52.37 / 48 }
	}
	return nil
}

// decades is a logarithmic curve of n powers of ten, with black at 0.
func decades(x, n float64) float64 {
	if x <= 0 {
		return 0
	}
	return math.Pow(10, (x-1)*n)
}
