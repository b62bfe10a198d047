// Package text turns words into vectors of CLIP's space, in which pictures lie
// near the words that describe them.
//
// The model is CLIP's own text tower with its projection, such as that of
// openai/clip-vit-large-patch14: the one that the vectors of a codec's files
// can be compared with. (The text encoder of Stable unCLIP is another, which
// shares no space with them.) Its words are English.
package text

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/vit"
	"github.com/coclico/coclico/vit/tokenizer"
	"github.com/coclico/coclico/weights"
)

// The files of a folder besides the tokenizer's.
const (
	configFile  = "config.json"
	weightsFile = "model.safetensors"
)

// maxConfig bounds config.json; CLIP's has 4 kB.
const maxConfig = 1 << 20

// An Encoder is an opened text tower. Its methods may be called concurrently.
type Encoder struct {
	dir       string
	store     *weights.Store
	tokenizer *tokenizer.Tokenizer
	tower     *vit.TextEmbedder
	lock      model.Lock
	ws        nn.Workspace // exact
}

// Open opens a folder with a CLIP's config.json and model.safetensors, which
// may hold the vision tower too, and the tokenizer's vocab.json and merges.txt, or
// tokenizer.json.
// It reads all weights once. Errors name the file that is wrong.
func Open(ctx context.Context, dir string) (*Encoder, error) {
	tok, err := tokenizer.New(os.DirFS(dir))
	if err != nil {
		return nil, weights.NewFileError(dir, err)
	}
	name := filepath.Join(dir, configFile)
	cfg, err := readConfig(dir)
	if err != nil {
		return nil, weights.NewFileError(name, err)
	}
	if tok.Size() > cfg.VocabSize || tok.Len() > cfg.MaxPositionEmbeddings {
		return nil, weights.NewFileError(name, fmt.Errorf("%d words and %d positions, the tokenizer's are %d and %d", cfg.VocabSize, cfg.MaxPositionEmbeddings, tok.Size(), tok.Len()))
	}
	store, err := weights.OpenFile(filepath.Join(dir, weightsFile))
	if err != nil {
		return nil, err
	}
	e := &Encoder{dir: dir, store: store, tokenizer: tok, tower: vit.NewTextEmbedder(store.Scope(), cfg), lock: model.NewLock()}
	store.Scope().Ignore("vision_model", "visual_projection", "logit_scale") // of a whole CLIP
	if err = store.Err(); err == nil {
		err = store.CheckFinite(ctx)
	}
	if err != nil {
		store.Close()
		return nil, err
	}
	return e, nil
}

func readConfig(dir string) (cfg vit.TextEmbedConfig, err error) {
	data, err := weights.ReadSmall(os.DirFS(dir), configFile, maxConfig)
	if err != nil {
		return cfg, err
	}
	return vit.ParseTextEmbedConfig(data)
}

// Close releases the folder's files. No call may be running or follow.
func (e *Encoder) Close() error {
	e.tower.Release()
	e.ws.Close()
	return e.store.Close()
}

// Dimensions returns the number of dimensions of a vector.
func (e *Encoder) Dimensions() int { return e.tower.Config().ProjectionDim }

// Embed returns a text's vector, of length 1. Of a long text only the beginning
// counts: 75 tokens, about 60 words.
func (e *Encoder) Embed(ctx context.Context, text string) ([]float32, error) {
	v, err := e.embed(ctx, text)
	if err != nil {
		return nil, err
	}
	return v[0], nil
}

// usual are captions of what most pictures show. The vectors of texts lie apart
// from those of pictures, all on one side of the space; their mean stands for
// that side.
var usual = []string{
	"a photo", "a drawing", "a photo of a person", "a photo of an animal", "a photo of a landscape",
	"a photo of a building", "a photo of a street", "a photo of something on a table",
}

// Direction returns in which direction from an average picture those lie that a
// text describes: its vector, less the mean of a few usual captions.
func (e *Encoder) Direction(ctx context.Context, text string) ([]float32, error) {
	v, err := e.embed(ctx, append([]string{text}, usual...)...)
	if err != nil {
		return nil, err
	}
	direction := v[0]
	for i := range direction {
		mean := 0.0
		for _, u := range v[1:] {
			mean += float64(u[i])
		}
		direction[i] -= float32(mean / float64(len(usual)))
	}
	return direction, nil
}

// embed returns the vectors of texts.
func (e *Encoder) embed(ctx context.Context, texts ...string) ([][]float32, error) {
	if err := e.lock.Acquire(ctx); err != nil {
		return nil, err
	}
	defer e.lock.Release()
	ids := make([][]int, len(texts))
	for i, text := range texts {
		ids[i] = e.tokenizer.Encode(text)
	}
	y, err := e.tower.Forward(ctx, &e.ws, ids)
	if err != nil {
		return nil, err
	}
	defer e.ws.Put(y)
	vectors := make([][]float32, len(texts))
	for i := range vectors {
		if vectors[i] = normalize(y.Data[i*e.Dimensions():][:e.Dimensions()]); vectors[i] == nil {
			return nil, weights.NewFileError(e.dir, errors.New("the vector of a text has no direction: the weights or the configuration are wrong"))
		}
	}
	return vectors, nil
}

// normalize returns a vector of length 1 in the direction of v, nil if that has
// none.
func normalize(v []float32) []float32 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return nil
	}
	n := make([]float32, len(v))
	for i, x := range v {
		n[i] = float32(float64(x) / math.Sqrt(sum))
	}
	return n
}
