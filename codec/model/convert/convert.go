package convert

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/weights"
)

// Options say what to leave out.
type Options struct {
	EncoderOnly bool // the image encoder and what goes with it
	DecoderOnly bool // everything but that; implies ConstantContext

	// ConstantContext puts what the text encoder makes of the empty prompt in
	// the place of the encoder and its tokenizer.
	ConstantContext bool

	// Clamp writes the largest float16 for values beyond it, which are an
	// error otherwise.
	Clamp bool

	// Progress, if not nil, is told how many bytes of the weights are read,
	// of those there are: each value is looked at, and then written.
	Progress func(done, total int64)
}

// A Part is what became of a part of the model.
type Part struct {
	Name          string
	Before, After int64 // bytes of weights
}

// A Report says what was done.
type Report struct {
	Parts   []Part
	Beyond  []Beyond // clamped
	Dropped []Part   // not in the new folder
}

// A Beyond is a tensor with values that no float16 can hold.
type Beyond struct {
	File, Tensor string
	Count        int
	Largest      float32 // by magnitude
}

// A RangeError lists the tensors that do not fit float16.
type RangeError struct{ Tensors []Beyond }

func (e *RangeError) Error() string {
	b := e.Tensors[0]
	return fmt.Sprintf("%d tensors have values beyond float16's range; the first is %s of %s: %d values, the largest %g",
		len(e.Tensors), b.Tensor, b.File, b.Count, b.Largest)
}

// Folder converts the model folder dir and writes it as the new folder out,
// which appears when it is complete. Weights are read and written a piece at a
// time. Errors are one line and name a file; a [RangeError] has more.
func Folder(ctx context.Context, dir, out string, o Options) (*Report, error) {
	if o.EncoderOnly && o.DecoderOnly {
		return nil, errors.New("neither an encoder nor a decoder would be left")
	}
	if _, err := os.Lstat(out); err == nil {
		return nil, fmt.Errorf("%s: is there already", out)
	}
	f, err := weights.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	temp := fmt.Sprintf("%s.tmp-%08x", filepath.Clean(out), rand.Uint32())
	if err := os.Mkdir(temp, 0o777); err != nil {
		return nil, fmt.Errorf("%s: %w", out, cause(err))
	}
	c := &converter{ctx: ctx, from: f, dir: dir, to: temp, o: o, report: &Report{}}
	err = c.run()
	if err == nil {
		if err = os.Rename(temp, out); err != nil {
			err = fmt.Errorf("%s: %w", out, cause(err))
		}
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(temp))
	}
	return c.report, nil
}

