package kernels

// A Norm is a [GroupNorm] in two steps, for pictures whose operand would be too
// large: first the statistics of all pictures, then the operands of a band,
// some rows of a picture, at a time. The result is the same, bit for bit; see
// [BandRows] for convolutions.
//
// A Norm may be used again and keeps the memory that its largest picture
// needed.
type Norm struct {
	task normTask
	dims Operand // the shape of x; it has no memory
}

// BandRows is the height of a convolution's tiles. If the bands of a picture
// begin at multiples of it, their convolutions have the same bits as the
// picture's.
const BandRows = 4

// Measure computes the statistics of x [n,h,w,C], where C is len(weight). While
// the norm is being applied, only rows that will not be needed again may
// change.
func (m *Norm) Measure(x, weight, bias []float32, n, h, w, groups int, eps float32) {
	c := len(weight)
	if n <= 0 || h <= 0 || w <= 0 || len(x) != n*h*w*c || len(bias) != c || groups <= 0 || c%groups != 0 {
		panic("kernels: GroupNorm shape")
	}
	m.dims = Operand{N: n, H: h, W: w, C: c}
	m.task.measure(&m.dims, x, weight, bias, groups, eps)
}

// Apply fills dst [1,R,w,C], whose Pad is 1, with the normalized rows
// [first, first+R) of a picture, and applies SiLU if silu is set. The borders
// above and below hold the neighboring rows of the picture, so that a 3x3
// convolution of dst gives rows [first, first+R) of the picture's. If above is
// not nil, it replaces row first-1 of x.
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
		return // the border of the picture, which is zero
	}
	c := d.C
	row := m.x[(t.picture*d.H+y)*d.W*c:][:d.W*c]
	if i == 0 && t.above != nil {
		row = t.above
	}
	m.applyRow(o, o.line(0, i-1, 0), t.picture, row, t.silu)
}
