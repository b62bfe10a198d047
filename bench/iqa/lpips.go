package iqa

import (
	"context"
	"math"
	"strconv"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// lpips is the distance of Zhang et al., "The Unreasonable Effectiveness of
// Deep Features as a Perceptual Metric", version 0.1: at five stages of a
// trunk, the channels of each pixel are a vector of length 1, and the squares
// of the differences are weighted by channel and averaged over the picture.
type lpips struct {
	trunk trunk
	lins  [5][]float32 // lin0 to lin4: the channels' weights
}

// A trunk is a network of five stages.
type trunk interface {
	// stage returns the output of stage i and consumes x, that of the stage
	// before or, for the first, the picture.
	stage(ctx context.Context, ws *nn.Workspace, i int, x *nn.Tensor) (*nn.Tensor, error)
	widths() []int
}

// newLPIPS reads the heads.
func newLPIPS(t trunk, heads *weights.Scope) *lpips {
	m := &lpips{trunk: t}
	for i, c := range t.widths() {
		m.lins[i] = heads.Tensor("lin"+strconv.Itoa(i)+".model.1.weight", 1, c, 1, 1).Float32s()
	}
	return m
}

// score returns the distance of two pictures: 0 for the same, and less than
// about 1.
func (m *lpips) score(ctx context.Context, ws *nn.Workspace, p, q *Picture) (float64, error) {
	layers, err := m.layers(ctx, ws, p, q)
	sum := 0.
	for _, v := range layers {
		sum += v
	}
	return sum, err
}

// layers returns each stage's share of the distance.
func (m *lpips) layers(ctx context.Context, ws *nn.Workspace, p, q *Picture) (layers [5]float64, err error) {
	levels := imageNetLevels()
	err = inStep(ctx, ws, m.trunk, levels.tensor(ws, p), levels.tensor(ws, q), func(i int, x, y *nn.Tensor) {
		sum := 0.
		for _, v := range unitDistances(x, y, m.lins[i]) {
			sum += v
		}
		layers[i] = sum / float64(x.Rows())
	})
	return layers, err
}

// inStep passes two pictures through a trunk, a stage at a time, and shows f
// the outputs of each. It consumes x and y.
func inStep(ctx context.Context, ws *nn.Workspace, t trunk, x, y *nn.Tensor, f func(i int, x, y *nn.Tensor)) (err error) {
	for i := range t.widths() {
		if x, err = t.stage(ctx, ws, i, x); err == nil {
			y, err = t.stage(ctx, ws, i, y)
		}
		if err != nil {
			return err // the workspace is closed next
		}
		f(i, x, y)
	}
	ws.Put(x)
	ws.Put(y)
	return nil
}

// unitDistances returns the weighted squared distance of the unit vectors of
// each pixel.
func unitDistances(x, y *nn.Tensor, w []float32) []float64 {
	d := make([]float64, x.Rows())
	nn.Parallel(x.H, func(row int) {
		for i := row * x.W; i < (row+1)*x.W; i++ {
			a, b := x.Data[i*x.C:][:x.C], y.Data[i*x.C:][:x.C]
			na, nb := inverseLength(a), inverseLength(b)
			sum := 0.
			for c, v := range a {
				e := float64(v)*na - float64(b[c])*nb
				sum += float64(w[c]) * e * e
			}
			d[i] = sum
		}
	})
	return d
}

func inverseLength(x []float32) float64 {
	sum := 0.
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return 1 / (math.Sqrt(sum) + 1e-10)
}
