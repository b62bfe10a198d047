package iqa

import (
	"errors"
	"fmt"
	"strings"

	"github.com/coclico/coclico/weights"
)

// flaxRoot is where a checkpoint of google-research/musiq has the weights.
const flaxRoot = "opt/target/"

// IsFlax reports whether a store has the arrays of a checkpoint of
// google-research/musiq, such as koniq_ckpt.npz.
func IsFlax(s *weights.Store) bool {
	for _, name := range s.Names() {
		if strings.HasPrefix(name, flaxRoot) {
			return true
		}
	}
	return false
}

// FromFlax returns the tensors of a checkpoint of google-research/musiq with
// the names, shapes and orders of MUSIQ in PyTorch, which [Open] reads.
func FromFlax(s *weights.Store) ([]weights.Tensor, error) {
	var all []weights.Tensor
	for _, name := range s.Names() {
		path, ok := strings.CutPrefix(name, flaxRoot)
		if !ok {
			continue // the optimizer's state
		}
		t, _ := s.Lookup(name)
		if t.DType > weights.F64 {
			return nil, fmt.Errorf("array %q is not of floats", path)
		}
		to, err := torchName(path, t.Shape)
		if err != nil {
			return nil, err
		}
		all = append(all, torchOrder(to, path, t))
	}
	return all, nil
}

var errNotMUSIQ = errors.New("not a checkpoint of MUSIQ")

// torchName returns the name in PyTorch of an array.
func torchName(path string, shape []int) (string, error) {
	words := strings.Split(path, "/")
	module, field := words[:len(words)-1], words[len(words)-1]
	leaf := map[string]string{"kernel": ".weight", "scale": ".weight", "bias": ".bias", "cls": ".cls",
		"pos_embedding": ".position_emb", "scale_embedding": ".scale_emb"}[field]
	if leaf == "" || len(module) == 0 {
		return "", fmt.Errorf("%w: it has an array %q", errNotMUSIQ, path)
	}
	var name string
	switch {
	case module[0] == "Transformer" && len(module) > 1 && strings.HasPrefix(module[1], "encoderblock_"):
		name = "transformer_encoder.transformer." + module[1]
		for _, w := range module[2:] {
			name += "." + blockName(w)
		}
	case module[0] == "Transformer":
		name = strings.Join(append([]string{"transformer_encoder"}, module[1:]...), ".")
	case module[0] == "block1" && len(module) == 3 && module[1] == "unit1":
		name = "block1." + module[2]
	case module[0] == "head" && len(shape) > 0 && shape[len(shape)-1] > 1:
		name = "head.0"
	default:
		name = strings.Join(module, ".")
	}
	return name + leaf, nil
}

// blockName returns the name of a module of an encoder block. Flax numbers
// modules of all kinds in one sequence: LayerNorm_0, an attention, LayerNorm_2,
// MlpBlock_3.
func blockName(word string) string {
	kind, _, _ := strings.Cut(word, "_")
	switch {
	case word == "LayerNorm_0":
		return "norm1"
	case kind == "LayerNorm":
		return "norm2"
	case strings.HasSuffix(kind, "Attention"):
		return "attention"
	case kind == "MlpBlock":
		return "mlp"
	case word == "Dense_0":
		return "fc1"
	case word == "Dense_1":
		return "fc2"
	}
	return word
}

// torchOrder returns the array as PyTorch orders it: kernels [inputs...,
// outputs...] become [outputs, inputs], convolutions [h,w,in,out] become
// [out,in,h,w], and vectors lose their dimensions of 1.
func torchOrder(name, path string, t weights.Tensor) weights.Tensor {
	x, s := t.Float32s(), t.Shape
	switch {
	case strings.HasSuffix(path, "/bias"), strings.HasSuffix(path, "/scale"):
		return weights.NewTensor(name, x, len(x))
	case strings.HasSuffix(path, "/scale_embedding") && len(s) == 3:
		return weights.NewTensor(name, x, s[len(s)-2:]...)
	case !strings.HasSuffix(path, "/kernel"):
		return weights.NewTensor(name, x, s...)
	case len(s) == 4:
		taps, in, out := s[0]*s[1], s[2], s[3]
		rows := transpose(x, taps*in, out)
		for o := range out {
			copy(rows[o*taps*in:], transpose(rows[o*taps*in:(o+1)*taps*in], taps, in))
		}
		return weights.NewTensor(name, rows, out, in, s[0], s[1])
	case len(s) == 3 && strings.HasSuffix(path, "/out/kernel"): // [heads,dim,out]
		return weights.NewTensor(name, transpose(x, s[0]*s[1], s[2]), s[2], s[0]*s[1])
	case len(s) == 3: // [in,heads,dim]
		return weights.NewTensor(name, transpose(x, s[0], s[1]*s[2]), s[1]*s[2], s[0])
	case len(s) == 2:
		return weights.NewTensor(name, transpose(x, s[0], s[1]), s[1], s[0])
	}
	return weights.NewTensor(name, x, s...)
}

// transpose returns x [rows,columns] as [columns,rows].
func transpose(x []float32, rows, columns int) []float32 {
	y := make([]float32, len(x))
	for r := range rows {
		for c := range columns {
			y[c*rows+r] = x[r*columns+c]
		}
	}
	return y
}
