package iqa

import (
	"context"
	"math"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// dbcnn is the network of Zhang et al., "Blind Image Quality Assessment Using a
// Deep Bilinear Convolutional Neural Network": VGG16 for what a picture shows,
// a small network for how it is distorted, and a linear layer on the products
// of their channels.
type dbcnn struct {
	weights   *nn.WeightSet
	features1 *vgg  // without the last pooling
	features2 chain // SCNN, with its batch norms folded in
	fc        []float32
	bias      float32
}

// scnn are the convolutions of features2: at 0, 3, 6, ..., each followed by a
// batch norm and a ReLU.
var scnn = [9]struct{ in, out, stride int }{
	{3, 48, 1}, {48, 48, 2}, {48, 64, 1}, {64, 64, 2}, {64, 64, 1}, {64, 64, 2}, {64, 128, 1}, {128, 128, 1}, {128, 128, 2},
}

func newDBCNN(scope *weights.Scope) *dbcnn {
	m := &dbcnn{weights: new(nn.WeightSet)}
	s := m.weights.Scope(scope)
	m.features1 = newVGG(s.Sub("features1"), halve)
	list := s.Sub("features2")
	var d derived
	for i, c := range scnn {
		d.fold(list, 3*i, 3*i+1, c.in, c.out)
	}
	folded := d.scope(m.weights)
	for i, c := range scnn {
		m.features2.add(list, 3*i, 3*i+2, nn.NewStridedConv2D(folded.Index(3*i), c.in, c.out, c.stride))
	}
	m.fc = s.Tensor("fc.weight", 1, 512*128).Float32s()
	m.bias = s.Tensor("fc.bias", 1).Float32s()[0]
	return m
}

// score rates a picture. The published weights give about 0 to 1, and older ones
// about 0 to 100; more is better.
func (m *dbcnn) score(ctx context.Context, ws *nn.Workspace, p *Picture) (float64, error) {
	x := imageNetLevels().tensor(ws, p)
	a, err := m.features1.forward(ctx, ws, ws.Keep(x))
	if err != nil {
		return 0, err
	}
	b, err := m.features2.forward(ctx, ws, x)
	if err != nil {
		return 0, err
	}
	b = resizeCorners(ws, b, a.H, a.W) // VGG16 rounds sides down, SCNN up
	ws.Emit("features2_resized", b)
	g := products(a, b)
	ws.Put(a)
	ws.Put(b)
	normalize(g)
	sum := float64(m.bias)
	for i, v := range g {
		sum += v * float64(m.fc[i])
	}
	return sum, nil
}

// products returns, for each pair of channels of a and b, the mean over the
// pixels of their product: [a.C,b.C].
func products(a, b *nn.Tensor) []float64 {
	const per = 4 // channels of a that share a reading of b
	n := a.H * a.W
	g := make([]float64, a.C*b.C)
	nn.Parallel(a.C/per, func(i int) {
		g := g[i*per*b.C:][:per*b.C]
		g0, g1, g2, g3 := g[:b.C], g[b.C:2*b.C], g[2*b.C:3*b.C], g[3*b.C:]
		for p := range n {
			x := a.Data[p*a.C+i*per:][:per]
			x0, x1, x2, x3 := float64(x[0]), float64(x[1]), float64(x[2]), float64(x[3])
			for j, v := range b.Data[p*b.C:][:b.C] {
				y := float64(v)
				g0[j] += x0 * y
				g1[j] += x1 * y
				g2[j] += x2 * y
				g3[j] += x3 * y
			}
		}
		for j := range g {
			g[j] /= float64(n)
		}
	})
	return g
}

// normalize replaces the products by their roots, as a vector of length 1.
func normalize(g []float64) {
	var square float64
	for i, v := range g {
		g[i] = math.Sqrt(v + 1e-8)
		square += v + 1e-8
	}
	length := max(math.Sqrt(square), 1e-12)
	for i := range g {
		g[i] /= length
	}
}
