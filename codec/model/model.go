package model

import (
	"context"
	"fmt"

	"github.com/coclico/coclico/solver"
	"github.com/coclico/coclico/unet"
	"github.com/coclico/coclico/vae"
	"github.com/coclico/coclico/vit"
	"github.com/coclico/coclico/vit/tokenizer"
	"github.com/coclico/coclico/weights"
)

// A Model is an opened folder. Its methods may be called concurrently; each
// part is opened by the first call and kept. Opening a network reads all of its
// weights once, and stops when its context ends. Every other error is one line
// that begins with the name of the file at fault.
type Model struct {
	folder *weights.Folder
	open   func(weights.Part) (*weights.Store, error)

	imageEncoder func(context.Context) (*vit.Model, error)
	preprocessor func() (vit.PreprocessConfig, error)
	textEncoder  func(context.Context) (*vit.TextModel, error)
	tokenizer    func() (*tokenizer.Tokenizer, error)
	prompt       func() (prompt, error)
	unet         func(context.Context) (*unet.Model, error)
	vaeConfig    func() (vae.Config, error)
	vaeEncoder   func(context.Context) (*vae.Encoder, error)
	vaeDecoder   func(context.Context) (*vae.Decoder, error)
	normalizer   func() (*normalizer, error)
	scheduler    func() (solver.Config, error)
	noising      func() (*solver.Noising, error)
}

// New returns the model in a folder, which must stay open while the model is in
// use.
func New(folder *weights.Folder) *Model { return newModel(folder, folder.Part) }

func newModel(folder *weights.Folder, open func(weights.Part) (*weights.Store, error)) *Model {
	m := &Model{folder: folder, open: open}
	m.imageEncoder = onceIn(m.loadImageEncoder)
	m.preprocessor = once(m.loadPreprocessor)
	m.textEncoder = onceIn(m.loadTextEncoder)
	m.tokenizer = once(m.loadTokenizer)
	m.prompt = once(m.loadPrompt)
	m.unet = onceIn(m.loadUNet)
	m.vaeConfig = once(m.loadVAE)
	m.vaeEncoder = onceIn(m.loadVAEEncoder)
	m.vaeDecoder = onceIn(m.loadVAEDecoder)
	m.normalizer = once(m.loadNormalizer)
	m.scheduler = once(func() (solver.Config, error) { return configOf(m, weights.Scheduler, solver.ParseConfig) })
	m.noising = once(func() (*solver.Noising, error) {
		return configOf(m, weights.ImageNoisingScheduler, solver.ParseNoising)
	})
	return m
}

// once is like sync.OnceValues but tries again after an error, which may have
// been the machine's rather than the file's: no file descriptor left, or no
// memory.
func once[T any](load func() (T, error)) func() (T, error) {
	get := onceIn(func(context.Context) (T, error) { return load() })
	return func() (T, error) { return get(context.Background()) }
}

// onceIn is once for a load that takes long enough to be interrupted, such as
// reading all values of a network's weights from a disk.
func onceIn[T any](load func(context.Context) (T, error)) func(context.Context) (T, error) {
	lock := NewLock()
	var value T
	var done bool
	return func(ctx context.Context) (v T, err error) {
		if err := lock.Acquire(ctx); err != nil {
			return v, err
		}
		defer lock.Release()
		if done {
			return value, nil
		}
		v, err = load(ctx)
		if err == nil {
			value, done = v, true
		}
		return v, err
	}
}

// Folder returns the folder.
func (m *Model) Folder() *weights.Folder { return m.folder }

// ImageEncoder returns the CLIP vision tower with its projection.
func (m *Model) ImageEncoder(ctx context.Context) (*vit.Model, error) { return m.imageEncoder(ctx) }

// Preprocessor returns the configuration by which a picture becomes the image
// encoder's pixels.
func (m *Model) Preprocessor() (vit.PreprocessConfig, error) { return m.preprocessor() }

// TextEncoder returns the CLIP text tower.
func (m *Model) TextEncoder(ctx context.Context) (*vit.TextModel, error) { return m.textEncoder(ctx) }

// UNet returns the denoising network.
func (m *Model) UNet(ctx context.Context) (*unet.Model, error) { return m.unet(ctx) }

// UNetConfig returns the configuration of the denoising network, without
// opening its weights.
func (m *Model) UNetConfig() (unet.Config, error) { return configOf(m, weights.UNet, unet.ParseConfig) }

// VAE returns the configuration of the autoencoder.
func (m *Model) VAE() (vae.Config, error) { return m.vaeConfig() }

// VAEEncoder returns the half of the autoencoder that turns pictures into
// latents.
func (m *Model) VAEEncoder(ctx context.Context) (*vae.Encoder, error) { return m.vaeEncoder(ctx) }

// VAEDecoder returns the half of the autoencoder that turns latents into
// pictures.
func (m *Model) VAEDecoder(ctx context.Context) (*vae.Decoder, error) { return m.vaeDecoder(ctx) }

// Normalizer returns the mean and the standard deviation of CLIP vectors, by
// dimension. The caller must not change them.
func (m *Model) Normalizer() (mean, std []float32, err error) {
	n, err := m.normalizer()
	if err != nil {
		return nil, nil, err
	}
	for i, v := range n.std {
		if !(v > 0) { // a vector is divided by it
			return nil, nil, weights.NewFileError(m.folder.PartPath(weights.ImageNormalizer), fmt.Errorf("value %d of std is %g: it must be above 0", i, v))
		}
	}
	return n.mean, n.std, nil
}

// Scheduler returns the configuration of the solver's schedule.
func (m *Model) Scheduler() (solver.Config, error) { return m.scheduler() }

// Noising returns the noise schedule of CLIP vectors.
func (m *Model) Noising() (*solver.Noising, error) { return m.noising() }

// configOf reads and parses a part's configuration.
func configOf[C any](m *Model, part weights.Part, parse func([]byte) (C, error)) (C, error) {
	data, err := m.folder.Config(part)
	if err != nil {
		var none C
		return none, err
	}
	c, err := parse(data)
	if err != nil {
		return c, fmt.Errorf("%s: %w", m.folder.ConfigName(part), err)
	}
	return c, nil
}

// network builds a network over a part's weights and checks them: first names
// and shapes, and only then the values, which must be finite.
func network[C, N any](ctx context.Context, m *Model, part weights.Part, cfg C, build func(*weights.Scope, C) N) (N, error) {
	var none N
	store, err := m.open(part)
	if err != nil {
		return none, err
	}
	n := build(store.Scope(), cfg)
	err = store.Err()
	if err == nil {
		err = store.CheckFinite(ctx)
	}
	if err != nil {
		m.folder.Drop(store) // the next call opens it again
		return none, err
	}
	return n, nil
}
