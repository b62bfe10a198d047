package convert

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/weights"
)

// A file is a part's weights: what is read, and what is written of it.
type file struct {
	part, name string
	read       []weights.Tensor
	specs      []weights.Spec // of the same tensors
}

// open opens a part that has weights and compares them with its configuration.
func (c *converter) open(part string) error {
	f := file{part: part, name: "diffusion_pytorch_model.safetensors"}
	narrow := true
	switch part {
	case "feature_extractor", "image_noising_scheduler", "scheduler", "tokenizer":
		return nil
	case "image_encoder", "text_encoder": // transformers' own
		f.name = "model.safetensors"
	case promptPart:
		f.name, narrow = "model.safetensors", false
	case "image_normalizer":
		narrow = false // 6 kB, from which a stream's tables are made
	}
	store, err := model.Check(c.from, part)
	if err != nil {
		return err
	}
	p := Part{Name: part}
	for _, name := range store.Names() {
		if strings.HasSuffix(name, "position_ids") {
			continue // 0, 1, 2, ...
		}
		t, _ := store.Lookup(name)
		spec := weights.Spec{Name: name, DType: t.DType, Shape: t.Shape}
		if part == "vae" {
			spec = modern(spec)
		}
		if narrow {
			spec.DType = weights.F16
		}
		f.read = append(f.read, t)
		f.specs = append(f.specs, spec)
		p.Before += int64(len(t.Data))
		p.After += int64(t.Len() * spec.DType.Size())
		c.total += 2 * int64(len(t.Data))
	}
	c.files = append(c.files, f)
	c.report.Parts = append(c.report.Parts, p)
	return nil
}

// modern gives the tensors of the VAE's attention the names and shapes that
// they have had since diffusers 0.18: AttentionBlock's became Attention's
// (diffusers:src/diffusers/models/modeling_utils.py,
// _convert_deprecated_attention_blocks).
func modern(s weights.Spec) weights.Spec {
	names := map[string]string{"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
	words := strings.Split(s.Name, ".")
	if len(words) < 3 || !slices.Contains(words, "attentions") {
		return s
	}
	if name, ok := names[words[len(words)-2]]; ok {
		words[len(words)-2] = name
		s.Name = strings.Join(words, ".")
		if len(s.Shape) == 4 && s.Shape[2] == 1 && s.Shape[3] == 1 {
			s.Shape = s.Shape[:2]
		}
	}
	return s
}

// piece is how many values are converted at a time.
const piece = 1 << 18

// checkRange finds the values that would become infinite.
func (c *converter) checkRange() error {
	buf := make([]float32, piece)
	var beyond []Beyond
	for _, f := range c.files {
		for i, t := range f.read {
			b := Beyond{File: c.from.Path(f.part), Tensor: t.Name}
			err := c.pieces(t, buf, func(x []float32) error {
				if f.specs[i].DType == t.DType {
					return nil
				}
				for _, v := range x {
					if abs := max(v, -v); abs >= firstInfinite {
						b.Count++
						if abs > max(b.Largest, -b.Largest) {
							b.Largest = v
						}
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			if b.Count > 0 {
				beyond = append(beyond, b)
			}
		}
	}
	if len(beyond) > 0 && !c.o.Clamp {
		return &RangeError{beyond}
	}
	c.report.Beyond = beyond
	return nil
}

const (
	firstInfinite = 65520 // rounds to an infinity in float16
	largest       = 65504
)

// pieces hands out a tensor's values, and tells of the progress.
func (c *converter) pieces(t weights.Tensor, buf []float32, f func([]float32) error) error {
	defer t.Release()
	for first := 0; first < t.Len(); first += len(buf) {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		x := buf[:min(len(buf), t.Len()-first)]
		t.Read(x, first)
		if err := f(x); err != nil {
			return err
		}
		c.done += int64(len(x) * t.DType.Size())
		if c.o.Progress != nil {
			c.o.Progress(c.done, c.total)
		}
	}
	return nil
}

// write writes a file of the new folder.
func (c *converter) write(f file) error {
	buf := make([]float32, piece)
	out := make([]byte, 0, 4*piece)
	return c.create(f.part, f.name, func(w io.Writer) error {
		return weights.WriteSafetensors(w, f.specs, func(i int, w io.Writer) error {
			return c.pieces(f.read[i], buf, func(x []float32) error {
				var err error
				if out, err = appendValues(out[:0], x, f.specs[i].DType); err != nil {
					return err
				}
				_, err = w.Write(out)
				return err
			})
		})
	})
}

// appendValues appends values in a type that holds them, clamped to float16's
// range.
func appendValues(b []byte, x []float32, d weights.DType) ([]byte, error) {
	switch d {
	case weights.F16:
		for _, v := range x {
			b = binary.LittleEndian.AppendUint16(b, weights.Float16(min(max(v, -largest), largest)))
		}
	case weights.BF16:
		for _, v := range x {
			b = binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(v)>>16))
		}
	case weights.F32:
		for _, v := range x {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
	default:
		return nil, fmt.Errorf("weights of type %v: %w", d, errors.ErrUnsupported)
	}
	return b, nil
}

func float32Bytes(x []float32) []byte {
	b, _ := appendValues(make([]byte, 0, 4*len(x)), x, weights.F32)
	return b
}
