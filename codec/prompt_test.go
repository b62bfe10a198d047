package codec

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coclico/coclico/codec/model/convert"
	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/internal/hook"
	"github.com/coclico/coclico/internal/nntest"
	"github.com/coclico/coclico/weights"
)

// TestGoldenPrompts compares with diffusers' StableUnCLIPImg2ImgPipeline;
// prompts.py of bench/golden makes the case. The bounds are those of verify for
// a whole decode; the picture is stored in float16.
func TestGoldenPrompts(t *testing.T) {
	c := open(t, "tiny")
	g := nntest.Open(t, "testdata/prompts.safetensors")
	f, err := ParseRaw(g.Raw("in/raw").Data, Format{})
	if err != nil {
		t.Fatal(err)
	}
	prompt, negative, empty := string(g.Raw("in/prompt").Data), string(g.Raw("in/negative_prompt").Data), ""
	for _, k := range []struct {
		name, negative string
		prompt         *string
	}{{"both", negative, &prompt}, {"prompt", "", &prompt}, {"negative", negative, nil}, {"negative", negative, &empty}} {
		o := &DecodeOptions{Sampling: &Sampling{Steps: 20, Guidance: 12, Strength: 1}, Exact: true, Prompt: k.prompt, NegativePrompt: k.negative}
		got := make(map[string][]float32)
		ctx := hook.With(t.Context(), hook.Hook{
			Noise: g.Raw("in/noise").Float32s(),
			Trace: func(name string, values []float32) { got[name] = slices.Clone(values) },
		})
		if _, err := c.Paint(ctx, f, o); err != nil {
			t.Fatal(err)
		}
		for name, bound := range map[string]float64{"latents": 2e-4, "image": 3e-4} {
			e := nntest.RMS(got[name], g.Raw("out/"+k.name+"/"+name).Float32s())
			if t.Logf("%s/%s: %.3g", k.name, name, e); !(e <= bound) {
				t.Errorf("%s: the %s have a relative RMS error of %.3g, at most %.3g", k.name, name, e, bound)
			}
		}
	}
}

