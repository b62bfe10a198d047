package catalog

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub"
)

// A Description is what can be said of a model without running it, from a few
// kB of its files.
type Description struct {
	Name        string `json:"name"`
	Kind        Kind   `json:"kind"`
	Path        string `json:"path,omitempty"`
	Size        int64  `json:"size"`                  // bytes
	Precision   string `json:"precision,omitempty"`   // float16, or the parts that differ
	Fingerprint string `json:"fingerprint,omitempty"` // 8 hexadecimal digits
	Licence     string `json:"licence,omitempty"`
	Encodes     bool   `json:"encodes"` // the parts are there
	Decodes     bool   `json:"decodes"`
	Default     bool   `json:"default"`
	Problem     string `json:"problem,omitempty"` // why nothing is known
}

// Weighted returns the parts that have weights, in the order of their use.
func Weighted() []string {
	return []string{"image_encoder", "image_normalizer", "text_encoder", "prompt_embeds", "unet", "vae"}
}

// Describe says what is known of a model.
func (c *Catalog) Describe(m Model) Description {
	d := Description{Name: m.Name, Kind: m.Kind, Path: m.Dir, Default: c.isDefault(m)}
	f, err := m.Open()
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
	if p, err := model.Fingerprint(f); err == nil {
		d.Fingerprint = fmt.Sprintf("%08x", p)
	}
	d.Encodes = has(f, "image_encoder", "feature_extractor")
	d.Decodes = has(f, "unet", "vae", "scheduler", "image_noising_scheduler", "image_normalizer") && (f.Has("text_encoder") || f.Has("prompt_embeds"))
	d.Licence = licence(m)
	return d
}

// has reports whether parts are there, with all of their weights.
func has(f *weights.Folder, parts ...string) bool {
	for _, part := range parts {
		if _, err := f.Config(part); err != nil {
			return false
		}
		if slices.Contains(Weighted(), part) {
			if _, err := f.Part(part); err != nil {
				return false
			}
		}
	}
	return true
}

// A partType is the type that most of a part's bytes have.
type partType struct{ part, dtype string }

// precisions returns the types of the parts' weights and the bytes of all.
func precisions(f *weights.Folder) (parts []partType, total int64, err error) {
	for _, part := range Weighted() {
		if !f.Has(part) {
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
		// The normaliser and the constant are too small to count.
		if most != "" && part != "image_normalizer" && part != "prompt_embeds" {
			parts = append(parts, partType{part, most})
		}
	}
	return parts, total, err
}

// summary is one type, or what is of which.
func summary(parts []partType) string {
	long := map[string]string{"F16": "float16", "BF16": "bfloat16", "F32": "float32"}
	by := map[string][]string{}
	var order []string
	for _, p := range parts {
		d := or(long[p.dtype], p.dtype)
		if by[d] == nil {
			order = append(order, d)
		}
		by[d] = append(by[d], p.part)
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

// diskSize adds up the files that are read, links followed.
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

// licence reads the model card's front matter.
func licence(m Model) string {
	if m.Kind == KindBuiltIn {
		return "apache-2.0"
	}
	f, err := os.Open(filepath.Join(m.Dir, "README.md"))
	if err != nil {
		if m.Repo == hub.DefaultRepo() {
			return "openrail++"
		}
		return ""
	}
	defer f.Close()
	fields := map[string]string{}
	lines := bufio.NewScanner(io.LimitReader(f, 1<<16))
	const fence = "---"
	if !lines.Scan() || strings.TrimSpace(lines.Text()) != fence {
		return ""
	}
	for lines.Scan() && strings.TrimSpace(lines.Text()) != fence {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok {
			fields[key] = strings.Trim(value, " \"'\r")
		}
	}
	name := fields["license"]
	if name == "other" {
		name = or(fields["license_name"], name)
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, name[:min(len(name), 40)])
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
