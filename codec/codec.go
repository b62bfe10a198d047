package codec

import (
	"fmt"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/unet"
	"github.com/coclico/coclico/weights"
)

// A Codec encodes and decodes with one model. Its methods may be called
// concurrently.
type Codec struct {
	// KeepNetworks keeps the decoder's networks in memory, packed for the
	// machine's products. Without it each is released when its work on a
	// picture is done and packed again for the next one: about two seconds of
	// a decode with the real model, which then needs 2 GB less. The encoder's
	// network is always kept. Set it before the first use.
	KeepNetworks bool

	model   *model.Model
	prompts [nn.NumPrecisions]prompt
	gallery [nn.NumPrecisions]gallery
	fits    [nn.NumPrecisions]colorFit
}

// A prompt is what the UNet makes of prompts.
type prompt struct {
	lock  model.Lock
	empty *unet.Context // of the empty prompt, a constant of the model; nil before the first use
	texts [2]string     // the negative and the other prompt that were last used
	last  textContext   // of texts; zero before the first use
}

// Open returns the codec of a model folder on disk, laid out as diffusers saves
// Stable unCLIP. Encode opens the image encoder and the image normalizer when
// it is first called, Decode everything but the image encoder. Errors name the
// file that is wrong.
func Open(dir string) (*Codec, error) {
	folder, err := weights.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	return New(folder), nil
}

// New returns the codec of an opened folder. Closing the codec closes the
// folder.
func New(folder *weights.Folder) *Codec {
	c := &Codec{model: model.New(folder)}
	for i := range c.prompts {
		c.prompts[i].lock, c.fits[i].lock = model.NewLock(), model.NewLock()
	}
	return c
}

// Close releases the model's files, which are mapped into memory. No call may be
// running or follow: if it reads them, the process ends.
func (c *Codec) Close() error { return c.model.Folder().Close() }

// ModelID returns the ID of the codec's model, which its files hold.
func (c *Codec) ModelID() (ModelID, error) {
	fingerprint, err := c.model.Fingerprint()
	return ModelID(fingerprint >> (32 - format.FingerprintBits)), err
}

// Fingerprint returns the fingerprint of the codec's model, eight hex digits, which
// an archive of its files records. ModelID is a number of its own, made of the
// first ten of these 32 bits: 241 for 904e1edc.
func (c *Codec) Fingerprint() (string, error) {
	fingerprint, err := c.model.Fingerprint()
	return fmt.Sprintf("%08x", fingerprint), err
}

// Prior returns what the model's files depend on, for those who read many of
// them with package format.
func (c *Codec) Prior() (format.Prior, error) { return c.prior() }

// prior returns what a file's symbols depend on of the model.
func (c *Codec) prior() (p format.Prior, err error) {
	id, err := c.ModelID()
	if err != nil {
		return p, err
	}
	mean, std, err := c.model.Normalizer()
	if err != nil {
		return p, err
	}
	p = format.Prior{Fingerprint: uint16(id), Moments: make([]format.Moment, len(mean))}
	for i := range mean {
		p.Moments[i] = format.Moment{
			Mean: format.Float16(weights.Float16(mean[i])),
			Std:  format.Float16(weights.Float16(std[i])),
		}
	}
	return p, nil
}

// finite returns an error if a part's network, whose weights are finite, made
// something that is not.
func (c *Codec) finite(part weights.Part, t *nn.Tensor) error {
	if !t.Finite() {
		return fmt.Errorf("%s: the network's output is not finite: its weights or its configuration are wrong", c.model.Folder().PartPath(part))
	}
	return nil
}
