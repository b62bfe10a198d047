package kernels

import (
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

// An Operand is the left factor of products: [N,H,W,C] rows of C channels in
// the form that the active implementation multiplies, so that the layer that
// makes them (a norm, another product) narrows them once.
//
// With Pad 1 every picture has a border of zeros, shared between neighbours:
// a row of pixels is followed by one zero pixel, which is the right border of
// that row and the left border of the next, and a picture by one zero row.
// Pixel (n,y,x) is line lead + (n*(H+1)+y)*(W+1) + x, and its neighbour
// (dy,dx) is always (W+1)*dy+dx lines away: a 3x3 convolution reads the same
// lines nine times at nine offsets. The price is one wasted line of output in
// W+1 and one wasted row in H+1: 1 % each at 96x96.
//
// The distance between lines is an odd number of cache lines. With 1024
// channels, say, the 16 rows of a tile would otherwise fall into one
// sixteenth of the L1 cache's sets and push each other out.
type Operand struct {
	N, H, W, C int
	Pad        int
	form       form
	pitch      int // bytes from a line to the next
	lead       int // lines before pixel (0,0,0)
	lines      int // lines in all, the slack included
	buf        []byte
}

// slackLines are readable lines after the last: a tile may start at the last
// row and reach mr rows, at stride 2, further.
const slackLines = 2 * maxMR

// maxMR bounds the rows of every implementation's tile.
const maxMR = 32

func roundUp(n, m int) int { return (n + m - 1) / m * m }

func linePitch(f form, c int) int {
	lines := (c*f.elemSize() + stepBytes - 1) / stepBytes
	return (lines | 1) * stepBytes
}

func operandLines(n, h, w, pad int) (lead, lines int) {
	if pad == 0 {
		return 0, mem.Size(n, h, w) + slackLines
	}
	lead = w + 2
	return lead, lead + mem.Size(n, h+1, w+1) + 2*(w+2) + slackLines
}

func operandBytes(f form, n, h, w, c, pad int) int {
	_, lines := operandLines(n, h, w, pad)
	return mem.Size(f.planes(), lines, linePitch(f, c))
}

// OperandBytes returns the size of the buffer that Init wants.
func OperandBytes(p Precision, n, h, w, c, pad int) int {
	return operandBytes(active().gemm(p).form, n, h, w, c, pad)
}

// Init lays an operand of [n,h,w,c] over buf, which must be 64-byte aligned
// and at least [OperandBytes] long, and zeroes everything in it that is not a
// pixel. pad is 0 or 1.
func (o *Operand) Init(buf []byte, p Precision, n, h, w, c, pad int) {
	o.init(buf, active().gemm(p).form, n, h, w, c, pad)
}

func (o *Operand) init(buf []byte, f form, n, h, w, c, pad int) {
	if n <= 0 || h <= 0 || w <= 0 || c <= 0 || pad < 0 || pad > 1 {
		panic("kernels: operand shape")
	}
	*o = Operand{N: n, H: h, W: w, C: c, Pad: pad, form: f, pitch: linePitch(f, c)}
	o.lead, o.lines = operandLines(n, h, w, pad)
	if len(buf) < f.planes()*o.lines*o.pitch {
		panic("kernels: operand buffer too short")
	}
	o.buf = buf[:f.planes()*o.lines*o.pitch]
	if uintptr(unsafe.Pointer(&o.buf[0]))%stepBytes != 0 {
		panic("kernels: operand buffer not aligned")
	}
	for p := range f.planes() {
		o.clearPadding(o.plane(p))
	}
}

func (o *Operand) planeBytes() int { return o.lines * o.pitch }

func (o *Operand) plane(p int) []byte { return o.buf[p*o.planeBytes() : (p+1)*o.planeBytes()] }

// clearPadding zeroes the lines before, between and after the pixels, and the
// end of every line: a product multiplies them, by zeros at the least, and
// whatever lay there could be a NaN.
func (o *Operand) clearPadding(b []byte) {
	used := o.C * o.form.elemSize()
	if o.Pad == 0 {
		rows := o.N * o.H * o.W
		if used < o.pitch {
			for r := range rows {
				clear(b[r*o.pitch+used : (r+1)*o.pitch])
			}
		}
		clear(b[rows*o.pitch:])
		return
	}
	clear(b[:o.lead*o.pitch])
	for n := range o.N {
		for y := range o.H {
			row := b[o.line(n, y, 0)*o.pitch:]
			if used < o.pitch {
				for x := range o.W {
					clear(row[x*o.pitch+used : (x+1)*o.pitch])
				}
			}
			clear(row[o.W*o.pitch : (o.W+1)*o.pitch])
		}
		clear(b[o.line(n, o.H, 0)*o.pitch : o.line(n+1, 0, 0)*o.pitch])
	}
	clear(b[o.line(o.N, 0, 0)*o.pitch:])
}

// line returns the index of the line that holds pixel (n,y,x).
func (o *Operand) line(n, y, x int) int {
	return o.lead + (n*(o.H+o.Pad)+y)*(o.W+o.Pad) + x
}

// rows is the number of pixels.
func (o *Operand) rows() int { return o.N * o.H * o.W }

// ptr returns the address of column col of a line, in plane 0.
func (o *Operand) ptr(line, col int) unsafe.Pointer {
	return unsafe.Pointer(&o.buf[line*o.pitch+col*o.form.elemSize()])
}

// Fill sets the operand's pixels to x, [N*H*W, C].
func (o *Operand) Fill(x []float32) {
	if len(x) != o.rows()*o.C {
		panic("kernels: Fill length")
	}
	t := fillTasks.get()
	*t = fillTask{o: o, x: x, v: active().vec}
	parallel(o.N*o.H, t)
	fillTasks.put(t)
}

// FillUpsampled sets the operand's pixels to x, [N, H/2, W/2, C] with the sides
// rounded up, each repeated twice in both directions; of an odd side the last
// repetition is left out.
func (o *Operand) FillUpsampled(x []float32) {
	if len(x) != o.N*((o.H+1)/2)*((o.W+1)/2)*o.C {
		panic("kernels: FillUpsampled length")
	}
	t := fillTasks.get()
	*t = fillTask{o: o, x: x, v: active().vec, up: true}
	parallel(o.N*o.H, t)
	fillTasks.put(t)
}

type fillTask struct {
	o  *Operand
	x  []float32
	v  *vec
	up bool
}

var fillTasks freeList[fillTask]

func (t *fillTask) do(i int) {
	o := t.o
	line := o.line(i/o.H, i%o.H, 0)
	if !t.up {
		o.store(t.v, line, 0, t.x[i*o.W*o.C:], o.C, o.W, o.C)
		return
	}
	row := t.x[(i/o.H*((o.H+1)/2)+i%o.H/2)*((o.W+1)/2)*o.C:]
	for x := range o.W {
		o.store(t.v, line+x, 0, row[x/2*o.C:], o.C, 1, o.C)
	}
}

// store narrows rows x cols values of src, whose rows are lds apart, into
// consecutive lines from column col.
func (o *Operand) store(v *vec, line, col int, src []float32, lds, rows, cols int) {
	_ = src[(rows-1)*lds+cols-1]
	if line < 0 || line+rows > o.lines || col+cols > o.C {
		panic("kernels: operand store out of range")
	}
	v.narrow(o.form, o.ptr(line, col), o.pitch, o.planeBytes(), &src[0], lds, rows, cols)
}

// Float32s writes the operand's pixels to dst, [N*H*W, C].
func (o *Operand) Float32s(dst []float32) {
	if len(dst) != o.rows()*o.C {
		panic("kernels: Float32s length")
	}
	for r := range o.rows() {
		y := r / o.W
		line := o.line(y/o.H, y%o.H, r%o.W)
		for c := range o.C {
			dst[r*o.C+c] = o.at(line, c)
		}
	}
}

func (o *Operand) at(line, c int) float32 {
	p := o.ptr(line, c)
	if o.form == formF32 {
		return *(*float32)(p)
	}
	var sum float32
	for i := o.form.planes() - 1; i >= 0; i-- {
		sum += bf16ToFloat(*(*uint16)(unsafe.Add(p, i*o.planeBytes())))
	}
	return sum
}
