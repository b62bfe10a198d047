package iqa

import (
	"context"
	"fmt"
	"math"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// musiq is the network of Ke et al., "MUSIQ: Multi-scale Image Quality
// Transformer": patches of a picture at three sizes become tokens by a small
// convolutional stem, and a transformer rates them.
type musiq struct {
	weights     *nn.WeightSet
	stem        *stem
	embedding   *nn.Linear
	cls         []float32
	positions   weights.Tensor // [100,384]
	scales      weights.Tensor // [3,384]
	blocks      []*encoderBlock
	encoderNorm *nn.LayerNorm
	head        []float32 // [outputs,384]
	bias        []float32
}

const (
	musiqWidth  = 384
	musiqHeads  = 6
	musiqMLP    = 1152
	musiqBlocks = 14
	musiqEps    = 1e-6
)

// newMUSIQ reads a network with one output, or with ten for the ratings 1 to
// 10, as AVA has them.
func newMUSIQ(scope *weights.Scope, outputs int) *musiq {
	m := &musiq{weights: new(nn.WeightSet)}
	root := m.weights.Scope(scope)
	m.stem = newStem(root, m.weights)
	m.embedding = nn.NewLinear(root.Sub("embedding"), 8*8*256, musiqWidth, true)
	s := root.Sub("transformer_encoder")
	m.cls = s.Tensor("cls", 1, 1, musiqWidth).Float32s()
	m.positions = s.Tensor("posembed_input.position_emb", 1, gridSide*gridSide, musiqWidth)
	m.scales = s.Tensor("scaleembed_input.scale_emb", 3, musiqWidth)
	for i := range musiqBlocks {
		m.blocks = append(m.blocks, newEncoderBlock(s.Sub(fmt.Sprintf("transformer.encoderblock_%d", i))))
	}
	m.encoderNorm = nn.NewLayerNorm(s.Sub("encoder_norm"), musiqWidth, musiqEps)
	head := root.Sub("head")
	if outputs > 1 {
		head = head.Index(0)
	}
	m.head = head.Tensor("weight", outputs, musiqWidth).Float32s()
	m.bias = head.Tensor("bias", outputs).Float32s()
	return m
}

// score rates a picture, from about 0 to 100, or from 1 to 10 with ten outputs;
// more is better.
func (m *musiq) score(ctx context.Context, ws *nn.Workspace, p *Picture) (float64, error) {
	out, err := m.outputs(ctx, ws, p)
	if err != nil || len(out) == 1 {
		return out[0], err
	}
	sum := 0.
	for i, v := range softmax(out) {
		sum += float64(i+1) * v
	}
	return sum, nil
}

// outputs returns what the head makes of a picture.
func (m *musiq) outputs(ctx context.Context, ws *nn.Workspace, p *Picture) ([]float64, error) {
	out := make([]float64, len(m.bias))
	scales := newScales(p)
	for _, s := range scales {
		if s.h == 0 || s.w == 0 {
			return out, sizeErrorf("a picture of %dx%d is too narrow", p.W, p.H)
		}
	}
	x, err := m.embed(ctx, ws, scales)
	if err != nil {
		return out, err
	}
	for _, b := range m.blocks {
		if err := ctx.Err(); err != nil {
			ws.Put(x)
			return out, err
		}
		x = b.forward(ws, x)
	}
	cls := ws.Get(1, 1, 1, musiqWidth) // only the first token is read
	copy(cls.Data, x.Data)
	ws.Put(x)
	cls = m.encoderNorm.Tensor(ws, cls)
	ws.Emit("encoder_norm", cls)
	for i := range out {
		out[i] = float64(m.bias[i])
		for c, v := range cls.Data {
			out[i] += float64(v) * float64(m.head[i*musiqWidth+c])
		}
	}
	ws.Put(cls)
	return out, nil
}

func softmax(x []float64) []float64 {
	top, sum := math.Inf(-1), 0.
	for _, v := range x {
		top = max(top, v)
	}
	p := make([]float64, len(x))
	for i, v := range x {
		p[i] = math.Exp(v - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// stemBatch is the number of patches that pass through the stem together.
const stemBatch = 64

// embed returns the tokens [1,1,1+n,384]: cls, and n patches with the
// embeddings of their position and scale.
func (m *musiq) embed(ctx context.Context, ws *nn.Workspace, scales [3]scale) (*nn.Tensor, error) {
	all := tokens(scales)
	x := ws.Get(1, 1, 1+len(all), musiqWidth)
	copy(x.Data, m.cls)
	for first := 0; first < len(all); first += stemBatch {
		if err := ctx.Err(); err != nil {
			ws.Put(x)
			return nil, err
		}
		batch := all[first:min(first+stemBatch, len(all))]
		patches := ws.Get(len(batch), patchSide, patchSide, 3)
		nn.Parallel(len(batch), func(i int) {
			scales[batch[i].scale].copyPatch(patches.Data[i*patchSide*patchSide*3:][:patchSide*patchSide*3], batch[i])
		})
		ws.Emit("patches", patches)
		a := m.stem.forward(ws, patches)
		e := m.embedding.Forward(ws, a, nil)
		ws.PutOperand(a)
		ws.Emit("embedding", e)
		copy(x.Data[(1+first)*musiqWidth:], e.Data)
		ws.Put(e)
	}
	row := make([]float32, musiqWidth)
	for i, t := range all {
		token := x.Data[(1+i)*musiqWidth:][:musiqWidth]
		m.positions.Read(row, t.position*musiqWidth)
		add(token, row)
		m.scales.Read(row, t.scale*musiqWidth)
		add(token, row)
	}
	ws.Emit("tokens", x)
	return x, nil
}

func add(dst, x []float32) {
	for i, v := range x {
		dst[i] += v
	}
}

// An encoderBlock is attention and a feed-forward network, each preceded by a
// LayerNorm and added to the stream.
type encoderBlock struct {
	norm1     *nn.LayerNorm
	attention *nn.Attention
	norm2     *nn.LayerNorm
	fc1, fc2  *nn.Linear // mlp.fc1, mlp.fc2
	name      string
}

func newEncoderBlock(s nn.Scope) *encoderBlock {
	return &encoderBlock{
		norm1: nn.NewLayerNorm(s.Sub("norm1"), musiqWidth, musiqEps),
		attention: nn.NewAttention(s.Sub("attention"), nn.AttentionConfig{
			Channels: musiqWidth, Heads: musiqHeads, Dim: musiqWidth / musiqHeads, Bias: true,
			Names: [4]string{"query", "key", "value", "out"},
		}),
		norm2: nn.NewLayerNorm(s.Sub("norm2"), musiqWidth, musiqEps),
		fc1:   nn.NewLinear(s.Sub("mlp.fc1"), musiqWidth, musiqMLP, true),
		fc2:   nn.NewLinear(s.Sub("mlp.fc2"), musiqMLP, musiqWidth, true),
		name:  s.Path(),
	}
}

// forward consumes x [1,1,n,384].
func (b *encoderBlock) forward(ws *nn.Workspace, x *nn.Tensor) *nn.Tensor {
	x = b.attention.Self(ws, b.norm1.Forward(ws, x), x)
	ws.Emit(b.name+".attention", x) // with the stream
	a := b.norm2.Forward(ws, x)
	h := b.fc1.Operand(ws, a, nn.GELU)
	ws.PutOperand(a)
	x = b.fc2.Forward(ws, h, x)
	ws.PutOperand(h)
	ws.Emit(b.name, x)
	return x
}
