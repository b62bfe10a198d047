package kernels

import "github.com/coclico/coclico/kernels/mem"

// A PackedUp holds 3x3 weights packed for [ConvUp2D].
type PackedUp struct{ phase [4]*Packed }

// Free releases the memory before the garbage collector would. p must not be
// used afterwards.
func (p *PackedUp) Free() {
	for _, w := range p.phase {
		w.Free()
	}
}

// Bytes returns the number of bytes that the weights occupy.
func (p *PackedUp) Bytes() int {
	n := 0
	for _, w := range p.phase {
		n += w.Bytes()
	}
	return n
}

// PackUp packs 3x3 weights [Out,In,3,3] for [ConvUp2D].
//
// A picture that was enlarged 2x by repetition has only 2x2 different
// pixels under each 3x3 window: for an output at even y the rows are y/2-1,
// y/2, y/2, at odd y they are y/2, y/2, y/2+1, and likewise for x. Weights that
// meet the same pixel are added beforehand, which leaves four 2x2 convolutions
// of the small picture, one for each parity: 4 products in place of 9, a
// quarter of the operand, and no enlarged copy.
func PackUp(p Precision, s Shape, a Array) *PackedUp {
	if s.KH != 3 || s.KW != 3 || s.GEGLU {
		panic("kernels: PackUp of weights that are not 3x3")
	}
	if a.Data != nil && len(a.Data) != s.Out*s.In*9*a.DType.Size() {
		panic("kernels: PackUp array does not fit the shape")
	}
	im := active()
	u := new(PackedUp)
	s.KH, s.KW = 2, 2
	sums := mem.Alloc(s.Out * s.In * 4 * 4)
	defer mem.Free(sums)
	for i := range u.phase {
		if a.Data != nil {
			parallel(s.Out, &foldTask{v: im.vec, a: a, in: s.In, py: i / 2, px: i % 2, dst: float32s(sums)})
		}
		u.phase[i] = pack(im, im.gemm(p, true), s, []Array{{DType: F32, Data: sums}})
	}
	return u
}

// A foldTask adds up the weights of one output channel for one parity.
type foldTask struct {
	v      *vec
	a      Array
	in     int
	py, px int
	dst    []float32 // [Out,In,2,2]
}

func (t *foldTask) do(i int) {
	s := scratches.get()
	defer s.release()
	n := t.in * 9
	s.rows = resize(s.rows, n)
	t.v.toF32(s.rows, t.a.Data[i*n*t.a.DType.Size():(i+1)*n*t.a.DType.Size()], t.a.DType)
	d := t.dst[i*t.in*4 : (i+1)*t.in*4]
	for c := range t.in {
		w := s.rows[9*c : 9*c+9 : 9*c+9]
		// The rows of the window that meet the upper and the lower pixel.
		up := [3]float32{w[0], w[1], w[2]}
		down := [3]float32{w[6], w[7], w[8]}
		both := &down
		if t.py == 1 {
			both = &up
		}
		both[0] += w[3]
		both[1] += w[4]
		both[2] += w[5]
		o := d[4*c : 4*c+4 : 4*c+4]
		if t.px == 0 {
			o[0], o[1], o[2], o[3] = up[0], up[1]+up[2], down[0], down[1]+down[2]
		} else {
			o[0], o[1], o[2], o[3] = up[0]+up[1], up[2], down[0]+down[1], down[2]
		}
	}
}

// ConvUp2D enlarges a, which has Pad 1, 2x by repetition and convolves it
// with 3x3 weights and padding 1: dst [N, 2H, 2W, Out].
func ConvUp2D(dst []float32, a *Operand, w *PackedUp, e Epilogue) {
	v := active().vec
	t := productTasks.get()
	t.enlarge(v, a, w, e)
	if f, _ := t.winograd(); f != nil {
		t.dst = dst
		t.run(v)
		return
	}
	t.release()
	for i, phase := range w.phase {
		t := productTasks.get()
		t.up, t.py, t.px = true, i/2, i%2
		t.conv(a, phase, 1, 0, e)
		t.dst = dst
		t.run(v)
	}
}

// enlarge makes t the task of all phases: one phase sets its geometry, then its
// outputs are those of the large picture.
func (t *productTask) enlarge(v *vec, a *Operand, w *PackedUp, e Epilogue) {
	t.v, t.up = v, true
	t.conv(a, w.phase[0], 1, 0, e)
	t.up, t.phases = false, w.phase[:]
	t.outH, t.outW = 2*t.outH, 2*t.outW
}
