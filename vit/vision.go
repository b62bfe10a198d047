package vit

import (
	"context"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// Model is a CLIPVisionModelWithProjection. It is safe for concurrent use if
// every goroutine has its own workspace.
type Model struct {
	cfg     Config
	weights *nn.WeightSet

	classEmbedding    weights.Tensor // [C]
	patchEmbedding    *nn.Linear     // a convolution whose stride is its kernel size
	positionEmbedding weights.Tensor // [1+patches,C]
	preLayernorm      *nn.LayerNorm  // pre_layrnorm (sic)
	layers            []*layer
	postLayernorm     *nn.LayerNorm
	visualProjection  *nn.Linear
}

// New reads the model from the scope of its file. c must be valid.
func New(scope *weights.Scope, c Config) *Model {
	m := &Model{cfg: c, weights: new(nn.WeightSet)}
	s := m.weights.Scope(scope)
	v := s.Sub("vision_model")
	e := v.Sub("embeddings")
	eps := float32(c.LayerNormEps)
	m.classEmbedding = e.Tensor("class_embedding", c.HiddenSize)
	m.patchEmbedding = nn.NewPatches(e.Sub("patch_embedding"), c.NumChannels, c.HiddenSize, c.PatchSize)
	m.positionEmbedding = e.Sub("position_embedding").Tensor("weight", 1+c.patches(), c.HiddenSize)
	m.preLayernorm = nn.NewLayerNorm(v.Sub("pre_layrnorm"), c.HiddenSize, eps)
	m.layers = newLayers(v, c.Tower, false)
	m.postLayernorm = nn.NewLayerNorm(v.Sub("post_layernorm"), c.HiddenSize, eps)
	m.visualProjection = nn.NewLinear(s.Sub("visual_projection"), c.HiddenSize, c.ProjectionDim, false)
	return m
}

// Config returns the model's configuration.
func (m *Model) Config() Config { return m.cfg }

// Release drops the packed weights; the next Forward packs them again.
func (m *Model) Release() { m.weights.Release() }

// Forward returns image_embeds [N,1,1,ProjectionDim], which is not normalized.
// pixels [N,S,S,3] are normalized by [Normalize]; S is ImageSize. Forward does
// not consume pixels, and the caller must Put the result. The error is that of
// ctx.
func (m *Model) Forward(ctx context.Context, ws *nn.Workspace, pixels *nn.Tensor) (*nn.Tensor, error) {
	if pixels.H != m.cfg.ImageSize || pixels.W != m.cfg.ImageSize || pixels.C != m.cfg.NumChannels {
		panic("vit: pixels of the wrong shape")
	}
	x := m.embed(ws, pixels)
	ws.Emit("vision_model.embeddings", x)
	x = m.preLayernorm.Tensor(ws, x)
	ws.Emit("vision_model.pre_layrnorm", x)
	x, err := run(ctx, ws, m.layers, x)
	if err != nil {
		return nil, err
	}
	class := ws.Get(x.N, 1, 1, x.C)
	for n := range x.N {
		copy(class.Data[n*x.C:(n+1)*x.C], x.Data[n*x.W*x.C:])
	}
	ws.Put(x)
	a := m.postLayernorm.Forward(ws, class)
	ws.Put(class)
	ws.EmitOperand("vision_model.post_layernorm", a)
	y := m.visualProjection.Forward(ws, a, nil)
	ws.PutOperand(a)
	return y, nil
}

// embed returns the tokens [N,1,1+patches,C]: the class token, then the patches
// in raster order, with the embedding of the position added to each.
func (m *Model) embed(ws *nn.Workspace, pixels *nn.Tensor) *nn.Tensor {
	p := m.gather(ws, pixels)
	a := ws.Fill(p, 0)
	ws.Put(p)
	patches := m.patchEmbedding.Forward(ws, a, nil)
	ws.PutOperand(a)
	c := m.cfg.HiddenSize
	x := ws.Get(patches.N, 1, 1+patches.W, c)
	for i := range x.Rows() {
		n, l := i/x.W, i%x.W
		row := x.Data[i*c : (i+1)*c]
		m.positionEmbedding.Read(row, l*c)
		if l > 0 {
			add(row, patches.Data[(n*patches.W+l-1)*c:])
		}
	}
	class := m.classEmbedding.Float32s()
	for n := range x.N {
		add(x.Data[n*x.W*c:(n*x.W+1)*c], class)
	}
	ws.Put(patches)
	return x
}

func add(dst, x []float32) {
	for i := range dst {
		dst[i] += x[i]
	}
}

// gather returns the patches as rows [N,1,patches,3*P*P] with the elements in
// the order of the convolution's weights: channel, row, column.
func (m *Model) gather(ws *nn.Workspace, pixels *nn.Tensor) *nn.Tensor {
	p, ch, side := m.cfg.PatchSize, m.cfg.NumChannels, m.cfg.ImageSize/m.cfg.PatchSize
	x := ws.Get(pixels.N, 1, side*side, ch*p*p)
	nn.Parallel(pixels.N*side, func(i int) {
		n, py := i/side, i%side
		for px := range side {
			dst := x.Data[(i*side+px)*x.C:][:x.C]
			for y := range p {
				src := pixels.Data[((n*pixels.H+py*p+y)*pixels.W+px*p)*ch:][:p*ch]
				for k, v := range src {
					dst[(k%ch*p+y)*p+k/ch] = v
				}
			}
		}
	})
	return x
}
