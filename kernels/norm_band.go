package kernels

// A Norm is a [GroupNorm] in two steps, for pictures whose operand would be
// too large: the statistics of all of them first, then the operands of some
// rows at a time. The result is the same, bit for bit.
//
// It may be used again; what it allocated for the largest picture stays.
type Norm struct {
	task normTask
	dims Operand // has no memory: the shape of x
}

// Measure takes the statistics of x [n,h,w,C], C being len(weight). x must not
// change while the norm is applied, but for rows that are not asked for again.
func (m *Norm) Measure(x, weight, bias []float32, n, h, w, groups int, eps float32) {
	c := len(weight)
	if n <= 0 || h <= 0 || w <= 0 || len(x) != n*h*w*c || len(bias) != c || groups <= 0 || c%groups != 0 {
		panic("kernels: GroupNorm shape")
	}
	m.dims = Operand{N: n, H: h, W: w, C: c}
	m.task.measure(&m.dims, x, weight, bias, groups, eps)
}

// Apply fills dst [1,R,w,C], whose Pad is 1, with rows [first, first+R) of a
// picture, normalised, and SiLU if asked. The border above and below has the
// rows that are there in the picture, so that a 3x3 convolution of dst gives
// rows [first, first+R) of its result. above, if not nil, is row first-1 of x,
// which is then not read there.
func (m *Norm) Apply(dst *Operand, picture, first int, above []float32, silu bool) {
	d := &m.dims
	if dst.N != 1 || dst.W != d.W || dst.C != d.C || dst.Pad != 1 || picture < 0 || picture >= d.N ||
		first < 0 || first+dst.H > d.H || above != nil && len(above) != d.W*d.C {
		panic("kernels: GroupNorm band")
	}
	t := normBandTasks.get()
	*t = normBandTask{m, dst, picture, first, above, silu}
	parallel(dst.H+2, t)
	normBandTasks.put(t)
}

type normBandTask struct {
	m              *Norm
	dst            *Operand
	picture, first int
	above          []float32
	silu           bool
}

var normBandTasks freeList[normBandTask]

func (t *normBandTask) do(i int) {
	m, d, o := &t.m.task, &t.m.dims, t.dst
	y := t.first + i - 1
	if y < 0 || y >= d.H {
		return // the picture's own border
	}
	c := d.C
	row := m.x[(t.picture*d.H+y)*d.W*c:][:d.W*c]
	if i == 0 && t.above != nil {
		row = t.above
	}
	m.applyRow(o, o.line(0, i-1, 0), t.picture, row, t.silu)
}
