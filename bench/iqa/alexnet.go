package iqa

import (
	"context"

	"github.com/coclico/coclico/nn"
)

// An alexnet is the convolutional part of AlexNet as torchvision has it
// (Krizhevsky, arXiv:1404.5997) in five stages of one convolution each.
type alexnet struct {
	first, second *wideConv // at 0 and 3
	rest          [3]chain  // at 6, 8, 10
}

// alexnetSide is the least side: what the first convolution and two poolings
// leave of less is nothing.
const alexnetSide = 31

var alexnetWidths = []int{64, 192, 384, 256, 256}

// newAlexNet reads a list of layers.
func newAlexNet(s nn.Scope, set *nn.WeightSet) *alexnet {
	var d derived
	wide := func(i, in, out, size int) {
		l := s.Index(i)
		name := l.Path()
		d.addWide(name+".weight", l.Tensor("weight", out, in, size, size).Float32s(), out, in, size)
		d.add(name+".bias", l.Tensor("bias", out).Float32s(), out)
	}
	wide(0, 3, 64, 11)
	wide(3, 64, 192, 5)
	at := d.scope(set)
	m := &alexnet{
		first:  &wideConv{nn.NewLinear(at.Sub(s.Index(0).Path()), 3*11*11, 64, true), 11, 4, 2},
		second: &wideConv{nn.NewLinear(at.Sub(s.Index(3).Path()), 64*5*5, 192, true), 5, 1, 2},
	}
	for i, k := range []int{6, 8, 10} {
		m.rest[i].add(s, k, k+1, nn.NewConv2D(s.Index(k), alexnetWidths[i+1], alexnetWidths[i+2]))
	}
	return m
}

func (m *alexnet) widths() []int { return alexnetWidths }

// stage returns the output of a stage and consumes that of the one before, or,
// for the first, the picture. Two stages begin with a max-pool of 3x3.
func (m *alexnet) stage(ctx context.Context, ws *nn.Workspace, i int, x *nn.Tensor) (*nn.Tensor, error) {
	if err := ctx.Err(); err != nil {
		ws.Put(x)
		return nil, err
	}
	if i == 1 || i == 2 {
		x = maxPool(ws, x, 3, (x.H-1)/2, (x.W-1)/2)
	}
	switch i {
	case 0:
		x = m.first.forward(ws, x, (x.H-7)/4+1, (x.W-7)/4+1)
	case 1:
		x = m.second.forward(ws, x, x.H, x.W)
	default:
		return m.rest[i-2].forward(ctx, ws, x)
	}
	nn.Activate(x.Data, nn.ReLU)
	return x, nil
}
