package kernels

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/coclico/coclico/kernels/mem"
)

// TestNormBands checks that every band's operand, including the rows above and
// below it, equals the operand of the whole picture at that place.
func TestNormBands(t *testing.T) {
	eachImpl(t, func(t *testing.T, _ *impl, p Precision) {
		r := rand.New(rand.NewPCG(8, 9))
		const n, h, w, c = 2, 9, 15, 24
		x, weight, bias := randoms(r, n*h*w*c), randoms(r, c), randoms(r, c)
		var m Norm
		m.Measure(x, weight, bias, n, h, w, 4, 1e-5)
		for _, silu := range []bool{false, true} {
			whole := emptyOperand(p, n, h, w, c)
			GroupNorm(whole, x, weight, bias, 4, 1e-5, silu)
			for _, rows := range []int{1, 2, 4, h} {
				for i := range n {
					for first := 0; first < h; first += rows {
						band := emptyOperand(p, 1, min(rows, h-first), w, c)
						var above []float32
						if y := i*h + first; first > 0 && rows == 4 {
							above = slices.Clone(x[(y-1)*w*c : y*w*c])
						}
						m.Apply(band, i, first, above, silu)
						sameLines(t, whole, band, i, first)
					}
				}
			}
		}
	})
}

func emptyOperand(p Precision, n, h, w, c int) *Operand {
	b := mem.Alloc(OperandBytes(p, n, h, w, c, 1))
	for i := range b {
		b[i] = 0xA5 // to test what Init leaves alone
	}
	o := new(Operand)
	o.Init(b, p, n, h, w, c, 1)
	return o
}

// sameLines compares rows first-1 to first+H of a picture with the band's,
// including the borders.
func sameLines(t *testing.T, whole, band *Operand, picture, first int) {
	t.Helper()
	for p := range band.form.planes {
		for y := -1; y <= band.H; y++ {
			from, to := band.line(0, y, -1)*band.pitch, band.line(0, y, band.W+1)*band.pitch
			at := whole.line(picture, first+y, -1) * whole.pitch
			if !bytes.Equal(band.plane(p)[from:to], whole.plane(p)[at:at+to-from]) {
				t.Fatalf("picture %d, rows from %d: row %d differs", picture, first, y)
			}
		}
	}
}