// cause returns what went wrong without the temporary name, of which the user
// knows nothing.
func cause(err error) error {
	var p *os.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

// A converter is one call of Folder.
type converter struct {
	ctx     context.Context
	from    *weights.Folder
	dir, to string
	o       Options
	files   []file
	done    int64
	total   int64
	report  *Report
}

// Parts of a folder by who needs them.
var (
	encoders = []string{"feature_extractor", "image_encoder"}
	shared   = []string{"image_normalizer"} // it tells models apart
	decoders = []string{"image_noising_scheduler", "scheduler", "unet", "vae"}
	text     = []string{"text_encoder", "tokenizer"}
)

const promptPart = "prompt_embeds"

// parts returns the parts of the new folder. The constant is not among them if
// it has to be computed.
func (c *converter) parts() []string {
	all := slices.Concat(encoders, shared, decoders, text, []string{promptPart})
	return slices.DeleteFunc(all, func(part string) bool {
		switch {
		case !c.from.Has(part):
			return true
		case slices.Contains(encoders, part):
			return c.o.DecoderOnly
		case slices.Contains(text, part):
			return c.o.EncoderOnly || c.constant()
		case slices.Contains(shared, part):
			return false
		}
		return c.o.EncoderOnly
	})
}

func (c *converter) constant() bool { return c.o.ConstantContext || c.o.DecoderOnly }

func (c *converter) run() error {
	parts := c.parts()
	if c.o.EncoderOnly && !slices.Contains(parts, "image_encoder") {
		return fmt.Errorf("%s: the model has no image_encoder", c.dir)
	}
	if c.o.DecoderOnly && !slices.Contains(parts, "unet") {
		return fmt.Errorf("%s: the model has no unet", c.dir)
	}
	c.dropped(parts)
	for _, part := range parts {
		if err := c.open(part); err != nil {
			return err
		}
	}
	if err := c.checkRange(); err != nil {
		return err
	}
	for _, f := range c.files {
		if err := c.write(f); err != nil {
			return err
		}
	}
	if c.constant() && !c.o.EncoderOnly && !slices.Contains(parts, promptPart) {
		if err := c.writeConstant(); err != nil {
			return err
		}
		parts = append(parts, promptPart)
	}
	if err := c.copyTexts(parts); err != nil {
		return err
	}
	return c.sameModel()
}

// writeConstant computes what the text encoder makes of the empty prompt.
func (c *converter) writeConstant() error {
	x, err := model.New(c.from).PromptEmbeds(c.ctx, true)
	if err != nil {
		return err
	}
	spec := weights.Spec{Name: promptPart, DType: weights.F32, Shape: []int{x.W, x.C}}
	c.report.Parts = append(c.report.Parts, Part{promptPart, 0, 4 * int64(len(x.Data))})
	return c.create(promptPart, "model.safetensors", func(w io.Writer) error {
		return weights.WriteSafetensors(w, []weights.Spec{spec}, func(_ int, w io.Writer) error {
			var b []byte
			for _, v := range x.Data {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
			_, err := w.Write(b)
			return err
		})
	})
}

// sameModel compares the fingerprints, where the model has one.
func (c *converter) sameModel() error {
	if !c.from.Has("image_normalizer") {
		return nil
	}
	before, err := model.Fingerprint(c.from)
	if err != nil {
		return err
	}
	f, err := weights.OpenFolder(c.to)
	if err != nil {
		return err
	}
	defer f.Close()
	after, err := model.Fingerprint(f)
	if err == nil && after != before {
		err = fmt.Errorf("the fingerprint became %08x, it was %08x", after, before)
	}
	return err
}

// dropped notes the parts that are left out.
func (c *converter) dropped(parts []string) {
	for _, part := range slices.Concat(encoders, shared, decoders, text) {
		if !c.from.Has(part) || slices.Contains(parts, part) {
			continue
		}
		p := Part{Name: part}
		if store, err := c.from.Part(part); err == nil {
			for _, name := range store.Names() {
				t, _ := store.Lookup(name)
				p.Before += int64(len(t.Data))
			}
		}
		c.report.Dropped = append(c.report.Dropped, p)
	}
}

// create writes a file of a part of the new folder.
func (c *converter) create(part, name string, write func(io.Writer) error) error {
	dir := filepath.Join(c.to, part)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return weights.WriteFile(filepath.Join(dir, name), write)
}

// copyTexts copies configurations and what people read, and writes the index.
func (c *converter) copyTexts(parts []string) error {
	for _, part := range parts {
		if part == promptPart {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(c.dir, part))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := c.copyText(part, e.Name()); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"README.md", "LICENSE", "LICENSE.md"} {
		if err := c.copyText("", name); err != nil {
			return err
		}
	}
	return c.writeIndex(parts)
}

// maxText is more than a tokenizer's vocabulary has.
const maxText = 16 << 20

// copyText copies a file if it is one of those that belong into a folder.
func (c *converter) copyText(part, name string) error {
	index, _ := filepath.Match("*.index*.json", name)
	switch filepath.Ext(name) {
	case ".json", ".txt", ".md", "":
	default:
		return nil
	}
	path := filepath.Join(c.dir, part, name)
	info, err := os.Stat(path)
	if index || err != nil || !info.Mode().IsRegular() || info.Size() > maxText {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return c.create(part, name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// writeIndex writes the model index, in which parts that were left out are null.
func (c *converter) writeIndex(parts []string) error {
	data, err := os.ReadFile(filepath.Join(c.dir, "model_index.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil // a folder without one is read too
	}
	if err != nil {
		return err
	}
	var index map[string]json.RawMessage
	if err := json.Unmarshal(data, &index); err != nil {
		return err
	}
	for name, value := range index {
		var pair []*string // library and class: a part, were it one that the codec never reads
		if json.Unmarshal(value, &pair) == nil && len(pair) == 2 && !slices.Contains(parts, name) {
			index[name] = json.RawMessage("[null,null]")
		}
	}
	data, err = json.MarshalIndent(index, "", "  ")
	if err != nil {
		return err
	}
	return c.create("", "model_index.json", func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}
