package iqa

import (
	"math"

	"github.com/coclico/coclico/nn"
)

// A stem turns patches of 32x32 pixels into rows of 8x8x256 values: the root of
// a ResNet and one bottleneck block, with weight-standardized convolutions
// (Qiao et al., arXiv:1903.10520) and group norms.
type stem struct {
	root                *wideConv
	rootNorm            *groupNorm
	conv1, conv3, proj  *nn.Linear
	conv2               *nn.Conv2D
	gn1, gn2, gn3, gnUp *groupNorm // gnUp is gn_proj
}

func newStem(s nn.Scope, set *nn.WeightSet) *stem {
	var d derived
	d.addWide("conv_root.weight", standardized(s.Sub("conv_root"), 64, 3, 7), 64, 3, 7)
	b := s.Sub("block1")
	d.add("conv1.weight", standardized(b.Sub("conv1"), 64, 64, 1), 64, 64)
	d.add("conv2.weight", standardized(b.Sub("conv2"), 64, 64, 3), 64, 64, 3, 3)
	d.add("conv2.bias", make([]float32, 64), 64)
	d.add("conv3.weight", standardized(b.Sub("conv3"), 256, 64, 1), 256, 64)
	d.add("conv_proj.weight", standardized(b.Sub("conv_proj"), 256, 64, 1), 256, 64)
	at := d.scope(set)
	const rootEps, blockEps = 1e-6, 1e-4
	return &stem{
		root:     &wideConv{nn.NewLinear(at.Sub("conv_root"), 3*7*7, 64, false), 7, 2, 2},
		rootNorm: newGroupNorm(s.Sub("gn_root"), 64, rootEps),
		conv1:    nn.NewLinear(at.Sub("conv1"), 64, 64, false),
		conv2:    nn.NewConv2D(at.Sub("conv2"), 64, 64),
		conv3:    nn.NewLinear(at.Sub("conv3"), 64, 256, false),
		proj:     nn.NewLinear(at.Sub("conv_proj"), 64, 256, false),
		gn1:      newGroupNorm(b.Sub("gn1"), 64, blockEps),
		gn2:      newGroupNorm(b.Sub("gn2"), 64, blockEps),
		gn3:      newGroupNorm(b.Sub("gn3"), 256, blockEps),
		gnUp:     newGroupNorm(b.Sub("gn_proj"), 256, blockEps),
	}
}

// standardized returns a convolution's weights with mean 0 and deviation 1 for
// each output. The deviation is over n-1, as pyiqa has it; Google's own code
// has n, which the group norm behind it hides nearly all of.
func standardized(s nn.Scope, out, in, size int) []float32 {
	w := s.Tensor("weight", out, in, size, size).Float32s()
	n := in * size * size
	for o := range out {
		row := w[o*n : (o+1)*n]
		var sum, square float64
		for _, v := range row {
			sum += float64(v)
		}
		mean := sum / float64(n)
		for _, v := range row {
			square += (float64(v) - mean) * (float64(v) - mean)
		}
		deviation := math.Sqrt(square/float64(n-1)) + 1e-5
		for i, v := range row {
			row[i] = float32((float64(v) - mean) / deviation)
		}
	}
	return w
}

// forward returns [1,1,n,16384] of patches [n,32,32,3], which it consumes: the
// values of each in the order row, column, channel. The caller must put the
// operand back.
func (s *stem) forward(ws *nn.Workspace, x *nn.Tensor) *nn.Operand {
	x = s.root.forward(ws, x, 16, 16)
	ws.Emit("conv_root", x)
	s.rootNorm.apply(x, nil)
	ws.Emit("gn_root", x) // and its ReLU
	x = maxPool(ws, x, 3, 8, 8)
	ws.Emit("root_pool", x)

	a := ws.Fill(x, 0)
	ws.Put(x)
	skip := s.proj.Forward(ws, a, nil)
	s.gnUp.normalize(skip, nil, false)
	h := s.conv1.Forward(ws, a, nil)
	ws.PutOperand(a)
	s.gn1.apply(h, nil)
	h = s.conv2.Apply(ws, h)
	s.gn2.apply(h, nil)
	a = ws.Fill(h, 0)
	ws.Put(h)
	y := s.conv3.Forward(ws, a, nil)
	ws.PutOperand(a)
	s.gn3.apply(y, skip)
	ws.Put(skip)
	ws.Emit("block1", y)

	rows := nn.Tensor{N: 1, H: 1, W: y.N, C: y.H * y.W * y.C, Data: y.Data}
	a = ws.Fill(&rows, 0)
	ws.Put(y)
	return a
}

// A groupNorm is torch's nn.GroupNorm of 32 groups, for many small pictures:
// one at a time fits in the cache. Statistics are float64.
type groupNorm struct {
	weight, bias []float32
	eps          float64
}

const stemGroups = 32

func newGroupNorm(s nn.Scope, channels int, eps float64) *groupNorm {
	return &groupNorm{s.Tensor("weight", channels).Float32s(), s.Tensor("bias", channels).Float32s(), eps}
}

// apply replaces x by ReLU(norm(x) + res). res may be nil.
func (g *groupNorm) apply(x, res *nn.Tensor) { g.normalize(x, res, true) }

func (g *groupNorm) normalize(x, res *nn.Tensor, relu bool) {
	size := x.H * x.W * x.C
	nn.Parallel(x.N, func(n int) {
		v := x.Data[n*size : (n+1)*size]
		g.normalizeOne(v)
		if res != nil {
			add(v, res.Data[n*size:(n+1)*size])
		}
		if relu {
			nn.Activate(v, nn.ReLU)
		}
	})
}

// normalizeOne normalizes one picture [pixels,channels].
func (g *groupNorm) normalizeOne(x []float32) {
	c := len(g.weight)
	sum, square := make([]float64, c), make([]float64, c)
	for i := 0; i < len(x); i += c {
		for j, v := range x[i : i+c] {
			sum[j] += float64(v)
			square[j] += float64(v) * float64(v)
		}
	}
	scale, shift := make([]float32, c), make([]float32, c)
	per := c / stemGroups
	n := float64(len(x) / stemGroups)
	for first := 0; first < c; first += per {
		var s, q float64
		for j := first; j < first+per; j++ {
			s += sum[j]
			q += square[j]
		}
		mean := s / n
		inverse := 1 / math.Sqrt(max(q/n-mean*mean, 0)+g.eps)
		for j := first; j < first+per; j++ {
			gain := float64(g.weight[j]) * inverse
			scale[j], shift[j] = float32(gain), float32(float64(g.bias[j])-mean*gain)
		}
	}
	for i := 0; i < len(x); i += c {
		row := x[i : i+c]
		for j, v := range row {
			row[j] = v*scale[j] + shift[j]
		}
	}
}
