package convert

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/weights"
)

// Options specifies what to leave out. The zero value leaves out nothing.
type Options struct {
	EncoderOnly bool // keep what encoding needs
	DecoderOnly bool // keep what decoding needs; implies ConstantContext

	// ConstantContext replaces the text encoder and its tokenizer by the
	// encoder's output for the empty prompt.
	ConstantContext bool

	// Clamp replaces values beyond float16's range by the largest float16.
	// Without it they are an error.
	Clamp bool

	// Progress, if not nil, is called with the bytes of weights read so far
	// and in all. Each value is read twice: it is checked, and then written.
	Progress func(done, total int64)
}

// A Part reports what became of a part of the model.
type Part struct {
	Name          weights.Part
	Before, After int64 // bytes of weights
}

// A Report lists what was done.
type Report struct {
	Parts   []Part
	Beyond  []Beyond // tensors with clamped values
	Dropped []Part   // left out of the new folder
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

// Folder converts the model folder dir and writes the new folder out, which
// must not exist and which appears when it is complete; what a killed run left
// beside it is removed. Weights are read and written a piece at a time. Every
// error is one line and names a file; a [RangeError] holds more.
func Folder(ctx context.Context, dir, out string, o Options) (*Report, error) {
	if o.EncoderOnly && o.DecoderOnly {
		return nil, errors.New("neither an encoder nor a decoder would be left")
	}
	if _, err := os.Lstat(out); err == nil {
		return nil, fmt.Errorf("%s: already exists", out)
	}
	f, err := weights.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := weights.CreateDraftFolder(out)
	if err != nil {
		return nil, weights.NewFileError(out, err)
	}
	c := &converter{ctx: ctx, from: f, dir: dir, to: d.Dir, o: o, report: &Report{}}
	if err := c.run(); err != nil {
		return nil, errors.Join(err, d.Discard())
	}
	if err := d.Place(); err != nil {
		return nil, err
	}
	return c.report, nil
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

// parts returns the parts of the new folder. A constant that must be computed
// first is not among them.
func (c *converter) parts() []weights.Part {
	return slices.DeleteFunc(weights.Parts(), func(part weights.Part) bool {
		switch {
		case !c.from.Has(part):
			return true
		case c.o.EncoderOnly:
			return !part.Encodes()
		case c.constant() && isText(part):
			return true
		case c.o.DecoderOnly:
			return !part.Decodes()
		}
		return false
	})
}

// isText reports whether the constant replaces a part.
func isText(part weights.Part) bool {
	return part == weights.TextEncoder || part == weights.Tokenizer
}

func (c *converter) constant() bool { return c.o.ConstantContext || c.o.DecoderOnly }

func (c *converter) run() error {
	parts := c.parts()
	if c.o.EncoderOnly && !slices.Contains(parts, weights.ImageEncoder) {
		return fmt.Errorf("%s: the model has no %s", c.dir, weights.ImageEncoder)
	}
	if c.o.DecoderOnly && !slices.Contains(parts, weights.UNet) {
		return fmt.Errorf("%s: the model has no %s", c.dir, weights.UNet)
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
	if c.constant() && !c.o.EncoderOnly && !slices.Contains(parts, weights.PromptEmbeds) {
		if err := c.writeConstant(); err != nil {
			return err
		}
		parts = append(parts, weights.PromptEmbeds)
	}
	if err := c.copyTexts(parts); err != nil {
		return err
	}
	return c.sameModel()
}

// writeConstant computes and writes the text encoder's output for the empty
// prompt.
func (c *converter) writeConstant() error {
	x, err := model.New(c.from).PromptEmbeds(c.ctx, true)
	if err != nil {
		return err
	}
	const part = weights.PromptEmbeds
	spec := weights.Spec{Name: model.PromptTensor, DType: weights.F32, Shape: []int{x.W, x.C}}
	c.report.Parts = append(c.report.Parts, Part{part, 0, 4 * int64(len(x.Data))})
	return c.create(string(part), part.WeightFile(), func(w io.Writer) error {
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

// sameModel compares the fingerprints of the two folders, if the model has one.
func (c *converter) sameModel() error {
	if !c.from.Has(weights.ImageNormalizer) {
		return nil
	}
	before, err := model.Fingerprint(c.from)
	if errors.Is(err, model.ErrBFloat16) {
		return nil // the new folder has the same statistics, and no fingerprint either
	}
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

// dropped reports the parts that are left out.
func (c *converter) dropped(parts []weights.Part) {
	for _, part := range weights.Parts() {
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

// create writes a file of the new folder, in the folder of a part or in none.
func (c *converter) create(part, name string, write func(io.Writer) error) error {
	dir := filepath.Join(c.to, part)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return weights.WriteFile(filepath.Join(dir, name), write)
}

// copyTexts copies configurations and what is written for people, and writes
// the index.
func (c *converter) copyTexts(parts []weights.Part) error {
	for _, part := range parts {
		if part == weights.PromptEmbeds {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(c.dir, string(part)))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := c.copyText(string(part), e.Name()); err != nil {
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

// maxText bounds a text file; a tokenizer's vocabulary has 1 MB.
const maxText = 16 << 20

// copyText copies a file if it is of a kind that belongs in a model's folder.
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

// writeIndex writes the model index, in which the parts that were left out are
// null.
func (c *converter) writeIndex(parts []weights.Part) error {
	data, err := os.ReadFile(filepath.Join(c.dir, "model_index.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil // such a folder is read too
	}
	if err != nil {
		return err
	}
	var index map[string]json.RawMessage
	if err := json.Unmarshal(data, &index); err != nil {
		return err
	}
	for name, value := range index {
		var pair []*string // library and class: a part, even if it is one that the codec never reads
		if json.Unmarshal(value, &pair) == nil && len(pair) == 2 && !slices.Contains(parts, weights.Part(name)) {
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
