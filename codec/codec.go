package codec

import (
	"fmt"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/codec/stream"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/unet"
	"github.com/coclico/coclico/weights"
)

// The errors of the format. A FormatError says that bytes are no stream of the
// given parameters, an UnsupportedError that a picture cannot be one.
type (
	FormatError      = stream.FormatError
	UnsupportedError = stream.UnsupportedError
)

// A Codec encodes and decodes with one model. Its methods may be called
// concurrently.
type Codec struct {
	// KeepNetworks keeps the decoder's networks in memory, in the form that
	// the machine multiplies. Without it each is dropped when its work on a
	// picture is done and made again for the next one: about two seconds of a
	// decode with the real model, which then needs 2 GB less. The encoder's
	// network is always kept. Set it before the first use.
	KeepNetworks bool

	model   *model.Model
	prompts [2]prompt // by precision
}

// A prompt is what the UNet knows of the empty prompt: a constant of the model.
type prompt struct {
	lock    model.Lock
	context *unet.Context // nil before the first use
}

// Open opens the codec of a model folder on disk, as diffusers saves Stable
// unCLIP. Its parts are opened when they are first needed: the image encoder by
// Encode, everything else by Decode. Errors name the file that is wrong.
func Open(dir string) (*Codec, error) {
	folder, err := weights.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	return New(folder), nil
}

// New returns the codec of an opened folder, which it closes with itself.
func New(folder *weights.Folder) *Codec {
	c := &Codec{model: model.New(folder)}
	for i := range c.prompts {
		c.prompts[i].lock = model.NewLock()
	}
	return c
}

// Close gives the model's files back. No call may be running or follow.
func (c *Codec) Close() error { return c.model.Folder().Close() }

// Params returns the parameters of the codec's streams, from the model's
// configuration alone.
func (c *Codec) Params(f Format) (stream.Params, error) {
	dim, err := c.model.EmbeddingDim()
	if err != nil {
		return stream.Params{}, err
	}
	return f.Params(dim)
}

// finite returns an error if a part's network, whose weights are finite, made
// something that is not.
func (c *Codec) finite(part weights.Part, t *nn.Tensor) error {
	if !t.Finite() {
		return fmt.Errorf("%s: the network's output is not finite: its weights or its configuration are wrong", c.model.Folder().PartPath(part))
	}
	return nil
}
