package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/coclico/coclico/kernels/mem"
)

// TestFusedAttention compares the fused loop with the plain one, which adds the
// same terms in another order.
func TestFusedAttention(t *testing.T) {
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		if im.gemms[p].attend == nil {
			t.Skip("no fused loop")
		}
		plain, g := *im, *im.gemms[p]
		g.attend = nil
		plain.gemms[p] = &g
		r := rand.New(rand.NewPCG(21, 22))
		for _, s := range []struct {
			n, lq, lk, heads, dim int
			grow                  float64 // makes scores grow from block to block, with a new maximum in each
		}{
			{1, 17, 256, 1, 64, 0}, {1, 32, 512, 1, 64, 0}, {2, 33, 777, 2, 64, 0}, {1, 128, 1024, 1, 33, 0},
			{1, 129, 512, 3, 48, 0}, {2, 300, 600, 1, 64, 0.01}, {1, 64, 2048, 1, 64, 0.02}, {1, 40, 1024, 1, 64, -0.02},
		} {
			width := s.heads * s.dim
			q, k, v := newOperand(p, s.n, 1, s.lq, width, 0), newOperand(p, s.n, 1, s.lk, width, 0), newOperand(p, s.n, 1, s.lk, width, 0)
			q.Fill(randoms(r, s.n*s.lq*width))
			keys := randoms(r, s.n*s.lk*width)
			for i := range keys {
				keys[i] *= float32(1 + math.Max(0, s.grow*float64(i/width%s.lk)) - math.Min(0, s.grow*float64(s.lk-i/width%s.lk)))
			}
			k.Fill(keys)
			v.Fill(randoms(r, s.n*s.lk*width))
			run := func(im *impl) []float32 {
				current.Store(im)
				dst, out := newOperand(p, s.n, 1, s.lq, width, 0), make([]float32, s.n*s.lq*width)
				Attention(dst, View{q, 0}, View{k, 0}, View{v, 0}, s.heads, s.dim, float32(1/math.Sqrt(float64(s.dim))), false)
				dst.Float32s(out)
				return out
			}
			want64, tol := make([]float64, s.n*s.lq*width), make([]float64, s.n*s.lq*width)
			for i, x := range run(&plain) {
				want64[i] = float64(x)
				tol[i] = math.Abs(want64[i])*0x1p-7 + 1e-6 // one step of bfloat16
			}
			within(t, fmt.Sprint(s), run(im), want64, tol)
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
