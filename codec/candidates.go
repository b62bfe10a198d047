package codec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"math/bits"
	"slices"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
	"github.com/coclico/coclico/internal/hook"
	"github.com/coclico/coclico/solver"
	"github.com/coclico/coclico/vae"
	"github.com/coclico/coclico/weights"
)

// MaxCandidates is the largest number of candidates.
const MaxCandidates = format.MaxCandidates

// ErrNoDecoder reports that candidates cannot be painted with half a model.
var ErrNoDecoder = errors.New("the model lacks its decoder's half, which candidates are painted with")

// A Judgment says how near a candidate is to the picture that is encoded.
type Judgment struct {
	Candidate   int // 0 to EncodeOptions.Candidates - 1
	Step, Steps int // steps that are done, and steps of a whole decode

	// Distance is 1 - cosine of the CLIP vectors of the picture and of what the
	// candidate's steps lead to. It decides.
	Distance float64

	// AreaColorScore is the mean square difference of the two, averaged to 32 x
	// 32 pixels: a second measure, which the CLIP tower has no part in. The
	// paper's color score interpolates instead, and is higher.
	AreaColorScore float64
}

// needDecoder returns ErrNoDecoder for a folder without the decoder's half.
func needDecoder(f *weights.Folder) error {
	for _, part := range []weights.Part{weights.UNet, weights.VAE, weights.Scheduler, weights.ImageNoisingScheduler} {
		if !f.Has(part) {
			return fmt.Errorf("%s: %w", f.Name(), ErrNoDecoder)
		}
	}
	return nil
}

// canPaint returns an error if the model cannot paint files of these options.
func (c *Codec) canPaint(o *EncodeOptions) error {
	if err := needDecoder(c.model.Folder()); err != nil {
		return err
	}
	cfg, err := c.model.Scheduler()
	if err != nil {
		return err
	}
	s := DefaultSampling(o.Profile)
	if o.Sampling != nil {
		s = *o.Sampling
	}
	if s.Steps > cfg.NumTrainTimesteps {
		return tooManySteps(s.Steps, cfg)
	}
	return nil
}

// firstRound is the share of the steps after which candidates are first judged.
const firstRound = 0.2

// A round is a part of a search: the remaining candidates are advanced to a step
// and judged, and the best of them remain.
type round struct {
	step int // steps that are done at its end
	left int // candidates that remain at its end
}

// A search is the choice among the candidates of one file. It holds the image
// encoder, one more network at a time, as a decode does, and some latents of
// every candidate.
type search struct {
	*painter
	vector []float32 // the picture's CLIP vector
	colors []float32 // its pixels at 32 x 32
	judged func(Judgment)
	rounds []round

	n, work, spent int          // candidates; units of work in all and done, each a step or a judgment
	field          []*candidate // those that remain; the first is the best one
}

// A candidate is a noise that a picture is painted from.
type candidate struct {
	*path
	number          int
	distance, score float64
}

// choose returns the file with the best candidate. If ctx ends, it returns the
// file with the best one so far, and the context's error.
func (c *Codec) choose(ctx context.Context, data []byte, small thumbnails, vector []float32, o *EncodeOptions) (_ []byte, err error) {
	file, err := Parse(data)
	if err != nil {
		return nil, err
	}
	ctx = ownTrace(ctx)
	p, err := c.newPainter(ctx, file, &DecodeOptions{Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	defer catchRefusal(&err, "candidates of %d x %d pixels", p.w, p.h)
	defer p.ws.Close()
	s := &search{painter: p, vector: vector, colors: small.target, judged: o.Judged, n: o.Candidates}
	if s.judged == nil {
		s.judged = func(Judgment) {}
	}
	s.rounds = roundsOf(s.n, len(p.path.steps))
	s.work = workOf(s.n, s.rounds)
	err = s.run(ctx)
	if err != nil && (ctx.Err() == nil || !errors.Is(err, ctx.Err())) {
		return nil, err
	}
	best := 0
	if len(s.field) > 0 {
		best = s.field[0].number
	}
	return file.f.WithCandidate(uint8(best)), err
}

// ownTrace returns ctx without a trace of the candidates' vectors, which would
// pass for the picture's.
func ownTrace(ctx context.Context) context.Context {
	trace := hook.From(ctx).Trace
	if trace == nil {
		return ctx
	}
	return hook.With(ctx, hook.Hook{Trace: func(name string, values []float32) {
		if name != "pixel_values" && name != "image_embeds" {
			trace(name, values)
		}
	}})
}

// run makes the best candidate the first of the field.
func (s *search) run(ctx context.Context) error {
	for _, stage := range []func(context.Context) error{s.encodePrompt, s.encodeMap} {
		if err := stage(ctx); err != nil {
			return err
		}
	}
	for k := range s.n {
		t, err := s.newPath(solver.NewGenerator(s.seed() + uint64(k)))
		if err != nil {
			return err
		}
		s.start(t)
		s.field = append(s.field, &candidate{path: t, number: k})
	}
	for _, r := range s.rounds {
		if err := s.advance(ctx, r.step); err != nil {
			return err
		}
		if err := s.judge(ctx); err != nil {
			return err
		}
		s.field = s.field[:r.left]
	}
	return nil
}

// advance runs the steps of all candidates of the field.
func (s *search) advance(ctx context.Context, step int) error {
	net, err := s.model.UNet(ctx)
	if err != nil {
		return err
	}
	defer s.painter.done(net)
	for _, k := range s.field {
		for k.done < step {
			s.progress(k)
			if err := s.step(ctx, net, k.path); err != nil {
				return err
			}
		}
	}
	return nil
}

// judge judges the field, and sorts it. If ctx ends, the first candidate is
// that of the round before; in the first round, the best of those judged.
func (s *search) judge(ctx context.Context) error {
	net, err := s.model.VAEDecoder(ctx)
	if err != nil {
		return err
	}
	defer s.painter.done(net)
	for i, k := range s.field {
		s.progress(k)
		if err := s.judgeOne(ctx, net, k); err != nil {
			if len(s.field) == s.n {
				sortCandidates(s.field[:i])
			}
			return err
		}
		s.judged(Judgment{k.number, k.done, len(k.steps), k.distance, k.score})
	}
	sortCandidates(s.field)
	return nil
}

// sortCandidates sorts by distance, then by colors, then as before.
func sortCandidates(field []*candidate) {
	slices.SortStableFunc(field, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.score, b.score))
	})
}

