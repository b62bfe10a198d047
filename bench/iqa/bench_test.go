package iqa

import (
	"context"
	"testing"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// BenchmarkScore rates pictures of 768x768 with weights of the law; iqa.py of
// bench/peers times PyTorch on the same networks.
func BenchmarkScore(b *testing.B) {
	const side = 768
	p, q := &Picture{side, side, make([]byte, 3*side*side)}, &Picture{side, side, make([]byte, 3*side*side)}
	for i, v := range weights.SynthNoise("picture", []int{3 * side * side}, 1) {
		p.Pix[i] = uint8(min(max(128+40*v, 0), 255))
		q.Pix[i] = p.Pix[i] / 2
	}
	set := synthetic1()
	for _, m := range set.Metrics {
		for _, precision := range []nn.Precision{nn.Exact, nn.Fast} {
			b.Run(m.Name+"/"+precision.String(), func(b *testing.B) {
				score := func() {
					if _, err := m.Score(context.Background(), precision, q, p); err != nil {
						b.Fatal(err)
					}
				}
				score() // packs the weights
				for b.Loop() {
					score()
				}
			})
		}
	}
}
