package iqa

import (
	"context"
	"math"
	"testing"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

const musiqPath = "transformer_encoder."

func TestMUSIQ(t *testing.T) {
	koniq, ava := newMUSIQ(weights.Synthetic(1).Scope(), 1), newMUSIQ(weights.Synthetic(1).Scope(), 10)
	for _, name := range []string{"8x96", "96x64", "224x160", "300x400"} {
		t.Run(name, func(t *testing.T) {
			g := open(t, "musiq/"+name)
			p := g.picture("image")
			ws := g.trace(nn.Exact)
			score, err := koniq.score(context.Background(), ws, p)
			if err != nil {
				t.Fatal(err)
			}
			g.scored("score", score, scoreBound)
			g.tokens(p)
			g.patches()
			g.transformer()

			ws.Trace = nil
			out, err := ava.outputs(context.Background(), ws, p)
			if err != nil {
				t.Fatal(err)
			}
			g.near("out/ava_distribution", narrow(softmax(out)), midBound)
			if score, err = ava.score(context.Background(), ws, p); err != nil {
				t.Fatal(err)
			}
			g.scored("ava_score", score, scoreBound)
			if ws.InUse() != 0 {
				t.Errorf("%d bytes of the workspace were not put back", ws.InUse())
			}
			ws.Close()
		})
	}
}

// tokens compares the sizes of the scales, and the scale and the position of
// each token.
func (g *golden) tokens(p *Picture) {
	g.t.Helper()
	sizes, grids := g.Raw("mid/sizes").Int64s(), g.Raw("mid/grids").Int64s()
	scales := newScales(p)
	for i, s := range scales {
		rows, columns := s.grid()
		if got, want := [4]int{s.h, s.w, rows, columns}, [4]int{int(sizes[2*i]), int(sizes[2*i+1]), int(grids[2*i]), int(grids[2*i+1])}; got != want {
			g.t.Errorf("scale %d has size and grid %v, want %v", i, got, want)
		}
	}
	scale, position := g.Raw("mid/scale").Int64s(), g.Raw("mid/position").Int64s()
	all := tokens(scales)
	if len(all) != len(scale) {
		g.t.Fatalf("%d tokens, want %d", len(all), len(scale))
	}
	for i, tok := range all {
		if tok.scale != int(scale[i]) || tok.position != int(position[i]) {
			g.t.Errorf("token %d is at scale %d, position %d; want %d, %d", i, tok.scale, tok.position, scale[i], position[i])
		}
	}
}

// patches compares the stem. Of every patch the case has three numbers, of a
// few all values.
func (g *golden) patches() {
	g.t.Helper()
	shown := g.Raw("mid/shown").Int64s()
	x := g.traced["patches"]
	var full []float32
	for _, i := range shown {
		full = append(full, picture(x, int(i)).NCHW()...)
	}
	g.near("mid/patches", full, midBound)
	for _, name := range []string{"patches", "root_pool", "block1"} {
		x := g.traced[name]
		size := x.H * x.W * x.C
		noise := weights.SynthNoise("probe/"+name, []int{size}, 1)
		var probe []float64
		for i := range x.N {
			var mean, square, product float64
			for k, v := range x.Data[i*size : (i+1)*size] {
				mean += float64(v)
				square += float64(v) * float64(v)
				product += float64(v) * float64(noise[k])
			}
			n := float64(size)
			probe = append(probe, mean/n, math.Sqrt(square/n), product/math.Sqrt(n))
		}
		g.near("mid/"+name+"/probe", narrow(probe), midBound)
	}
	if !g.Has("mid/conv_root") {
		return
	}
	middle := int(shown[1])
	g.near("mid/conv_root", firstChannels(picture(g.traced["conv_root"], middle), 8), midBound)
	g.near("mid/root_pool", picture(g.traced["root_pool"], middle).NCHW(), midBound)
	g.near("mid/block1", picture(g.traced["block1"], middle).NCHW(), midBound)
	norm := g.Raw("mid/gn_root").Float32s() // before its ReLU
	for i, v := range norm {
		norm[i] = max(v, 0)
	}
	got := firstChannels(picture(g.traced["gn_root"], middle), 8)
	for i, v := range got {
		if d := math.Abs(float64(v - norm[i])); d > 1e-5 {
			g.t.Fatalf("gn_root: element %d is %g, want %g", i, v, norm[i])
		}
	}
}

// picture returns picture n of a batch.
func picture(x *nn.Tensor, n int) *nn.Tensor {
	size := x.H * x.W * x.C
	return &nn.Tensor{N: 1, H: x.H, W: x.W, C: x.C, Data: x.Data[n*size : (n+1)*size]}
}

// transformer compares rows of tokens; row 0 is cls.
func (g *golden) transformer() {
	g.t.Helper()
	rows := g.Raw("mid/rows").Int64s()
	pick := func(x []float32, shift int64) (picked []float32) {
		for _, r := range rows[shift:] {
			picked = append(picked, x[(r-shift)*musiqWidth:(r-shift+1)*musiqWidth]...)
		}
		return picked
	}
	g.near("mid/embedding", pick(g.traced["embedding"].Data, 1), midBound)
	g.near("mid/tokens", pick(g.traced["tokens"].Data, 0), midBound)
	for _, block := range []string{"0", "6", "13"} {
		name := musiqPath + "transformer.encoderblock_" + block
		g.near("mid/"+name, pick(g.traced[name].Data, 0), midBound)
	}
	g.near("mid/"+musiqPath+"encoder_norm", g.traced["encoder_norm"].Data, midBound)
	first := musiqPath + "transformer.encoderblock_0"
	if !g.Has("mid/" + first + ".attention") {
		return
	}
	// The network adds attention and the feed-forward layer to the stream.
	before, stream, after := g.traced["tokens"].Data, g.traced[first+".attention"].Data, g.traced[first].Data
	attention, mlp := make([]float32, len(before)), make([]float32, len(before))
	for i := range before {
		attention[i], mlp[i] = stream[i]-before[i], after[i]-stream[i]
	}
	g.near("mid/"+first+".attention", pick(attention, 0), midBound)
	g.near("mid/"+first+".mlp", pick(mlp, 0), midBound)
}

// TestRules compares sizes that depend on how halves are rounded, and the cells
// of all grids of up to 64 patches.
func TestRules(t *testing.T) {
	g := open(t, "musiq/rules")
	sizes := g.Raw("in/sizes").Int64s()
	for i, name := range []string{"out/224", "out/384"} {
		want := g.Raw(name).Int64s()
		for k := 0; k < len(sizes); k += 2 {
			h, w := fit(int(sizes[k]), int(sizes[k+1]), musiqSides[i])
			if h == 0 || w == 0 {
				h, w = 0, 0 // pyiqa raises an error
			}
			if int64(h) != want[k] || int64(w) != want[k+1] {
				t.Errorf("%dx%d becomes %dx%d, want %dx%d", sizes[k], sizes[k+1], h, w, want[k], want[k+1])
			}
		}
	}
	cells := g.Raw("out/hash").Int64s()
	for n := 1; n <= 64; n++ {
		for i := range n {
			if got, want := cell(i, n), int(cells[(n-1)*64+i]); got != want {
				t.Errorf("patch %d of %d is in cell %d, want %d", i, n, got, want)
			}
		}
	}
}
