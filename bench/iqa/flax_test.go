package iqa

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/weights"
)

// flaxArray is the inverse of FromFlax for one tensor, element by element.
func flaxArray(t *testing.T, w weights.Tensor) weights.Tensor {
	t.Helper()
	x, s := w.Float32s(), w.Shape
	name := strings.NewReplacer("transformer_encoder.transformer.", "Transformer/", "transformer_encoder", "Transformer", "block1.", "block1/unit1/", "head.0", "head",
		"norm1", "LayerNorm_0", "attention", "MultiHeadDotProductAttention_1", "norm2", "LayerNorm_2", "mlp", "MlpBlock_3", "fc1", "Dense_0", "fc2", "Dense_1",
		"position_emb", "pos_embedding", "scale_emb", "scale_embedding", ".", "/").Replace(w.Name)
	name, isWeight := strings.CutSuffix(name, "/weight")
	array := func(leaf string, y []float32, shape ...int) weights.Tensor {
		return weights.NewTensor(flaxRoot+name+leaf, y, shape...)
	}
	switch {
	case isWeight && len(s) == 4: // a convolution
		y := make([]float32, len(x))
		for o := range s[0] {
			for i := range s[1] {
				for k := range s[2] * s[3] {
					y[(k*s[1]+i)*s[0]+o] = x[(o*s[1]+i)*s[2]*s[3]+k]
				}
			}
		}
		return array("/kernel", y, s[2], s[3], s[1], s[0])
	case isWeight && len(s) == 2:
		y := make([]float32, len(x))
		for o := range s[0] {
			for i := range s[1] {
				y[i*s[0]+o] = x[o*s[1]+i]
			}
		}
		switch {
		case strings.HasSuffix(name, "/out"):
			return array("/kernel", y, musiqHeads, s[1]/musiqHeads, s[0])
		case strings.Contains(name, "Attention"):
			return array("/kernel", y, s[1], musiqHeads, s[0]/musiqHeads)
		}
		return array("/kernel", y, s[1], s[0])
	case isWeight && strings.Contains(name, "gn"):
		return array("/scale", x, 1, 1, 1, s[0])
	case isWeight:
		return array("/scale", x, s...)
	case strings.HasSuffix(name, "scale_embedding"):
		return array("", x, 1, s[0], s[1])
	case strings.HasSuffix(name, "query/bias"):
		return array("", x, musiqHeads, s[0]/musiqHeads)
	}
	return array("", x, s...)
}

func TestFromFlax(t *testing.T) {
	for _, outputs := range []int{1, 10} {
		want := synthetic(1, func(s *weights.Scope) { newMUSIQ(s, outputs) })
		arrays := []weights.Tensor{weights.NewTensor("opt/state/step", []float32{1}, 1)}
		for _, name := range want.Names() {
			w, _ := want.Lookup(name)
			arrays = append(arrays, flaxArray(t, w))
		}
		store := weights.StoreOf("musiq.npz", arrays...)
		if !IsFlax(store) || IsFlax(want) {
			t.Error("IsFlax is wrong")
		}
		got, err := FromFlax(store)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want.Names()) {
			t.Errorf("%d tensors, want %d", len(got), len(want.Names()))
		}
		for _, g := range got {
			w, ok := want.Lookup(g.Name)
			if !ok || !slices.Equal(g.Shape, w.Shape) {
				t.Errorf("%s %v, want %v", g.Name, g.Shape, w.Shape)
				continue
			}
			if !bytes.Equal(g.Data, weights.NewTensor("", w.Float32s(), w.Shape...).Data) {
				t.Errorf("%s has other values", g.Name)
			}
		}
	}
	for _, name := range []string{"x", "x/y", "kernel"} {
		_, err := FromFlax(weights.StoreOf("x", weights.NewTensor(flaxRoot+name, nil, 0)))
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", name)) {
			t.Errorf("an array %s: %v", name, err)
		}
	}
}
