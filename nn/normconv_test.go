package nn

import (
	"fmt"
	"slices"
	"testing"

	"github.com/coclico/coclico/kernels"
)

// TestBands: a block that runs a few rows at a time, down to one row of tiles,
// computes the same bits. With 32 outputs its convolutions are not direct where
// float32 is multiplied.
func TestBands(t *testing.T) {
	for _, p := range []kernels.Precision{kernels.Exact, kernels.Fast} {
		for _, c := range []ResnetConfig{{In: 8, Out: 8}, {In: 16, Out: 8, Time: 6}, {In: 8, Out: 16}, {In: 32, Out: 32}, {In: 16, Out: 36, Time: 6}} {
			c.Groups, c.Eps, c.Act = 4, 1e-6, kernels.SiLU
			t.Run(fmt.Sprintf("%d to %d at %d", c.In, c.Out, p), func(t *testing.T) {
				b := NewResnetBlock(scope(), c)
				want := runBlock(t, b, p, 0, c)
				for _, band := range []int{1, 20_000, 40_000, 60_000} {
					if !slices.Equal(want, runBlock(t, b, p, band, c)) {
						t.Errorf("bands of %d bytes change the result", band)
					}
				}
			})
		}
	}
}

// runBlock runs b on a tensor of the workspace and on one of the caller, which
// must give the same result.
func runBlock(t *testing.T, b *ResnetBlock, p kernels.Precision, band int, c ResnetConfig) []float32 {
	t.Helper()
	ws := &Workspace{Precision: p, band: band, LowMemory: band > 0}
	defer ws.Close()
	const n, h, w = 2, 11, 13
	x := noise(n, h, w, c.In)
	own := ws.Get(n, h, w, c.In)
	copy(own.Data, x.Data)
	var temb *Operand
	if c.Time > 0 {
		temb = ws.Fill(noise(n, 1, 1, c.Time), 0)
	}
	y, z := b.Forward(ws, ws.Keep(x), temb), b.Forward(ws, own, temb)
	if !slices.Equal(y.Data, z.Data) {
		t.Errorf("bands of %d bytes: the result for the workspace's tensor differs", band)
	}
	result := slices.Clone(y.Data)
	ws.Put(y)
	ws.Put(z)
	if temb != nil {
		ws.PutOperand(temb)
	}
	if ws.InUse() != 0 || len(ws.transient) != 0 {
		t.Errorf("bands of %d bytes: %d bytes in use, %d weights packed", band, ws.InUse(), len(ws.transient))
	}
	return result
}

// TestProfile checks the kinds of work and the counts of operations.
func TestProfile(t *testing.T) {
	b := NewResnetBlock(scope(), ResnetConfig{In: 16, Out: 8, Time: 6, Groups: 4, Eps: 1e-6, Act: kernels.SiLU})
	for _, band := range []int{0, 20_000} {
		var p Profile
		ws := &Workspace{Profile: &p, band: band}
		x, temb := noise(2, 11, 13, 16), ws.Fill(noise(2, 1, 1, 6), 0)
		b.Forward(ws, x, temb)
		px := 2 * 11 * 13
		conv, linear := flop(px, 8, 9*16)+flop(px, 8, 9*8), flop(px, 8, 16)+flop(2, 8, 6)
		if p[KindConv].FLOP != conv || p[KindLinear].FLOP != linear || p.Total().FLOP != conv+linear {
			t.Errorf("counted %+v, want %g and %g", p, conv, linear)
		}
		for _, k := range []Kind{KindConv, KindLinear, KindNorm, KindOther} {
			if p[k].Time <= 0 {
				t.Errorf("%v took no time", k)
			}
		}
		if p[KindAttention] != (Work{}) {
			t.Errorf("attention: %+v", p[KindAttention])
		}
		ws.Close()
	}
}
