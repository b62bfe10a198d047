package iqa

import (
	"context"
	"math"
	"testing"
)

// TestPSNR: the sum of squares of a large picture takes more than 32 bits.
func TestPSNR(t *testing.T) {
	p, q := &Picture{Pix: make([]byte, 3*768*768)}, &Picture{Pix: make([]byte, 3*768*768)}
	for i := range q.Pix {
		q.Pix[i] = 64
	}
	if got, err := psnr(t.Context(), nil, p, q); err != nil || math.Abs(got-20*math.Log10(255./64)) > 1e-9 {
		t.Errorf("PSNR %v, want %v (%v)", got, 20*math.Log10(255./64), err)
	}
}

// TestSimple compares PSNR and MS-SSIM with plain definitions in PyTorch, whose
// MS-SSIM agrees with pytorch-msssim's.
func TestSimple(t *testing.T) {
	g := open(t, "metrics/pairs")
	ref := g.picture("ref")
	inverted := &Picture{ref.W, ref.H, make([]byte, len(ref.Pix))}
	for i, v := range ref.Pix {
		inverted.Pix[i] = 255 - v
	}
	for _, c := range []struct {
		name string
		p, q *Picture
	}{
		{"noise", ref, g.picture("noise")},
		{"blur", ref, g.picture("blur")},
		{"darker", ref, g.picture("darker")},
		{"same", ref, ref},
		{"inverted", ref, inverted},
		{"odd", crop(ref, 167, 165), crop(g.picture("blur"), 167, 165)},
	} {
		got, err := psnr(context.Background(), nil, c.p, c.q)
		want := float64s(g.Raw("out/" + c.name + "/psnr"))[0]
		if err != nil || got != want && math.Abs(got-want) > 1e-12*want {
			t.Errorf("%s: PSNR %v, want %v (%v)", c.name, got, want, err)
		}
		got, err = msssim(context.Background(), nil, c.p, c.q)
		want = float64s(g.Raw("out/" + c.name + "/ms_ssim"))[0]
		if err != nil || math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: MS-SSIM %v, want %v (%v)", c.name, got, want, err)
		}
		levels := float64s(g.Raw("mid/" + c.name + "/levels"))
		for ch := range 3 {
			x, y := newPlane(c.p, ch), newPlane(c.q, ch)
			for level := range 5 {
				got := similarity(x, y, level == 4)
				if want := levels[3*level+ch]; math.Abs(max(got, 0)-want) > 1e-6 {
					t.Errorf("%s: level %d of channel %d has %v, want %v", c.name, level, ch, got, want)
				}
				x, y = x.halve(), y.halve()
			}
		}
	}
}

// crop returns the top left of a picture.
func crop(p *Picture, w, h int) *Picture {
	c := &Picture{W: w, H: h}
	for y := range h {
		c.Pix = append(c.Pix, p.Pix[3*y*p.W:3*(y*p.W+w)]...)
	}
	return c
}
