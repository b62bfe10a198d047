package weights

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// WriteSafetensors writes a safetensors file with the metadata format: pt, byte
// for byte as the Python library does. It calls data for every spec, in the
// file's order (wide types first, then by name), to write the elements of
// specs[i] in little-endian order. Only the header is held in memory.
func WriteSafetensors(w io.Writer, specs []Spec, data func(i int, w io.Writer) error) error {
	order := make([]int, len(specs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(
			cmp.Compare(dtypes[specs[b].DType].file, dtypes[specs[a].DType].file),
			cmp.Compare(specs[a].Name, specs[b].Name))
	})
	head, err := appendHeader(nil, specs, order)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, i := range order {
		c := counter{w: w}
		if err := data(i, &c); err != nil {
			return err
		}
		if want := int64(specs[i].DType.Size()) * int64(count(specs[i].Shape)); c.n != want {
			return fmt.Errorf("tensor %s: %d bytes written, %d expected", show(specs[i].Name), c.n, want)
		}
	}
	return nil
}

// WriteTensors writes a safetensors file of tensors as they are. progress, which
// may be nil, is called from time to time with the bytes of tensors written so
// far and in all.
func WriteTensors(ctx context.Context, w io.Writer, tensors []Tensor, progress func(done, total int64)) error {
	specs := make([]Spec, len(tensors))
	var done, total int64
	for i, t := range tensors {
		specs[i] = Spec{Name: t.Name, DType: t.DType, Shape: t.Shape}
		total += int64(len(t.Data))
	}
	return WriteSafetensors(w, specs, func(i int, w io.Writer) error {
		for piece := range slices.Chunk(tensors[i].Data, 1<<20) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := w.Write(piece); err != nil {
				return err
			}
			if done += int64(len(piece)); progress != nil {
				progress(done, total)
			}
		}
		return nil
	})
}

// appendHeader appends the header's length and the header, padded with spaces
// to a multiple of 8 bytes so that the tensors are aligned.
func appendHeader(b []byte, specs []Spec, order []int) ([]byte, error) {
	b = append(b, `12345678{"__metadata__":{"format":"pt"}`...)
	seen := make(map[string]bool, len(specs))
	offset := int64(0)
	for _, i := range order {
		s := specs[i]
		switch {
		case s.Name == "__metadata__" || len(s.Name) > maxName || !utf8.ValidString(s.Name):
			return nil, fmt.Errorf("tensor %s: not a valid name in a safetensors file", clip(s.Name))
		case seen[s.Name]:
			return nil, fmt.Errorf("tensor %s: the name appears twice", show(s.Name))
		case len(s.Shape) > maxRank:
			return nil, fmt.Errorf("tensor %s: %d dimensions, at most %d are written", show(s.Name), len(s.Shape), maxRank)
		}
		seen[s.Name] = true
		b = append(b, ',')
		b = append(b, quoteJSON(s.Name)...)
		b = append(b, `:{"dtype":"`+s.DType.String()+`","shape":[`...)
		for j, d := range s.Shape {
			if j > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(d), 10)
		}
		b = append(b, `],"data_offsets":[`...)
		b = strconv.AppendInt(b, offset, 10)
		b = append(b, ',')
		offset += int64(s.DType.Size()) * int64(count(s.Shape))
		b = strconv.AppendInt(b, offset, 10)
		b = append(b, "]}"...)
	}
	b = append(b, '}')
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	if len(b)-8 > maxHeader || len(specs) >= maxMembers {
		return nil, errors.New("too many tensors for one safetensors file")
	}
	binary.LittleEndian.PutUint64(b, uint64(len(b)-8))
	return b, nil
}

func quoteJSON(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string and a buffer: cannot fail
	return bytes.TrimSpace(b.Bytes())
}

// A counter counts the bytes that are written through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
