package codec

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/unet"
)

// MaxPrompt is the largest number of bytes of a prompt. CLIP's text encoder
// reads the first 75 tokens, about 60 words.
const MaxPrompt = format.MaxPrompt

// storedPrompt returns a prompt as a file holds it: white space becomes a single
// space, which is the same to a tokenizer. It returns an [OptionError] if a file
// cannot hold the prompt.
func storedPrompt(text string) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	if err := checkPrompt("prompt", text); err != nil {
		return "", err
	}
	if strings.IndexFunc(text, unicode.IsControl) >= 0 {
		return "", optionErrorf("prompt with control characters")
	}
	return text, nil
}

// checkPrompt returns an [OptionError] if a prompt is too long or no text.
func checkPrompt(what, text string) error {
	switch {
	case len(text) > MaxPrompt:
		return optionErrorf("%s of %d bytes: at most %d are read", what, len(text), MaxPrompt)
	case !utf8.ValidString(text):
		return optionErrorf("%s is not UTF-8", what)
	}
	return nil
}

// checkStored makes the prompt of a file of what the caller gave, and checks that
// the model does read prompts. Another model's folder may be the encoder's half
// alone.
func (c *Codec) checkStored(o *EncodeOptions) (err error) {
	if o.Prompt, err = storedPrompt(o.Prompt); err != nil || o.Prompt == "" {
		return err
	}
	if err := c.readsPrompts(); err == errNoWords {
		return err
	}
	return nil
}

// readPrompts finds the negative prompt and the prompt, and checks before any
// network runs that the model can read them.
func (p *painter) readPrompts() error {
	p.texts = [2]string{p.o.NegativePrompt, p.file.Prompt()}
	if p.o.Prompt != nil {
		p.texts[1] = *p.o.Prompt
	}
	if p.texts == [2]string{} {
		return nil
	}
	if err := checkPrompt("negative prompt", p.texts[0]); err != nil {
		return err
	}
	if err := checkPrompt("prompt", p.texts[1]); err != nil {
		return err
	}
	return p.readsPrompts()
}

// readsPrompts returns an error if the model cannot read prompts.
func (c *Codec) readsPrompts() error {
	_, err := c.model.Tokenizer()
	if _, ok := err.(PromptError); ok {
		if id, e := c.ModelID(); e == nil && id == builtInID {
			return errNoWords
		}
	}
	return err
}

// A textContext is what the UNet is told in words.
type textContext struct {
	guided *unet.Context // for the unconditional and the conditional half
	alone  *unet.Context // for the conditional half alone
}

// of returns the context of n pictures, 1 or 2.
func (c textContext) of(n int) *unet.Context {
	if n == 1 {
		return c.alone
	}
	return c.guided
}

// encodePrompt finds the UNet's text context: that of the prompts for the two
// halves of guidance, or the constant of the empty prompt for both.
func (p *painter) encodePrompt(ctx context.Context) error {
	net, err := p.model.UNet(ctx)
	if err != nil {
		return err
	}
	if net.Config().ContextDim() == 0 {
		if p.texts != [2]string{} {
			return PromptError("the model cannot read a prompt: its UNet has no text context")
		}
		return nil
	}
	c := &p.prompts[p.ws.Precision]
	if known, err := p.knownContext(ctx, c); known || err != nil {
		return err
	}
	p.o.Progress(Progress{Stage: StagePrompt}) // without the lock, which other decodes wait for
	if err := c.lock.Acquire(ctx); err != nil {
		return err
	}
	defer c.lock.Release()
	if p.text = c.of(p.texts); p.text.guided == nil {
		p.text, err = p.promptContext(ctx, c, net)
	}
	return err
}

// knownContext takes what was made of the same prompts before, if there is any.
func (p *painter) knownContext(ctx context.Context, c *prompt) (bool, error) {
	if err := c.lock.Acquire(ctx); err != nil {
		return false, err
	}
	defer c.lock.Release()
	p.text = c.of(p.texts)
	return p.text.guided != nil, nil
}

// of returns what was made of prompts, zero for others than the last. The text
// encoder is not needed again.
func (c *prompt) of(texts [2]string) textContext {
	switch {
	case texts == [2]string{}:
		return textContext{c.empty, c.empty}
	case c.texts == texts:
		return c.last
	}
	return textContext{}
}

// promptContext brings the prompts into the UNet's form, and keeps that.
func (p *painter) promptContext(ctx context.Context, c *prompt, net *unet.Model) (t textContext, err error) {
	defer p.ws.Close()
	if p.texts == [2]string{} {
		text, err := p.model.PromptEmbeds(ctx, p.o.LowMemory)
		if err != nil {
			return t, err
		}
		c.empty = net.Context(&p.ws, text)
		return textContext{c.empty, c.empty}, nil
	}
	both, err := p.model.TextEmbeds(ctx, p.texts[:], p.o.LowMemory)
	if err != nil {
		return t, err
	}
	second := &nn.Tensor{N: 1, H: both.H, W: both.W, C: both.C, Data: both.Data[both.Len()/2:]}
	c.texts, c.last = p.texts, textContext{net.Context(&p.ws, both), net.Context(&p.ws, second)}
	return c.last, nil
}
