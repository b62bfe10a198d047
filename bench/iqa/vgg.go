package iqa

import (
	"context"

	"github.com/coclico/coclico/nn"
)

// A vgg is the convolutional part of VGG16 (Simonyan and Zisserman,
// arXiv:1409.1556) in five stages, with a pooling between them.
type vgg struct {
	stages [5]chain
	pool   func(ws *nn.Workspace, x *nn.Tensor) *nn.Tensor
}

// vggSide is the least side: four poolings halve it, rounding down.
const vggSide = 16

// vggWidths are the channels after each stage.
var vggWidths = []int{64, 128, 256, 512, 512}

// vggConvs are the convolutions' places in torchvision's list of layers. Each
// is followed by a ReLU, and each stage by a pooling.
var vggConvs = [5][]int{{0, 2}, {5, 7}, {10, 12, 14}, {17, 19, 21}, {24, 26, 28}}

// newVGG reads a list of layers.
func newVGG(s nn.Scope, pool func(*nn.Workspace, *nn.Tensor) *nn.Tensor) *vgg {
	v := &vgg{pool: pool}
	in := 3
	for i, convs := range vggConvs {
		for _, k := range convs {
			v.stages[i].add(s, k, k+1, nn.NewConv2D(s.Index(k), in, vggWidths[i]))
			in = vggWidths[i]
		}
	}
	return v
}

func (v *vgg) widths() []int { return vggWidths }

// stage returns the output of a stage and consumes that of the one before, or,
// for the first, the picture.
func (v *vgg) stage(ctx context.Context, ws *nn.Workspace, i int, x *nn.Tensor) (*nn.Tensor, error) {
	if i > 0 {
		x = v.pool(ws, x)
	}
	return v.stages[i].forward(ctx, ws, x)
}

// forward returns the last stage's output and consumes x.
func (v *vgg) forward(ctx context.Context, ws *nn.Workspace, x *nn.Tensor) (*nn.Tensor, error) {
	var err error
	for i := range v.stages {
		if x, err = v.stage(ctx, ws, i, x); err != nil {
			return nil, err
		}
	}
	return x, nil
}
