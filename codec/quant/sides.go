package quant

import (
	"math"
	"sync"

	"github.com/coclico/coclico/codec/format"
)

// Sides is one bit for each dimension of the vectors of files of one kind: on
// which side of a threshold it lies. An archive is searched by them.
//
// The threshold is where the codes divide the dimension's values nearest to its
// mean: 0 if the paper's vector has one bit, the mean in the tuned profile.
// Values are taken as normal, with the model's moments. So what a side means is
// known: the mean of the values on it.
type Sides struct {
	// Low and High are the means of a dimension's values below and above its
	// threshold, as deviations from the dimension's own mean. Both are 0 if the
	// files do not hold the dimension.
	Low, High []float32

	// Threshold is the deviation from the mean that the sides are divided at.
	Threshold []float32

	// Energy is the mean of the square of a vector of Low and High, and Total
	// that of the vector of deviations itself.
	Energy, Total float64

	tuned bool
	bits  []uint8
	first []uint16 // paper: the least code of the upper side
}

// NewSides returns the sides of the vectors of files with the profile and the
// bits of header h.
func NewSides(h format.Header, p format.Prior) *Sides {
	n := len(p.Moments)
	s := &Sides{
		Low: make([]float32, n), High: make([]float32, n), Threshold: make([]float32, n),
		tuned: h.Profile == format.Tuned, bits: h.Allocation(p), first: make([]uint16, n),
	}
	half := float64(int(1) << (h.DimensionBits - 1)) // 1/q
	for i, m := range p.Moments {
		mean, deviation := float64(m.Mean)*unit, float64(m.Std)*unit
		share := 0.5 // of the values on the upper side
		if s.tuned {
			// A decoded value and the value itself are normal together, and
			// correlated by sqrt(1 - loss).
			s.High[i] = float32(deviation * math.Sqrt(2/math.Pi*(1-Loss(int(s.bits[i])))))
			s.Low[i] = -s.High[i]
		} else {
			edge := min(max(math.Round((mean+1)*half), 1), 2*half-1)
			s.first[i] = uint16(edge)
			threshold := edge/half - 1 - mean
			s.Threshold[i] = float32(threshold)
			var low, high float64
			low, high, share = split(threshold, deviation)
			s.Low[i], s.High[i] = float32(low), float32(high)
		}
		low, high := float64(s.Low[i]), float64(s.High[i])
		s.Energy += share*high*high + (1-share)*low*low
		s.Total += deviation * deviation
	}
	return s
}

// split returns the means of a normal variable of mean 0 below and above a
// threshold, and the probability of the latter. The mean of a side that hardly
// has a value is the threshold.
func split(threshold, deviation float64) (low, high, share float64) {
	if !(deviation > 0) {
		if threshold > 0 {
			return 0, threshold, 0
		}
		return threshold, 0, 1
	}
	z := threshold / deviation
	density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	share = math.Erfc(z/math.Sqrt2) / 2
	side := func(p, sign float64) float64 {
		if p < 1e-9 {
			return threshold
		}
		return sign * deviation * density / p
	}
	return side(1-share, -1), side(share, 1), share
}

// Put sets bit i of dst, whose first bit is the lowest of the first word, if
// dimension i of a vector with these codes is on its upper side. Other bits are
// 0.
func (s *Sides) Put(dst []uint64, codes []uint16) {
	if len(codes) != len(s.Low) || len(dst) != (len(codes)+63)/64 {
		panic("quant: sides of a vector of another length")
	}
	clear(dst)
	// No branches on what is as good as random: half of them would be guessed
	// wrong.
	if !s.tuned {
		first := s.first[:len(codes)]
		for i, code := range codes {
			below := uint64(int64(code)-int64(first[i])) >> 63
			dst[i/64] |= (1 - below) << (i % 64)
		}
		return
	}
	upper := upperStates()
	state := uint(0)
	for i, code := range codes {
		if n := s.bits[i]; n > 0 {
			state = state<<(n&15) | uint(code)
			dst[i/64] |= uint64(upper[state%states]) << (i % 64)
		}
	}
}

// upperStates has 1 for each state above the mean.
var upperStates = sync.OnceValue(func() *[states]uint8 {
	var upper [states]uint8
	for state, level := range levels() {
		if level > 0 {
			upper[state] = 1
		}
	}
	return &upper
})

// PutDeviations sets the bits of a vector given by its deviations from the
// means, as Put does.
func (s *Sides) PutDeviations(dst []uint64, x []float32) {
	if len(x) != len(s.Low) || len(dst) != (len(x)+63)/64 {
		panic("quant: sides of a vector of another length")
	}
	clear(dst)
	for i, v := range x {
		if v >= s.Threshold[i] && s.bits[i] > 0 {
			dst[i/64] |= 1 << (i % 64)
		}
	}
}

// Expect sets x to what is known of a vector's deviations from its sides.
func (s *Sides) Expect(x []float32, sides []uint64) {
	for i := range x {
		x[i] = s.Low[i]
		if sides[i/64]>>(i%64)&1 != 0 {
			x[i] = s.High[i]
		}
	}
}
