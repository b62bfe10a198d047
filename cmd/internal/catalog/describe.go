package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub"
)

// A Description is what is known of a model from a few kB of its files, without
// running it.
type Description struct {
	Name        string `json:"name"`
	Kind        Kind   `json:"kind"`
	Path        string `json:"path,omitempty"`
	Size        int64  `json:"size"`                  // bytes
	Precision   string `json:"precision,omitempty"`   // float16, or the parts that differ
	ID          string `json:"id,omitempty"`          // of its files, a codec.ModelID
	Fingerprint string `json:"fingerprint,omitempty"` // 8 hexadecimal digits
	License     string `json:"license,omitempty"`
	Encodes     bool   `json:"encodes"` // it has all parts that are needed
	Decodes     bool   `json:"decodes"`
	Default     bool   `json:"default"`
	Problem     string `json:"problem,omitempty"` // the reason why nothing is known
}

// Describe describes a model.
func (c *Catalog) Describe(m Model) Description {
	d := Description{Name: m.Name, Kind: m.Kind, Path: m.Dir, Default: c.isDefault(m)}
	f, err := c.Open(m)
	if err != nil {
		d.Problem = err.Error()
		return d
	}
	defer f.Close()
	parts, bytes, err := precisions(f)
	if err != nil {
		d.Problem = err.Error()
	}
	d.Precision, d.Size = summary(parts), bytes
	if m.Dir != "" {
		d.Size = diskSize(m.Dir)
	}
	p, err := model.Fingerprint(f)
	switch {
	case err == nil:
		d.Fingerprint = fmt.Sprintf("%08x", p)
		d.ID = codec.ModelID(p >> (32 - format.FingerprintBits)).String()
	case errors.Is(err, model.ErrBFloat16):
		d.Problem = err.Error()
	}
	d.Encodes, d.Decodes = uses(f)
	d.License = license(m)
	return d
}

// uses reports whether a folder has what encoding and decoding need. Encoding
// to a raw stream needs no image normalizer, and decoding needs either the text
// encoder or the constant that replaces it.
func uses(f *weights.Folder) (encodes, decodes bool) {
	encodes, decodes = true, f.Has(weights.TextEncoder) || f.Has(weights.PromptEmbeds)
	for _, part := range weights.Parts() {
		switch {
		case part == weights.Tokenizer || part == weights.TextEncoder || part == weights.PromptEmbeds:
		case complete(f, part):
		case part.Decodes():
			decodes = false
		case part.Encodes():
			encodes = false
		}
	}
	return encodes, decodes
}

// complete reports whether a folder has a part with all of its weights.
func complete(f *weights.Folder, part weights.Part) bool {
	_, err := f.Config(part)
	if err == nil && part.HasWeights() {
		_, err = f.Part(part)
	}
	return err == nil
}

// A partType is the type of most of the bytes of a part.
type partType struct {
	part  weights.Part
	dtype string
}

// precisions returns the types of the networks' weights, and the bytes of all
// weights.
func precisions(f *weights.Folder) (parts []partType, total int64, err error) {
	for _, part := range weights.Parts() {
		if !part.HasWeights() || !f.Has(part) {
			continue
		}
		s, e := f.Part(part)
		if e != nil {
			err = e
			continue
		}
		by := map[string]int{}
		most := ""
		for _, name := range s.Names() {
			t, _ := s.Lookup(name)
			d := t.DType.String()
			by[d] += len(t.Data)
			total += int64(len(t.Data))
			if by[d] > by[most] {
				most = d
			}
		}
		if most != "" && part.IsNetwork() {
			parts = append(parts, partType{part, most})
		}
	}
	return parts, total, err
}

// summary returns the type of all parts, or the types with the parts of each.
func summary(parts []partType) string {
	long := map[string]string{"F16": "float16", "BF16": "bfloat16", "F32": "float32"}
	by := map[string][]string{}
	var order []string
	for _, p := range parts {
		d := cmp.Or(long[p.dtype], p.dtype)
		if by[d] == nil {
			order = append(order, d)
		}
		by[d] = append(by[d], string(p.part))
	}
	if len(order) == 1 {
		return order[0]
	}
	var words []string
	for _, d := range order {
		words = append(words, d+" "+strings.Join(by[d], ","))
	}
	return strings.Join(words, "; ")
}

// diskSize returns the size of the files that are read. Links are followed.
func diskSize(dir string) (total int64) {
	names, err := hub.Readable(dir)
	if err != nil {
		return 0
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
			total += info.Size()
		}
	}
	return total
}

// license returns the license that a model's card names.
func license(m Model) string {
	if m.Kind == KindBuiltIn {
		return "apache-2.0"
	}
	f, err := os.Open(filepath.Join(m.Dir, "README.md"))
	if err != nil {
		return ""
	}
	defer f.Close()
	card, err := io.ReadAll(io.LimitReader(f, 1<<16)) // its beginning names the license
	if err != nil {
		return ""
	}
	return hub.ParseCard(card).Name
}