// judgeOne judges what a candidate's last step leads to.
func (s *search) judgeOne(ctx context.Context, net *vae.Decoder, k *candidate) error {
	z := k.estimate
	if k.done == len(k.steps) {
		z = k.z
	}
	img, err := s.pixels(ctx, net, z)
	if err != nil {
		return err
	}
	f := frame{rgb: rgbOf(img), w: s.w, h: s.h, shape: s.file.f.Shape}
	vector, err := s.embed(ctx, f, false)
	if err != nil {
		return err
	}
	k.distance = 1 - quant.Cosine(vector, s.vector)
	k.score = quant.Score(quant.Average(f.rgb, f.w, f.h, quant.ScoreSide), s.colors)
	return nil
}

// progress reports what is done before a unit of work.
func (s *search) progress(k *candidate) {
	s.o.Progress(Progress{Stage: StageCandidates, Step: s.spent, Steps: s.work, Candidate: k.number, Candidates: s.n})
	s.spent++
}

// rgbOf returns the pixels of an opaque picture [h,w,3].
func rgbOf(img *image.RGBA) []byte {
	rgb := make([]byte, 0, len(img.Pix)/4*3)
	for i := 0; i < len(img.Pix); i += 4 {
		rgb = append(rgb, img.Pix[i:i+3]...)
	}
	return rgb
}

// roundsOf returns the rounds of n candidates in a decode of so many steps.
// Each of them halves the field. They lie at even distances, the first one
// after a fifth of the steps and the last one, between two candidates, at the
// end: with 8 candidates and 17 steps 8 of them are judged after 3 steps, 4
// after 10 and 2 after 17.
//
// What a candidate costs before it is dropped, a share of a decode, is spent in
// vain; and the earlier it is judged, the less its estimate says. With the first
// round at a share x and r rounds the steps between two rounds are (1-x)/(r-1)
// of a decode for half, then a quarter of the candidates, and so on: all
// together between x + (1-x)/2, for 4 candidates, and x. So x = 0.2 costs 0.6,
// 0.5 and 0.36 of painting all 4, 8 and 64 of them. Measured with 8 candidates
// and the built-in model, such rounds keep nine tenths of what choosing among
// finished pictures gains; see bench/RESULTS.md.
func roundsOf(n, steps int) []round {
	halvings := bits.Len(uint(n - 1))
	var all []round
	for i := range halvings {
		share := 1.0
		if halvings > 1 {
			share = firstRound + (1-firstRound)*float64(i)/float64(halvings-1)
		}
		n = (n + 1) / 2
		step := min(max(int(math.Round(share*float64(steps))), 1), steps)
		if last := len(all) - 1; last >= 0 && all[last].step == step {
			all[last].left = n // few steps
		} else {
			all = append(all, round{step, n})
		}
	}
	return all
}

// workOf returns the steps and judgments of rounds.
func workOf(n int, rounds []round) (work int) {
	done := 0
	for _, r := range rounds {
		work += n * (r.step - done + 1)
		n, done = r.left, r.step
	}
	return work
}
