package convert

import (
	"encoding/binary"
	"io"
	"slices"
	"strings"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/weights"
)

// A file is the weights of a part: what is read, and what is written instead.
type file struct {
	part  weights.Part
	read  []weights.Tensor
	specs []weights.Spec // of the same tensors
}

// open opens a part that has weights and compares them with its configuration.
// The weights of networks are narrowed to float16; the few kB of the other
// parts stay as they are.
func (c *converter) open(part weights.Part) error {
	if !part.HasWeights() {
		return nil
	}
	store, err := model.Check(c.ctx, c.from, part)
	if err != nil {
		return err
	}
	f := file{part: part}
	p := Part{Name: part}
	for _, name := range store.Names() {
		if strings.HasSuffix(name, "position_ids") {
			continue // 0, 1, 2, ...
		}
		t, _ := store.Lookup(name)
		spec := weights.Spec{Name: name, DType: t.DType, Shape: t.Shape}
		if part == weights.VAE {
			spec = modern(spec)
		}
		if part.IsNetwork() {
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

// modern returns a tensor of the VAE's attention with the name and shape that
// it has had since diffusers 0.18, when AttentionBlock became Attention
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

// piece is the number of values that are converted at a time.
const piece = 1 << 18

// checkRange finds the values that would become infinite in float16.
func (c *converter) checkRange() error {
	buf := make([]float32, piece)
	var beyond []Beyond
	for _, f := range c.files {
		for i, t := range f.read {
			if f.specs[i].DType == t.DType { // copied bit by bit
				c.advance(int64(len(t.Data)))
				continue
			}
			b := Beyond{File: c.from.PartPath(f.part), Tensor: t.Name}
			err := c.pieces(t, buf, func(x []float32) error {
				b.count(x)
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

// count counts the values that no float16 can hold.
func (b *Beyond) count(x []float32) {
	for _, v := range x {
		if abs := max(v, -v); abs >= firstInfinite {
			b.Count++
			if abs > max(b.Largest, -b.Largest) {
				b.Largest = v
			}
		}
	}
}

const (
	firstInfinite = 65520 // rounds to infinity in float16
	largest       = 65504 // the largest float16
)

// pieces calls f with a tensor's values, a piece at a time, and reports the
// progress.
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
		c.advance(int64(len(x) * t.DType.Size()))
	}
	return nil
}

func (c *converter) advance(n int64) {
	c.done += n
	if c.o.Progress != nil {
		c.o.Progress(c.done, c.total)
	}
}

// write writes the weights of a part.
func (c *converter) write(f file) error {
	buf := make([]float32, piece)
	out := make([]byte, 0, 4*piece)
	return c.create(string(f.part), f.part.WeightFile(), func(w io.Writer) error {
		return weights.WriteSafetensors(w, f.specs, func(i int, w io.Writer) error {
			if f.specs[i].DType == f.read[i].DType {
				return c.copy(w, f.read[i])
			}
			return c.pieces(f.read[i], buf, func(x []float32) error {
				out = appendFloat16(out[:0], x)
				_, err := w.Write(out)
				return err
			})
		})
	})
}

// copy writes a tensor unchanged.
func (c *converter) copy(w io.Writer, t weights.Tensor) error {
	defer t.Release()
	for rest := t.Data; len(rest) > 0; {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		n := min(len(rest), 4*piece)
		if _, err := w.Write(rest[:n]); err != nil {
			return err
		}
		c.advance(int64(n))
		rest = rest[n:]
	}
	return nil
}

// appendFloat16 appends x in float16, clamped to its range.
func appendFloat16(b []byte, x []float32) []byte {
	for _, v := range x {
		b = binary.LittleEndian.AppendUint16(b, weights.Float16(min(max(v, -largest), largest)))
	}
	return b
}