// TestPromptStage: whoever is slow to hear that prompts are encoded keeps nobody
// else waiting.
func TestPromptStage(t *testing.T) {
	c := open(t, "tiny")
	f := rawFile(t)
	reached, release := make(chan bool), make(chan bool)
	slow := quick()
	slow.Progress = func(p Progress) {
		if p.Stage == StagePrompt {
			close(reached)
			<-release
		}
	}
	ended := make(chan error)
	go func() {
		_, err := c.Paint(t.Context(), f, slow)
		ended <- err
	}()
	<-reached
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := c.Paint(ctx, f, quick()); err != nil {
		t.Errorf("meanwhile: %v", err)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestPromptContexts: the empty prompt is the constant, a context is made again
// when the prompts change, and the stage is reported when one is made.
func TestPromptContexts(t *testing.T) {
	c := open(t, "tiny")
	f := rawFile(t)
	paint := func(prompt, negative string) (pix string, encoded int) {
		o := quick()
		o.Prompt, o.NegativePrompt = &prompt, negative
		o.Progress = func(p Progress) {
			if p.Stage == StagePrompt {
				encoded++
			}
		}
		return string(paintPix(t, c, f, o)), encoded
	}
	plain := string(paintPix(t, c, f, quick()))
	seen := map[string]bool{plain: true}
	for _, k := range []struct{ prompt, negative string }{{"a fox", ""}, {"", "a fox"}, {"a fox", "a fox"}, {"a boat", "a fox"}} {
		pix, encoded := paint(k.prompt, k.negative)
		again, kept := paint(k.prompt, k.negative)
		if seen[pix] || pix != again || encoded != 1 || kept != 0 {
			t.Errorf("%q without %q: seen before %v, the same again %v, encoded %d times and %d times", k.prompt, k.negative, seen[pix], pix == again, encoded, kept)
		}
		seen[pix] = true
	}
	// Outside the interval of guidance there is no unconditional half: a negative
	// prompt makes no difference, a prompt does.
	prompt, none := "a fox", Sampler{GuidanceInterval: [2]float64{1, 1}}
	unguided := func(o DecodeOptions) string {
		o.Sampling, o.Size, o.Sampler = sampling(3), 32, none
		return string(paintPix(t, c, f, &o))
	}
	alone := unguided(DecodeOptions{})
	if unguided(DecodeOptions{NegativePrompt: "a fox"}) != alone || unguided(DecodeOptions{Prompt: &prompt, NegativePrompt: "a boat"}) != unguided(DecodeOptions{Prompt: &prompt}) {
		t.Error("a negative prompt makes a difference without guidance")
	}
	if unguided(DecodeOptions{Prompt: &prompt}) == alone {
		t.Error("a prompt makes no difference without guidance")
	}
	if pix, encoded := paint("", ""); pix != plain || encoded != 0 {
		t.Errorf("the empty prompt: the same picture %v, encoded %d times", pix == plain, encoded)
	}
}

// TestStoredPrompt: a file holds a prompt, Decode uses it, and options replace
// it and turn it off.
func TestStoredPrompt(t *testing.T) {
	c := open(t, "tiny")
	encode := func(o EncodeOptions) *File {
		data, err := c.Encode(t.Context(), testPicture(64, 64), &o)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, profile := range []Profile{Paper, Tuned} {
		plain, f := encode(EncodeOptions{Profile: profile}), encode(EncodeOptions{Profile: profile, Prompt: " a photo\n of a  fox "})
		if f.Prompt() != "a photo of a fox" || plain.Prompt() != "" || f.Len() < plain.Len()+5 || f.Len() > plain.Len()+7 { // 47 bits: the tiny model's header is extended anyway
			t.Errorf("%v: prompt %q in %d bytes, %d without", profile, f.Prompt(), f.Len(), plain.Len())
		}
		s := f.Sizes()
		if sum := s.Header + s.Prompt + s.Color + s.Vector; s.Prompt != 47./8 || math.Abs(sum-float64(f.Len())) > 1e-9 {
			t.Errorf("%v: sizes %+v of %d bytes", profile, s, f.Len())
		}
		none, fox := "", "a photo of a fox"
		stored, explicit := paintPix(t, c, f, quick()), quick()
		explicit.Prompt = &fox
		if !bytes.Equal(stored, paintPix(t, c, plain, explicit)) {
			t.Errorf("%v: the file's prompt paints another picture than the same one in options", profile)
		}
		explicit.Prompt = &none
		if without := paintPix(t, c, f, explicit); bytes.Equal(stored, without) || !bytes.Equal(without, paintPix(t, c, plain, quick())) {
			t.Errorf("%v: the empty prompt does not turn off the file's", profile)
		}
	}
	if f := encode(EncodeOptions{Profile: Tuned, Bytes: 60, Prompt: "a photo of a fox"}); f.Len() > 60 || f.Prompt() == "" {
		t.Errorf("a budget of 60 bytes: %d, prompt %q", f.Len(), f.Prompt())
	}
	var ideographs []rune // which no primer predicts
	for r := rune(0x4e00); r < 0x9000; r += 97 {
		ideographs = append(ideographs, r)
	}
	long := EncodeOptions{Profile: Tuned, Bytes: 100, Candidates: 2, Prompt: string(ideographs)}
	if _, err := c.Encode(t.Context(), testPicture(64, 64), &long); !errors.As(err, new(OptionError)) || !strings.HasPrefix(err.Error(), "budget 100: no file is so small with a prompt that takes ") {
		t.Errorf("a prompt larger than the budget: %v", err)
	}
	for _, o := range []EncodeOptions{{Prompt: "\x00"}, {Prompt: "\xff"}, {Prompt: strings.Repeat("a", MaxPrompt+1)}, {Raw: true, Prompt: "a"}} {
		if _, err := c.Encode(t.Context(), testPicture(64, 64), &o); !errors.As(err, new(OptionError)) {
			t.Errorf("%.9q: error %v", o.Prompt, err)
		}
	}
	if _, err := builtIn(t).Encode(t.Context(), testPicture(64, 64), &EncodeOptions{Prompt: "a fox"}); err != errNoWords {
		t.Errorf("the built-in model: %v", err)
	}
}

// tinyFolders writes the tiny model, and beside it the same with a constant
// context in place of its text encoder.
func tinyFolders(t *testing.T) (dir, constant string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "tiny")
	constant = dir + "-constant"
	if err := synth.Write(t.Context(), dir, "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := convert.Folder(t.Context(), dir, constant, convert.Options{ConstantContext: true}); err != nil {
		t.Fatal(err)
	}
	return dir, constant
}

// TestPromptErrors: a model that cannot read prompts says so when it is given
// one, and only then.
func TestPromptErrors(t *testing.T) {
	words := "a fox"
	dir, constant := tinyFolders(t)
	whole := dir + "-whole"
	if _, err := convert.Folder(t.Context(), dir, whole, convert.Options{}); err != nil {
		t.Fatal(err)
	}
	without := dir + "-without"
	if err := os.CopyFS(without, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(without, string(weights.Tokenizer))); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{whole: "", constant: "in place of its text encoder", without: "it has no tokenizer"} {
		c, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Paint(t.Context(), rawFile(t), quick()); err != nil {
			t.Errorf("%s without a prompt: %v", name, err)
		}
		for _, o := range []*DecodeOptions{{Prompt: &words}, {NegativePrompt: words}} {
			o.Sampling, o.Size = sampling(3), 32
			_, err = c.Paint(t.Context(), rawFile(t), o)
			if _, typed := errors.AsType[PromptError](err); typed != (want != "") || typed && !strings.Contains(err.Error(), want) || !typed && err != nil {
				t.Errorf("%s: error %v, want %q", name, err, want)
			}
		}
	}

	c := builtIn(t)
	data, err := c.Encode(t.Context(), testPicture(64, 64), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Decode(t.Context(), data, &DecodeOptions{Prompt: &words}); err != errNoWords {
		t.Errorf("the built-in model: %v", err)
	}

	tiny := open(t, "tiny")
	for _, text := range []string{strings.Repeat("a", MaxPrompt+1), "\xff"} {
		for _, o := range []*DecodeOptions{{Prompt: &text}, {NegativePrompt: text}} {
			if _, err := tiny.Paint(t.Context(), rawFile(t), o); !errors.As(err, new(OptionError)) {
				t.Errorf("%.9q: error %v", text, err)
			}
		}
	}
}

// TestBrokenTokenizer: an error names the file.
func TestBrokenTokenizer(t *testing.T) {
	words := "a fox"
	for file, content := range map[string]string{"vocab.json": "{}", "merges.txt": "a\n", "tokenizer_config.json": `{"model_max_length": 78}`} {
		dir := t.TempDir()
		if err := synth.Write(t.Context(), dir, "tiny", 1, nil); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "tokenizer", file), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = c.Paint(t.Context(), rawFile(t), &DecodeOptions{Prompt: &words})
		want := filepath.Join(dir, "tokenizer") + ": " + file + ": "
		if file == "tokenizer_config.json" {
			want = filepath.Join(dir, "text_encoder", "config.json") + ": max_position_embeddings is 77, "
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", file, err, want)
		}
	}
}

// TestAddedToken: a token whose row the text encoder does not have, as that of a
// textual inversion, is missed by the prompts that have it.
func TestAddedToken(t *testing.T) {
	dir := t.TempDir()
	if err := synth.Write(t.Context(), dir, "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tokenizer", "added_tokens.json"), []byte(`{"<cat-toy>": 600}`), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, words := range []string{"", "a fox", "a <cat-toy>"} {
		_, err := c.Paint(t.Context(), rawFile(t), &DecodeOptions{Prompt: &words})
		if bad := strings.Contains(words, "<"); bad != (err != nil) || bad && !strings.HasSuffix(err.Error(), "config.json: vocab_size is 600, and the prompt has an added token of id 600") {
			t.Errorf("%q: %v", words, err)
		}
	}
}

// TestPromptWidth: a folder may have a constant context and a text encoder too,
// which must make contexts as wide.
func TestPromptWidth(t *testing.T) {
	dir, constant := tinyFolders(t)
	if err := os.CopyFS(filepath.Join(dir, string(weights.PromptEmbeds)), os.DirFS(filepath.Join(constant, string(weights.PromptEmbeds)))); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, string(weights.TextEncoder), "config.json")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	narrow := bytes.Replace(text, []byte(`"hidden_size": 64`), []byte(`"hidden_size": 32`), 1)
	for _, k := range []struct {
		config []byte
		want   string
	}{{text, ""}, {narrow, "text_encoder's hidden_size 32"}} {
		if err := os.WriteFile(config, k.config, 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		o, words := quick(), "a fox"
		o.Prompt = &words
		if _, err := c.Paint(t.Context(), rawFile(t), o); (err != nil) != (k.want != "") || err != nil && !strings.Contains(err.Error(), k.want) {
			t.Errorf("error %v, want %q", err, k.want)
		}
	}
}
