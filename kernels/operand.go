package kernels

import (
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

// An Operand is the left factor of products: [N,H,W,C], pixels of C channels,
// each of them a line of memory, in the form that the active implementation
// multiplies. The layer that produces it (a norm, another product) narrows its
// numbers once.
//
// An operand with Pad 1 is for convolutions. Every picture has a border of zeros,
// which neighbors share: a row of pixels is followed by one zero pixel, which is
// the right border of that row and the left border of the next, and a picture is
// followed by one zero row. Pixel (n,y,x) is line lead + (n*(H+1)+y)*(W+1) + x,
// and its neighbor (dy,dx) is always (W+1)*dy+dx lines away: a 3x3 convolution reads the same
// lines nine times at nine offsets. The price is one wasted line of output in
// W+1 and one wasted row in H+1: 1 % each at 96x96.
//
// The distance between lines is an odd number of cache lines. Otherwise, with
// 1024 channels for example, the 16 rows of a tile would fall into one
// sixteenth of the L1 cache's sets and evict each other.
type Operand struct {
	N, H, W, C int
	Pad        int
	form       *form
	pitch      int // bytes between lines
	lead       int // lines before pixel (0,0,0)
	lines      int // all lines, including the slack
	buf        []byte
}

// slackLines is the number of readable lines after the last pixel: a tile may
// start at the last row and extend mr rows further, at stride 2.
const slackLines = 2 * maxMR

// maxMR bounds the rows of every implementation's tile.
const maxMR = 32

func roundUp(n, m int) int { return (n + m - 1) / m * m }

func linePitch(f *form, c int) int {
	cacheLines := (c*f.size + stepBytes - 1) / stepBytes
	return (cacheLines | 1) * stepBytes
}

func operandLines(n, h, w, pad int) (lead, lines int) {
	if pad == 0 {
		return 0, mem.Size(n, h, w) + slackLines
	}
	lead = w + 2
	return lead, lead + mem.Size(n, h+1, w+1) + 2*(w+2) + slackLines
}

// OperandBytes returns the size of the buffer that [Operand.Init] needs.
func OperandBytes(p Precision, n, h, w, c, pad int) int {
	f := active().gemm(p, pad != 0).form
	_, lines := operandLines(n, h, w, pad)
	return mem.Size(f.planes, lines, linePitch(f, c))
}

// Init lays an operand of [n,h,w,c] over buf, which must be 64-byte aligned
// and at least [OperandBytes] long, and zeroes everything in it that is not a
// pixel. pad is 0 or 1.
func (o *Operand) Init(buf []byte, p Precision, n, h, w, c, pad int) {
	f := active().gemm(p, pad != 0).form
	if n <= 0 || h <= 0 || w <= 0 || c <= 0 || pad < 0 || pad > 1 {
		panic("kernels: operand shape")
	}
	*o = Operand{N: n, H: h, W: w, C: c, Pad: pad, form: f, pitch: linePitch(f, c)}
	o.lead, o.lines = operandLines(n, h, w, pad)
	if len(buf) < f.planes*o.planeBytes() {
		panic("kernels: operand buffer is too short")
	}
	o.buf = buf[:f.planes*o.planeBytes()]
	if uintptr(unsafe.Pointer(&o.buf[0]))%stepBytes != 0 {
		panic("kernels: operand buffer is not aligned")
	}
	for p := range f.planes {
		o.clearPadding(o.plane(p))
	}
}

func (o *Operand) planeBytes() int { return o.lines * o.pitch }

func (o *Operand) plane(p int) []byte { return o.buf[p*o.planeBytes() : (p+1)*o.planeBytes()] }

// clearPadding zeroes the lines before, between and after the pixels, and the
// end of every line. A product multiplies them, if only by zeros, and without
// this they could hold NaNs.
func (o *Operand) clearPadding(b []byte) {
	used := o.C * o.form.size
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

// line returns the index of the line of pixel (n,y,x).
func (o *Operand) line(n, y, x int) int {
	return o.lead + (n*(o.H+o.Pad)+y)*(o.W+o.Pad) + x
}

// rows returns the number of pixels.
func (o *Operand) rows() int { return o.N * o.H * o.W }

// ptr returns the address of column col of a line in a plane.
func (o *Operand) ptr(plane, line, col int) unsafe.Pointer {
	return unsafe.Pointer(&o.buf[plane*o.planeBytes()+line*o.pitch+col*o.form.size])
}

// Fill sets the operand's pixels to x, [N*H*W, C].
func (o *Operand) Fill(x []float32) {
	if len(x) != o.rows()*o.C {
		panic("kernels: Fill with the wrong length")
	}
	t := fillTasks.get()
	*t = fillTask{o: o, x: x}
	parallel(o.N*o.H, t)
	fillTasks.put(t)
}

// FillUpsampled sets the operand's pixels to those of x, [N, H/2, W/2, C] with
// both sides rounded up, each repeated twice in both directions. If a side is
// odd, its last repetition is left out.
func (o *Operand) FillUpsampled(x []float32) {
	if len(x) != o.N*((o.H+1)/2)*((o.W+1)/2)*o.C {
		panic("kernels: FillUpsampled with the wrong length")
	}
	t := fillTasks.get()
	*t = fillTask{o: o, x: x, up: true}
	parallel(o.N*o.H, t)
	fillTasks.put(t)
}

type fillTask struct {
	o  *Operand
	x  []float32
	up bool
}

var fillTasks freeList[fillTask]

func (t *fillTask) do(i int) {
	o := t.o
	line := o.line(i/o.H, i%o.H, 0)
	if !t.up {
		o.store(line, 0, t.x[i*o.W*o.C:], o.C, o.W, o.C)
		return
	}
	row := t.x[(i/o.H*((o.H+1)/2)+i%o.H/2)*((o.W+1)/2)*o.C:]
	for x := range o.W {
		o.store(line+x, 0, row[x/2*o.C:], o.C, 1, o.C)
	}
}

// store narrows rows x cols values of src, whose rows are lds apart, into
// consecutive lines, starting at column col.
func (o *Operand) store(line, col int, src []float32, lds, rows, cols int) {
	_ = src[(rows-1)*lds+cols-1]
	if line < 0 || line+rows > o.lines || col+cols > o.C {
		panic("kernels: store beyond an operand")
	}
	o.form.store(o.ptr(0, line, col), o.pitch, o.planeBytes(), &src[0], lds, rows, cols)
}

// Float32s writes the operand's pixels to dst, [N*H*W, C].
func (o *Operand) Float32s(dst []float32) {
	if len(dst) != o.rows()*o.C {
		panic("kernels: Float32s with the wrong length")
	}
	for r := range o.rows() {
		y := r / o.W
		line := o.line(y/o.H, y%o.H, r%o.W)
		for c := range o.C {
			dst[r*o.C+c] = o.form.widen(o.form, o.ptr(0, line, c), o.planeBytes())
		}
	}
}
