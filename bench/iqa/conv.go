package iqa

import (
	"context"
	"math"
	"strconv"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// A chain is convolutions of kernel size 3, each followed by a ReLU.
type chain []link

type link struct {
	*nn.Conv2D
	relu string // the checkpoint's name of the ReLU
}

// add appends a convolution that is element i of a list of layers. The next
// element is its ReLU.
func (c *chain) add(list nn.Scope, i, relu int, conv *nn.Conv2D) {
	conv.Act = nn.ReLU
	*c = append(*c, link{conv, list.Index(relu).Path()})
}

// forward consumes x. It checks the context before each convolution.
func (c chain) forward(ctx context.Context, ws *nn.Workspace, x *nn.Tensor) (*nn.Tensor, error) {
	for _, l := range c {
		if err := ctx.Err(); err != nil {
			ws.Put(x)
			return nil, err
		}
		x = l.Apply(ws, x)
		ws.Emit(l.relu, x)
	}
	return x, nil
}

// derived collects tensors that are computed from a checkpoint's when a network
// is made.
type derived []weights.Tensor

func (d *derived) add(name string, values []float32, shape ...int) {
	*d = append(*d, weights.NewTensor(name, values, shape...))
}

// scope returns the scope of the tensors, whose weights belong to set.
func (d derived) scope(set *nn.WeightSet) nn.Scope {
	return set.Scope(weights.StoreOf("derived weights", d...).Scope())
}

// fold adds the 3x3 convolution conv of a list of layers, with the batch norm
// norm of the list folded in. In evaluation, a batch norm is
//
//	(x - running_mean) / sqrt(running_var + 1e-5) * weight + bias
func (d *derived) fold(s nn.Scope, conv, norm, in, out int) {
	const eps = 1e-5
	c, n := s.Index(conv), s.Index(norm)
	w, b := c.Tensor("weight", out, in, 3, 3).Float32s(), c.Tensor("bias", out).Float32s()
	gain, shift := n.Tensor("weight", out).Float32s(), n.Tensor("bias", out).Float32s()
	mean, variance := n.Tensor("running_mean", out).Float32s(), n.Tensor("running_var", out).Float32s()
	n.Ignore("num_batches_tracked")
	for o := range out {
		g := float64(gain[o]) / math.Sqrt(float64(variance[o])+eps)
		for i := o * in * 9; i < (o+1)*in*9; i++ {
			w[i] = float32(float64(w[i]) * g)
		}
		b[o] = float32((float64(b[o])-float64(mean[o]))*g + float64(shift[o]))
	}
	d.add(strconv.Itoa(conv)+".weight", w, out, in, 3, 3)
	d.add(strconv.Itoa(conv)+".bias", b, out)
}

// A wideConv is a convolution of any kernel size and stride. The windows are
// gathered first, as rows of size*size*In values in the order row, column,
// channel; the rest is a linear layer.
type wideConv struct {
	linear               *nn.Linear
	size, stride, before int // before is the padding at the top and on the left
}

// addWide adds the weights [out,in,size,size] of a wideConv, w, in the order of
// its rows.
func (d *derived) addWide(name string, w []float32, out, in, size int) {
	taps := size * size
	rows := make([]float32, len(w))
	for o := range out {
		for c := range in {
			for t := range taps {
				rows[(o*taps+t)*in+c] = w[(o*in+c)*taps+t]
			}
		}
	}
	d.add(name, rows, out, taps*in)
}

// bandBytes bounds the windows that are gathered at a time: they are multiplied
// while they are in the cache.
const bandBytes = 1 << 20

// forward convolves x to [N,h,w,Out] and consumes it. What lies outside of x is
// 0.
func (c *wideConv) forward(ws *nn.Workspace, x *nn.Tensor, h, w int) *nn.Tensor {
	y := ws.Get(x.N, h, w, c.linear.Out)
	lines, window := x.N*h, c.size*c.size*x.C
	per := max(1, bandBytes/(4*w*window))
	for first := 0; first < lines; first += per {
		rows := ws.Get(1, min(per, lines-first), w, window)
		nn.Parallel(rows.H, func(i int) {
			n, oy := (first+i)/h, (first+i)%h
			c.gather(rows.Data[i*w*window:][:w*window], x, n, oy, w)
		})
		band := c.linear.Rows(ws, rows)
		copy(y.Data[first*w*c.linear.Out:], band.Data)
		ws.Put(band)
	}
	ws.Put(x)
	return y
}

// gather fills dst with the w windows of row y of the result for picture n:
// [w,size*size*In].
func (c *wideConv) gather(dst []float32, x *nn.Tensor, n, y, w int) {
	line := c.size * x.C
	for ox := range w {
		window := dst[ox*c.size*line:][:c.size*line]
		left := ox*c.stride - c.before
		from, to := max(left, 0), min(left+c.size, x.W)
		for k := range c.size {
			row := window[k*line : (k+1)*line]
			iy := y*c.stride - c.before + k
			if iy < 0 || iy >= x.H || from >= to {
				clear(row)
				continue
			}
			src := x.Data[((n*x.H+iy)*x.W+from)*x.C:][:(to-from)*x.C]
			clear(row[:(from-left)*x.C])
			copy(row[(from-left)*x.C:], src)
			clear(row[(to-left)*x.C:])
		}
	}
}
