package quant

import (
	"math"

	"github.com/coclico/coclico/codec/format"
)

// An Expectation is what the files of one kind tell about a vector with all of
// their codes, where [Sides] is what they tell with one bit a dimension: the mean
// of the values that have the code.
//
// Values are taken as normal, with the model's moments. In the paper's profile
// the mean of a code's values is then known; the 64 cells of 6 bits stand for
// finer ones. In the tuned profile the decoded value is that mean.
type Expectation struct {
	// Energy is the mean of the square of a vector of such means, and Total
	// that of the vector of deviations itself.
	Energy, Total float64

	tuned     bool
	bits      []uint8
	deviation []float32   // tuned
	cells     [][]float32 // paper: by dimension and cell
	drop      int         // paper: bits of a code below those of its cell
}

// cellBits is the number of bits that tell the cells of the paper's profile
// apart: their width, 1/32, is far less than any deviation.
const cellBits = 6

// NewExpectation returns what files with the profile and the bits of header h
// tell.
func NewExpectation(h format.Header, p format.Prior) *Expectation {
	e := &Expectation{tuned: h.Profile == format.Tuned, bits: h.Allocation(p)}
	bits := min(h.DimensionBits, cellBits)
	e.drop = h.DimensionBits - bits
	for i, m := range p.Moments {
		mean, deviation := float64(m.Mean)*unit, float64(m.Std)*unit
		e.Total += deviation * deviation
		if e.tuned {
			e.deviation = append(e.deviation, float32(deviation))
			e.Energy += deviation * deviation * (1 - Loss(int(e.bits[i])))
			continue
		}
		cells := make([]float32, 1<<bits)
		for k := range cells {
			low, high := math.Inf(-1), math.Inf(1) // values outside [-1, 1] have the outer codes
			if k > 0 {
				low = math.Ldexp(float64(k), 1-bits) - 1 - mean
			}
			if k+1 < len(cells) {
				high = math.Ldexp(float64(k+1), 1-bits) - 1 - mean
			}
			value, share := cell(low, high, deviation)
			cells[k] = float32(value)
			e.Energy += share * value * value
		}
		e.cells = append(e.cells, cells)
	}
	return e
}

// cell returns the mean of the values between two thresholds of a normal
// variable of mean 0, and their probability. Where hardly a value lies, it is the
// point nearest to 0.
func cell(low, high, deviation float64) (mean, share float64) {
	nearest := min(max(0, low), high)
	if !(deviation > 0) {
		if low <= 0 && 0 < high {
			return 0, 1
		}
		return nearest, 0
	}
	a, b := low/deviation, high/deviation
	if a+b > 0 { // the tail on the left has the digits
		a, b = -b, -a
		deviation = -deviation
	}
	share = (math.Erfc(-b/math.Sqrt2) - math.Erfc(-a/math.Sqrt2)) / 2
	if share < 1e-9 {
		return nearest, max(share, 0)
	}
	density := (math.Exp(-a*a/2) - math.Exp(-b*b/2)) / math.Sqrt(2*math.Pi)
	return deviation * density / share, share
}

// Put sets x to the expected deviations from the model's means of a vector with
// these codes. h is the file's header, of the Expectation's kind.
func (e *Expectation) Put(x []float32, codes []uint16, h format.Header) {
	if len(codes) != len(e.bits) || len(x) != len(codes) {
		panic("quant: expectation of a vector of another length")
	}
	if !e.tuned {
		for i, code := range codes {
			x[i] = e.cells[i][code>>e.drop]
		}
		return
	}
	level, spread := levels(), Spread(h.Spread)
	state := 0
	for i, code := range codes {
		x[i] = 0
		if n := e.bits[i]; n > 0 {
			state = (state<<n | int(code)) % states
			x[i] = e.deviation[i] * spread * (level[state] * scale(n))
		}
	}
}
