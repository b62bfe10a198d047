package search

import (
	"math"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
)

// Deviations returns a CLIP vector as a query: less the model's means.
func Deviations(vector []float32, p format.Prior) []float32 {
	mean, _ := quant.Moments(format.NewHeader(len(p.Moments)), p)
	q := make([]float32, len(vector))
	for i, v := range vector {
		q[i] = v - mean[i]
	}
	return q
}

// FileQuery returns a query for the picture of a .coclico file: what its codes tell
// of the picture's vector, see [quant.Expectation]. Errors are those of
// [format.Parse] and [format.File.Vector]; a file of another model is a
// [format.FormatError].
func FileQuery(data []byte, p format.Prior) (Query, error) {
	f, err := format.Parse(data)
	if err != nil {
		return Query{}, err
	}
	if f.Fingerprint != p.Fingerprint {
		return Query{}, errModel
	}
	codes, err := f.Vector(p)
	if err != nil {
		return Query{}, err
	}
	e := quant.NewExpectation(f.Header, p)
	q := Query{Vector: make([]float32, len(codes)), Share: e.Energy / e.Total}
	e.Put(q.Vector, codes, f.Header)
	return q, nil
}

const errModel = format.FormatError("file of another model than the archive's")

// Direction returns a direction as a query: a vector of any length, such as that
// of words, becomes as long as a picture's usually is, so that it lies on the
// sides of thresholds that a picture in this direction does.
func Direction(v []float32, p format.Prior) []float32 {
	length, total := 0.0, 0.0
	for i, m := range p.Moments {
		length += float64(v[i]) * float64(v[i])
		total += float64(m.Std) * float64(m.Std) / (1 << 48)
	}
	q := make([]float32, len(v))
	if length > 0 {
		scale := float32(math.Sqrt(total / length))
		for i, x := range v {
			q[i] = x * scale
		}
	}
	return q
}
