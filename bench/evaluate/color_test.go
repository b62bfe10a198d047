package evaluate

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/coclico/coclico/codec/quant"
	"github.com/coclico/coclico/weights"
)

// TestGoldenColorScore compares the color score with PyTorch's interpolation in
// float64; bench/golden/iqa.py makes the case.
func TestGoldenColorScore(t *testing.T) {
	c, err := weights.OpenFile("../iqa/testdata/metrics/pairs.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	picture := func(name string) ([]byte, int, int) {
		x, ok := c.Lookup("in/" + name)
		if !ok {
			t.Fatalf("no picture %s", name)
		}
		return x.Data, x.Shape[1], x.Shape[0]
	}
	ref, w, h := picture("ref")
	inverted := make([]byte, len(ref))
	for i, v := range ref {
		inverted[i] = 255 - v
	}
	noise, _, _ := picture("noise")
	blur, _, _ := picture("blur")
	darker, _, _ := picture("darker")
	crop := func(rgb []byte) (part []byte) {
		for y := range 165 {
			part = append(part, rgb[3*y*w:3*(y*w+167)]...)
		}
		return part
	}
	for _, p := range []struct {
		name string
		a, b []byte
		w, h int
	}{
		{"noise", ref, noise, w, h}, {"blur", ref, blur, w, h}, {"darker", ref, darker, w, h}, {"same", ref, ref, w, h},
		{"inverted", ref, inverted, w, h}, {"odd", crop(ref), crop(blur), 167, 165},
	} {
		x, ok := c.Lookup("out/" + p.name + "/color_score")
		if !ok {
			t.Fatalf("no score of %s", p.name)
		}
		want := math.Float64frombits(binary.LittleEndian.Uint64(x.Data))
		got := quant.Score(quant.Interpolate(p.a, p.w, p.h, quant.ScoreSide), quant.Interpolate(p.b, p.w, p.h, quant.ScoreSide))
		if math.Abs(got-want) > 1e-6*want {
			t.Errorf("%s: color score %v, want %v", p.name, got, want)
		}
	}
}
