package kernels

import "math"

// GroupNorm normalizes x [N,H,W,C] in groups of C/groups channels of a picture,
// scales it by weight and shifts it by bias (both [C]), applies SiLU if silu is
// set, and writes the next product's operand.
//
// The statistics are sums of x-ref and (x-ref)² for each channel, where ref is
// the channel's first pixel, so that a large mean does not swallow the
// variance. The sums are float32 over normRows rows and float64 over all.
func GroupNorm(dst *Operand, x, weight, bias []float32, groups int, eps float32, silu bool) {
	c := dst.C
	if len(x) != dst.rows()*c || len(weight) != c || len(bias) != c || groups <= 0 || c%groups != 0 {
		panic("kernels: GroupNorm shape")
	}
	t := normTasks.get()
	t.measure(dst, x, weight, bias, groups, eps)
	t.silu = silu
	t.phase = phaseApply
	parallel(dst.N*dst.H, t)
	t.o, t.x, t.weight, t.bias = nil, nil, nil, nil // keep only the buffers
	normTasks.keep(t)
}

// measure computes the scale and the shift of every channel of every picture.
// o gives the shape of x.
func (t *normTask) measure(o *Operand, x, weight, bias []float32, groups int, eps float32) {
	t.v, t.o, t.x = active().vec, o, x
	t.weight, t.bias, t.groups, t.eps = weight, bias, groups, eps
	t.chunks = (o.H*o.W + normRows - 1) / normRows
	t.partial = resize(t.partial, o.N*t.chunks*2*o.C)
	t.scale = resize(t.scale, o.N*o.C)
	t.shift = resize(t.shift, o.N*o.C)
	t.phase = phaseSums
	parallel(o.N*t.chunks, t)
	t.phase = phaseStatistics
	parallel(o.N*groups, t)
}

// normRows is the number of rows that share one float32 partial sum.
const normRows = 128

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

const (
	phaseSums = iota
	phaseStatistics
	phaseApply
)

type normTask struct {
	v            *vec
	o            *Operand
	x            []float32
	weight, bias []float32
	groups       int
	eps          float32
	silu         bool
	phase        int
	chunks       int
	partial      []float32 // [N,chunks,2,C]
	scale, shift []float32 // [N,C]
}

var normTasks freeList[normTask]

func (t *normTask) do(i int) {
	switch t.phase {
	case phaseSums:
		t.sums(i)
	case phaseStatistics:
		t.statistics(i/t.groups, i%t.groups)
	case phaseApply:
		t.apply(i/t.o.H, i%t.o.H)
	}
}

func (t *normTask) sums(i int) {
	o := t.o
	c, px := o.C, o.H*o.W
	n, first := i/t.chunks, i%t.chunks*normRows
	rows := min(normRows, px-first)
	p := t.partial[i*2*c : (i+1)*2*c]
	clear(p)
	x := t.x[n*px*c : (n+1)*px*c]
	t.v.sums(p[:c], p[c:], x[:c], x[first*c:(first+rows)*c])
}

// statistics combines the channels of one group.
//
// If a channel has d = sum(x-ref)/n and the mean m = ref+d, the group's mean is
// the mean of all m, and its variance is the mean of
//
//	sum((x-ref)²)/n - d² + (m-mean)²
func (t *normTask) statistics(n, g int) {
	o := t.o
	c, px := o.C, float64(o.H*o.W)
	per := c / t.groups
	ref := t.x[n*o.H*o.W*c:]
	var mean, variance, square float64
	for ch := g * per; ch < (g+1)*per; ch++ {
		var sum, sq float64
		for k := range t.chunks {
			p := t.partial[(n*t.chunks+k)*2*c:]
			sum += float64(p[ch])
			sq += float64(p[c+ch])
		}
		d := sum / px
		// Means of channels, relative to the first pixel of the group.
		m := float64(ref[ch]) - float64(ref[g*per]) + d
		mean += m
		square += m * m
		variance += sq/px - d*d
	}
	mean /= float64(per)
	variance = (variance+square)/float64(per) - mean*mean
	mean += float64(ref[g*per])
	inv := 1 / math.Sqrt(max(variance, 0)+float64(t.eps))
	for ch := g * per; ch < (g+1)*per; ch++ {
		scale := float64(t.weight[ch]) * inv
		t.scale[n*c+ch] = float32(scale)
		t.shift[n*c+ch] = float32(float64(t.bias[ch]) - mean*scale)
	}
}

func (t *normTask) apply(n, y int) {
	row := t.o.W * t.o.C
	t.applyRow(t.o, t.o.line(n, y, 0), n, t.x[(n*t.o.H+y)*row:][:row], t.silu)
}

// applyRow stores one row of picture n at a line of o.
func (t *normTask) applyRow(o *Operand, line, n int, row []float32, silu bool) {
	c := o.C
	scale, shift := t.scale[n*c:(n+1)*c], t.shift[n*c:(n+1)*c]
	s := scratches.get()
	defer s.release()
	// A few pixels at a time, so that what affine writes is read from L1.
	step := max(1, 4096/c)
	s.rows = resize(s.rows, step*c)
	for x := 0; x < o.W; x += step {
		m := min(step, o.W-x)
		t.v.affine(s.rows[:m*c], row[x*c:(x+m)*c], scale, shift, silu)
		o.store(line+x, 0, s.rows[:m*c], c, m, c)
	}
}

// LayerNorm normalizes every row of x [N*H*W, C], scales it by weight and
// shifts it by bias (both [C]), and writes the next product's operand.
func LayerNorm(dst *Operand, x, weight, bias []float32, eps float32) {
	c := dst.C
	if len(x) != dst.rows()*c || len(weight) != c || len(bias) != c || dst.Pad != 0 {
		panic("kernels: LayerNorm shape")
	}
	t := layerNormTasks.get()
	*t = layerNormTask{v: active().vec, o: dst, x: x, weight: weight, bias: bias, eps: eps}
	parallel((dst.rows()+layerNormRows-1)/layerNormRows, t)
	layerNormTasks.put(t)
}

const layerNormRows = 16

type layerNormTask struct {
	v            *vec
	o            *Operand
	x            []float32
	weight, bias []float32
	eps          float32
}

var layerNormTasks freeList[layerNormTask]

func (t *layerNormTask) do(i int) {
	c := t.o.C
	s := scratches.get()
	defer s.release()
	s.rows = resize(s.rows, c)
	for r := i * layerNormRows; r < min((i+1)*layerNormRows, t.o.rows()); r++ {
		t.v.layerNorm(s.rows, t.x[r*c:(r+1)*c], t.weight, t.bias, t.eps)
		t.o.store(r, 0, s.rows, c, 1, c)
	}
}

// Activate applies act to every element of x.
func Activate(x []float32, act Activation) { active().vec.activate(x, act) }
