package iqa

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/coclico/coclico/internal/nntest"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// The golden cases are those of bench/golden/iqa.py: pyiqa, lpips and
// DISTS-pytorch in float64 on the weights of the law. The bounds are those that
// the README of the cases names for a float32 implementation.
const (
	midBound   = 5e-6 // relative RMS
	scoreBound = 1e-5 // relative
)

// A golden case with the outputs of a network's layers.
type golden struct {
	*nntest.Case
	t      *testing.T
	traced map[string]*nn.Tensor
}

func open(t *testing.T, name string) *golden {
	t.Helper()
	return &golden{nntest.Open(t, "testdata/"+name+".safetensors"), t, map[string]*nn.Tensor{}}
}

// trace returns a workspace that keeps the outputs of all layers. Those that
// come in several batches are joined.
func (g *golden) trace(p nn.Precision) *nn.Workspace {
	ws := &nn.Workspace{Precision: p}
	ws.Trace = func(name string, x *nn.Tensor) {
		if before, ok := g.traced[name]; ok {
			before.N += x.N
			before.Data = append(before.Data, x.Data...)
			return
		}
		g.traced[name] = &nn.Tensor{N: x.N, H: x.H, W: x.W, C: x.C, Data: append([]float32(nil), x.Data...)}
	}
	return ws
}

func (g *golden) picture(name string) *Picture {
	raw := g.Raw("in/" + name)
	return &Picture{W: raw.Shape[1], H: raw.Shape[0], Pix: raw.Data}
}

// near compares values with a tensor of the case.
func (g *golden) near(name string, got []float32, bound float64) {
	g.t.Helper()
	want := g.Raw(name).Float32s()
	if len(got) != len(want) {
		g.t.Errorf("%s: %d values, want %d", name, len(got), len(want))
		return
	}
	if e := nntest.RMS(got, want); !(e <= bound) {
		g.t.Errorf("%s: relative RMS error %.3g, at most %.3g", name, e, bound)
	} else {
		g.t.Logf("%s: %.3g", name, e)
	}
}

// scored compares a score with that of the case.
func (g *golden) scored(name string, got, bound float64) {
	g.t.Helper()
	want := float64s(g.Raw("out/" + name))[0]
	if e := math.Abs(got-want) / math.Abs(want); !(e <= bound) {
		g.t.Errorf("%s is %.9g, want %.9g: off by %.2g, at most %.2g", name, got, want, e, bound)
	} else {
		g.t.Logf("%s: %.9g, off by %.2g", name, got, e)
	}
}

