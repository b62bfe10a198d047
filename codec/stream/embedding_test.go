package stream

import (
	"math"
	"testing"
)

// TestEmbeddingLevels checks every code of every width: its value is in the middle of its level, and comes back.
func TestEmbeddingLevels(t *testing.T) {
	for bits := 1; bits <= MaxEmbeddingBits; bits++ {
		codes := make([]uint16, 1<<bits)
		for i := range codes {
			codes[i] = uint16(i)
		}
		x := make([]float32, len(codes))
		DequantiseEmbedding(x, codes, bits)
		q := math.Pow(2, float64(1-bits))
		for i, v := range x {
			if want := -1 + (float64(i)+0.5)*q; float64(v) != want {
				t.Fatalf("%d bits: code %d stands for %v, want %v", bits, i, v, want)
			}
		}
		back := make([]uint16, len(codes))
		for _, shift := range []float64{0, -0.5 * q, 0.49 * q} { // the middle, the lower edge, just below the upper
			for i := range x {
				x[i] = float32(-1 + (float64(i)+0.5)*q + shift)
			}
			if err := QuantiseEmbedding(back, x, bits); err != nil {
				t.Fatal(err)
			}
			for i, code := range back {
				if int(code) != i {
					t.Fatalf("%d bits: code of %v is %d, want %d", bits, x[i], code, i)
				}
			}
		}
	}
}

func TestEmbeddingEdges(t *testing.T) {
	inf := float32(math.Inf(1))
	x := []float32{0, float32(math.Copysign(0, -1)), -1e-45, 1, 1.7, inf, -1, -3, -inf}
	codes := make([]uint16, len(x))
	if err := QuantiseEmbedding(codes, x, 1); err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint16{1, 1, 0, 1, 1, 1, 0, 0, 0} {
		if codes[i] != want {
			t.Errorf("the code of %v is %d, want %d", x[i], codes[i], want)
		}
	}
	if err := QuantiseEmbedding(codes[:1], []float32{float32(math.NaN())}, 1); err != errNaN {
		t.Errorf("NaN: %v, want %v", err, errNaN)
	}
}
