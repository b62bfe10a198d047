package codec

import (
	"context"
	"image"
	"slices"
	"sync"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/internal/hook"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/vit"
	"github.com/coclico/coclico/weights"
)

// An Embedded is a picture that the image encoder has seen.
type Embedded struct {
	// Progress, if not nil, is called at the start of every stage of Encode. It
	// is the one of the options of Embed until it is changed.
	Progress func(Progress)

	codec      *Codec
	header     format.Header // of the file, and zero with Raw, as the prior
	prior      format.Prior
	thumbnails thumbnails
	vector     []float32
	opts       EncodeOptions
}

// Embed does the part of [Codec.Encode] that takes the time: it computes a
// picture's CLIP vector. [Embedded.Encode] does the rest. What is between them
// takes less than 100 kB, however large the picture is; Embed itself reads it into
// 3 bytes for each pixel that is kept.
//
// The context is not looked at while a picture is read and shrunk, which takes
// about a second for 50 million pixels.
//
// Many pictures are encoded fastest by several goroutines: those that wait
// while the network is at work are its next batch. A batch's vectors are, bit
// for bit, those of its pictures one by one.
func (c *Codec) Embed(ctx context.Context, img image.Image, opts *EncodeOptions) (_ *Embedded, err error) {
	defer catchRefusal(&err, "the image encoder")
	var o EncodeOptions
	if opts != nil {
		o = *opts
		if o.Sampling != nil {
			s := *o.Sampling
			o.Sampling = &s // Encode is to come, and the caller may change it
		}
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := c.checkStored(&o); err != nil {
		return nil, err
	}
	if o.Candidates > 1 {
		if err := c.canPaint(&o); err != nil {
			return nil, err
		}
	}
	if err := nn.Check(); err != nil {
		return nil, err
	}
	f, err := newFrame(img, o.Whole)
	if err != nil {
		return nil, err
	}
	e := &Embedded{Progress: o.Progress, codec: c, opts: o}
	if !o.Raw { // without a header, and without the normalizer
		if e.header, e.prior, err = c.header(ctx, f.shape, &o); err != nil {
			return nil, err
		}
	}
	if o.Progress != nil {
		o.Progress(Progress{Stage: StageEmbed})
	}
	if e.thumbnails, err = f.thumbnails(ctx, &o); err != nil {
		return nil, err
	}
	if e.vector, err = c.embed(ctx, f, o.Fast); err != nil {
		return nil, err
	}
	return e, nil
}

// Vector returns the picture's CLIP vector as the image encoder computed it. The
// caller must not change it.
func (e *Embedded) Vector() []float32 { return e.vector }

// embed returns the CLIP vector of a picture. A whole one is stretched to the
// tower's square, as in the training of Stable unCLIP.
func (c *Codec) embed(ctx context.Context, f frame, fast bool) ([]float32, error) {
	pre, err := c.model.Preprocessor()
	if err != nil {
		return nil, err
	}
	tower, err := c.model.ImageEncoder(ctx)
	if err != nil {
		return nil, err
	}
	v := &view{pixels: make([]float32, pre.CropSize*pre.CropSize*3), done: make(chan struct{})}
	seen := pre.Preprocess
	if f.shape != 0 {
		seen = pre.PreprocessWhole
	}
	vit.Normalize(v.pixels, seen(f.rgb, f.w, f.h), pre.Mean, pre.Std)
	p := nn.Exact
	if fast {
		p = nn.Fast
	}
	if err := c.gallery[p].see(ctx, tower, p, v); err != nil {
		return nil, err
	}
	if err := c.finite(weights.ImageEncoder, &nn.Tensor{N: 1, H: 1, W: 1, C: len(v.vector), Data: v.vector}); err != nil {
		return nil, err
	}
	if trace := hook.From(ctx).Trace; trace != nil {
		pixels := &nn.Tensor{N: 1, H: pre.CropSize, W: pre.CropSize, C: 3, Data: v.pixels}
		trace("pixel_values", pixels.NCHW())
		trace("image_embeds", v.vector)
	}
	return v.vector, nil
}

// maxBatch is the most pictures that the tower sees at once. ViT-L/14 takes 9
// MB for each, and its weights, 600 MB as float16, pass by once for all.
const maxBatch = 16

// A gallery shows the tower the pictures of concurrent calls of one precision.
type gallery struct {
	mu      sync.Mutex
	waiting []*view
	working bool // a goroutine takes what waits
}

// A view is a picture on its way through the tower. Its fields belong to the
// gallery until done is closed.
type view struct {
	pixels   []float32 // normalized, [S,S,3]
	vector   []float32
	err      error
	panicked any      // the value of a panic in the tower, traced
	batch    *viewing // nil while the picture waits
	done     chan struct{}
}

// result returns v.err once done is closed. A panic in the tower becomes the
// caller's, which may recover it: in the gallery's goroutine it would end the
// process.
func (v *view) result() error {
	if v.panicked != nil {
		panic(v.panicked)
	}
	return v.err
}

// A viewing is a batch in the tower.
type viewing struct {
	left   int // calls that wait for it
	cancel context.CancelFunc
}

// see sets v.vector, or panics if the tower has. It returns early if ctx ends,
// but not before the tower has stopped if no other call waits for the batch: a
// call that has returned uses the model no more.
func (g *gallery) see(ctx context.Context, tower *vit.Model, p nn.Precision, v *view) error {
	g.mu.Lock()
	g.waiting = append(g.waiting, v)
	if !g.working {
		g.working = true
		go g.work(tower, p)
	}
	g.mu.Unlock()
	select {
	case <-v.done:
		return v.result()
	case <-ctx.Done():
	}
	if g.leave(v) {
		<-v.done
		_ = v.result() // for a panic
	}
	return ctx.Err()
}

// leave takes away a picture whose call ends early. It reports whether the
// picture's batch has nobody left to wait for it and was canceled.
func (g *gallery) leave(v *view) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if v.batch == nil {
		g.waiting = slices.DeleteFunc(g.waiting, func(w *view) bool { return w == v })
		return false
	}
	v.batch.left--
	if v.batch.left > 0 {
		return false
	}
	v.batch.cancel()
	return true
}