// floats returns the elements of a tensor as float64.
func float64s(t weights.Tensor) []float64 {
	x := make([]float64, t.Len())
	for i := range x {
		if t.DType == weights.F64 {
			var bits uint64
			for k := range 8 {
				bits |= uint64(t.Data[8*i+k]) << (8 * k)
			}
			x[i] = math.Float64frombits(bits)
			continue
		}
		var v [1]float32
		t.Read(v[:], i)
		x[i] = float64(v[0])
	}
	return x
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// channelMeans returns the mean of each channel of a picture.
func channelMeans(x *nn.Tensor) []float32 {
	sums := make([]float64, x.C)
	for i, v := range x.Data {
		sums[i%x.C] += float64(v)
	}
	for i := range sums {
		sums[i] /= float64(len(x.Data) / x.C)
	}
	return narrow(sums)
}

// firstChannels returns the first n channels in PyTorch's order.
func firstChannels(x *nn.Tensor, n int) []float32 {
	return x.NCHW()[:n*x.H*x.W]
}

func TestDBCNN(t *testing.T) {
	m := newDBCNN(synthetic(1, func(s *weights.Scope) { newDBCNN(s) }).Scope())
	for _, name := range []string{"64x64", "97x131", "200x160"} {
		t.Run(name, func(t *testing.T) {
			g := open(t, "dbcnn/"+name)
			ws := g.trace(nn.Exact)
			score, err := m.score(context.Background(), ws, g.picture("image"))
			if err != nil {
				t.Fatal(err)
			}
			if ws.InUse() != 0 {
				t.Errorf("%d bytes of the workspace were not put back", ws.InUse())
			}
			ws.Close()
			for name, x := range g.traced {
				if strings.Count(name, ".") == 1 {
					g.near("mid/"+name+"/mean", channelMeans(x), midBound)
				}
			}
			a, b := g.traced["features1.29"], g.traced["features2.26"]
			g.near("mid/features1", firstChannels(a, g.Raw("mid/features1").Shape[1]), midBound)
			g.near("mid/features2", firstChannels(b, g.Raw("mid/features2").Shape[1]), midBound)
			b = g.traced["features2_resized"]
			if a.H != g.traced["features2.26"].H || a.W != g.traced["features2.26"].W {
				g.near("mid/features2_resized", firstChannels(b, 48), midBound)
			}
			p := products(a, b)
			g.matrix("bilinear", p)
			normalize(p)
			g.matrix("normalized", p)
			g.scored("score", score, scoreBound)
		})
	}
}

// matrix compares some rows of a matrix [512,128], and its sums.
func (g *golden) matrix(name string, m []float64) {
	g.t.Helper()
	var rows []float32
	for _, r := range g.Raw("mid/rows").Int64s() {
		rows = append(rows, narrow(m[r*128:(r+1)*128])...)
	}
	g.near("mid/"+name, rows, midBound)
	across, down := make([]float64, 512), make([]float64, 128)
	for i, v := range m {
		across[i/128] += v
		down[i%128] += v
	}
	g.near("mid/"+name+"/sum_of_rows", narrow(across), midBound)
	g.near("mid/"+name+"/sum_of_columns", narrow(down), midBound)
}

var pairs = []string{"64x64_noise", "64x64_blur", "97x75_noise", "97x75_other"}

// A tapped trunk keeps the outputs of its stages.
type tapped struct {
	trunk
	taps [5][]*nn.Tensor
}

func (t *tapped) stage(ctx context.Context, ws *nn.Workspace, i int, x *nn.Tensor) (*nn.Tensor, error) {
	x, err := t.trunk.stage(ctx, ws, i, x)
	if err == nil {
		t.taps[i] = append(t.taps[i], &nn.Tensor{N: x.N, H: x.H, W: x.W, C: x.C, Data: append([]float32(nil), x.Data...)})
	}
	return x, err
}

func syntheticVGG(pool func(*nn.Workspace, *nn.Tensor) *nn.Tensor) *vgg {
	return newVGG(new(nn.WeightSet).Scope(weights.Synthetic(1).Scope()).Sub("features"), pool)
}

func TestLPIPS(t *testing.T) {
	set := new(nn.WeightSet)
	trunks := map[string]trunk{
		"vgg":  syntheticVGG(halve),
		"alex": newAlexNet(set.Scope(weights.Synthetic(1).Scope()).Sub("features"), set),
	}
	for net, trunk := range trunks {
		heads := synthetic(1, func(s *weights.Scope) { newLPIPS(trunk, s) })
		for _, name := range pairs {
			t.Run(net+"/"+name, func(t *testing.T) {
				g := open(t, "lpips/"+name)
				tap := &tapped{trunk: trunk}
				m := newLPIPS(tap, heads.Scope())
				ws := new(nn.Workspace)
				defer ws.Close()
				p, q := g.picture("image0"), g.picture("image1")
				layers, err := m.layers(context.Background(), ws, p, q)
				if err != nil {
					t.Fatal(err)
				}
				if ws.InUse() != 0 {
					t.Errorf("%d bytes of the workspace were not put back", ws.InUse())
				}
				for i, taps := range tap.taps {
					tapName := "mid/" + net + "/tap" + string(rune('0'+i))
					g.near(tapName+"/mean0", channelMeans(taps[0]), midBound)
					g.near(tapName+"/mean1", channelMeans(taps[1]), midBound)
					if name == pairs[0] {
						g.near("mid/"+net+"/map"+string(rune('0'+i)), narrow(unitDistances(taps[0], taps[1], m.lins[i])), midBound)
					}
				}
				g.near("out/"+net+"/layers", narrow(layers[:]), scoreBound)
				score, err := m.score(context.Background(), ws, p, q)
				if err != nil {
					t.Fatal(err)
				}
				g.scored(net+"/score", score, scoreBound)
				if same, err := m.score(context.Background(), ws, p, p); same != 0 || err != nil {
					t.Errorf("the distance of a picture from itself is %v (%v)", same, err)
				}
			})
		}
	}
}

func TestDISTS(t *testing.T) {
	trunk := syntheticVGG(l2Pool)
	m := newDISTS(trunk, synthetic(1, func(s *weights.Scope) { newDISTS(trunk, s) }).Scope())
	for _, name := range pairs {
		t.Run(name, func(t *testing.T) {
			g := open(t, "dists/"+name)
			ws := g.trace(nn.Exact)
			defer ws.Close()
			p, q := g.picture("image0"), g.picture("image1")
			all, err := m.moments(context.Background(), ws, p, q)
			if err != nil {
				t.Fatal(err)
			}
			if ws.InUse() != 0 {
				t.Errorf("%d bytes of the workspace were not put back", ws.InUse())
			}
			last := g.traced["features.29"] // of both pictures
			last.N, last.Data = 1, last.Data[:len(last.Data)/2]
			g.near("mid/stage5", firstChannels(last, 32), midBound)
			for name, f := range map[string]func(v pairMoments) float64{
				"mean0": func(v pairMoments) float64 { return v.meanX },
				"mean1": func(v pairMoments) float64 { return v.meanY },
				"var0":  func(v pairMoments) float64 { return v.varX },
				"var1":  func(v pairMoments) float64 { return v.varY },
				"cov":   func(v pairMoments) float64 { return v.cov },
			} {
				x := make([]float64, len(all))
				for i, v := range all {
					x[i] = f(v)
				}
				g.near("mid/"+name, narrow(x), midBound)
			}
			score, err := m.score(context.Background(), ws, p, q)
			if err != nil {
				t.Fatal(err)
			}
			g.scored("score", score, scoreBound)
			if same, err := m.score(context.Background(), ws, p, p); same != 0 || err != nil {
				t.Errorf("the distance of a picture from itself is %v (%v)", same, err)
			}
		})
	}
}
