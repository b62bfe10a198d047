package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/coclico/coclico/kernels/mem"
)

// TestFusedAttention checks the fused loop with maxima that rise and fall from key
// to key, slowly and by more than the slack, and that it is what runs.
func TestFusedAttention(t *testing.T) {
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		if im.gemms[p].attend == nil {
			t.Skip("no fused loop")
		}
		counted, g := *im, *im.gemms[p]
		var stages atomic.Int32
		g.attend = func(b *attendBlock) {
			stages.Add(int32(b.n))
			im.gemms[p].attend(b)
		}
		counted.gemms[p] = &g
		current.Store(&counted)
		r := rand.New(rand.NewPCG(21, 22))
		for _, s := range []struct {
			lq, lk, heads, dim int
			grow               float64 // makes scores grow from key to key, or fall
			zeros              int     // first queries that are zero, whose maxima stay
		}{
			{17, 256, 1, 64, 0, 0}, {32, 512, 1, 64, 0, 0}, {33, 777, 2, 64, 0, 0}, {128, 1024, 1, 33, 0, 0}, {129, 512, 3, 48, 0, 0}, {300, 600, 1, 64, 0.01, 0},
			{64, 2048, 1, 64, 0.02, 0}, {20, 1024, 1, 64, 0.5, 0}, {40, 1024, 1, 64, -0.02, 0}, {65, 1024, 1, 64, 0.5, 0}, {100, 320, 2, 64, -0.5, 0}, {32, 1024, 1, 64, 5, 16}, {96, 1100, 1, 64, 50, 0},
		} {
			width := s.heads * s.dim
			q, k, v := newOperand(p, 1, 1, s.lq, width, 0), newOperand(p, 1, 1, s.lk, width, 0), newOperand(p, 1, 1, s.lk, width, 0)
			queries, keys, values := randoms(r, s.lq*width), randoms(r, s.lk*width), randoms(r, s.lk*width)
			for i := range keys {
				keys[i] *= float32(1 + math.Max(0, s.grow*float64(i/width)) - math.Min(0, s.grow*float64(s.lk-i/width)))
			}
			clear(queries[:s.zeros*width])
			for o, x := range map[*Operand][]float32{q: queries, k: keys, v: values} {
				o.Fill(x)
				o.Float32s(x) // as rounded
			}
			dst, got := newOperand(p, 1, 1, s.lq, width, 0), make([]float32, s.lq*width)
			scale := float32(1 / math.Sqrt(float64(s.dim)))
			stages.Store(0)
			Attention(dst, View{q, 0}, View{k, 0}, View{v, 0}, s.heads, s.dim, scale, false)
			if want := s.lk / fusedKeys * ((s.lq + fusedRows - 1) / fusedRows) * s.heads; int(stages.Load()) < want {
				t.Errorf("%v: %d stages ran, not %d", s, stages.Load(), want)
			}
			dst.Float32s(got)
			want, tol := make([]float64, len(got)), make([]float64, len(got))
			for i := range s.lq * s.heads {
				o := i * s.dim
				h := i % s.heads * s.dim
				attendOne(want[o:o+s.dim], tol[o:o+s.dim], queries[o:o+s.dim], keys[h:], values[h:], width, scale, true)
			}
			within(t, fmt.Sprint(s), got, want, tol)
		}
	})
}

// TestAttentionAlone: what a picture's queries see does not depend on the pictures
// beside it, whose queries may be in the same block, with scores that are larger.
func TestAttentionAlone(t *testing.T) {
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		r := rand.New(rand.NewPCG(23, 24))
		const n, heads, dim = 3, 2, 64
		const width = heads * dim
		for _, tokens := range []int{257, 270, 300} {
			attend := func(x []float32) []float32 {
				o := newOperand(p, len(x)/(tokens*width), 1, tokens, width, 0)
				dst := newOperand(p, o.N, 1, tokens, width, 0)
				o.Fill(x)
				Attention(dst, View{o, 0}, View{o, 0}, View{o, 0}, heads, dim, 0.125, false)
				got := make([]float32, len(x))
				dst.Float32s(got)
				return got
			}
			x := randoms(r, n*tokens*width)
			for i := range x { // scores grow from key to key, and from picture to picture
				picture, token := i/(tokens*width), i/width%tokens
				x[i] *= float32(0.5+20*float32(picture%2)) * (1 + 0.003*float32(token))
			}
			all := attend(x)
			for i := range n {
				one := x[i*tokens*width:][:tokens*width]
				same(t, fmt.Sprintf("picture %d of %d tokens", i, tokens), all[i*len(one):][:len(one)], attend(one), nil)
			}
		}
	})
}

// TestLimit checks that limit keeps a buffer up to its size and frees a larger
// one.
func TestLimit(t *testing.T) {
	var b []byte
	grow(&b, 3*mem.HugePage)
	if limit(&b, 3*mem.HugePage); cap(b) != 3*mem.HugePage {
		t.Errorf("a buffer at the limit now has %d bytes", cap(b))
	}
	if limit(&b, 3*mem.HugePage-1); b != nil || len(grow(&b, 1)) != 1 {
		t.Error("a buffer above the limit is kept, or not replaced")
	}
}