// work shows the tower one batch after the other until nothing waits.
func (g *gallery) work(tower *vit.Model, p nn.Precision) {
	for {
		ctx, cancel := context.WithCancel(context.Background())
		g.mu.Lock()
		n := min(len(g.waiting), maxBatch)
		batch := slices.Clone(g.waiting[:n])
		g.waiting = slices.Delete(g.waiting, 0, n)
		g.working = n > 0
		all := &viewing{left: n, cancel: cancel}
		for _, v := range batch {
			v.batch = all
		}
		g.mu.Unlock()
		if n > 0 {
			show(ctx, tower, p, batch)
		}
		cancel()
		if n == 0 {
			return
		}
		for _, v := range batch {
			close(v.done)
		}
	}
}

// show sets the vectors, the errors, or the value of a panic, of a batch.
func show(ctx context.Context, tower *vit.Model, p nn.Precision, batch []*view) {
	defer func() {
		if r := recover(); r != nil {
			value := traced(r)
			for _, v := range batch {
				v.panicked = value
			}
		}
	}()
	ws := nn.Workspace{Precision: p}
	defer ws.Close()
	side := tower.Config().ImageSize
	pixels := ws.Get(len(batch), side, side, 3)
	for i, v := range batch {
		copy(pixels.Data[i*len(v.pixels):], v.pixels)
	}
	x, err := tower.Forward(ctx, &ws, pixels)
	for i, v := range batch {
		if v.err = err; err == nil {
			v.vector = slices.Clone(x.Data[i*x.C : (i+1)*x.C])
		}
	}
}
