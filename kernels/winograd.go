package kernels

import (
	"runtime"
	"slices"
	"unsafe"
)

// A convolution of stride 1 with 3x3 weights takes 9 products per output.
// F(4x4,3x3), Winograd's minimal filtering in two dimensions, takes 36 for a
// tile of 4x4 outputs, 2.25 each:
//
//	Y = Aᵀ [ (G g Gᵀ) ∘ (Bᵀ d B) ] A
//
// where d is the tile's 6x6 pixels of one input channel, g the 3x3 weights,
// and ∘ multiplies element by element. Sums over input channels come between
// ∘ and Aᵀ, so each of the 36 elements is a matrix product of its own: [tiles,
// In] times [In, Out]. They run in the gemm of every other product.
//
// The transforms interpolate polynomials at 0, ±1/√2, ±√2 and infinity. For
// sums of 9x320 products of normal weights and SiLU of normal pixels, the error
// relative to the root mean square of the result is 1.6e-6 with these points,
// 2.1e-6 with 0, ±1, 1/2, -2 and 3.3e-6 with the customary 0, ±1, ±2; that of a
// direct convolution is 0.6e-6 (TestWinogradError). Points in pairs ±p share
// their even and odd parts: 12 operations for 6 elements.
//
// Stable unCLIP's UNet has an error of 3.6e-6 with it and of 2.9e-6 without, so
// that both precisions use it: F(2x2,3x3), with 4 products per output and an
// error of 0.5e-6, is not needed.
var winogradConv = &winogradForm{
	in: 6, step: BandRows, out: BandRows, taps: 3, planes: winogradArea, products: squares(0, 1, 2, 3, 4, 5), blocks: 2, split: true, run: 8,
}

// winogradArea is the number of pixels of the largest tile.
const winogradArea = 36

// The points a and b, and the constants of the transforms.
const (
	winogradA = 0.70710678118654752440 // 1/√2
	winogradB = 1.41421356237309504880 // √2
)

// A winogradForm is the geometry of a minimal filtering algorithm in two
// dimensions.
type winogradForm struct {
	in   int // pixels on a side of a tile; the first tile begins at -1
	step int // pixels from one tile to the next
	out  int // outputs on a side of a tile
	lead int // rows of the first tile above the picture, and columns left of it
	taps int // on a side of the weights that are transformed

	planes   int               // of transformed pixels
	products []winogradProduct // in the order in which they run
	blocks   int               // of tiles in a band; see below
	split    bool              // whether a large panel is multiplied in parts
	run      int               // tiles of one row, transformed back at a time
}

// A winogradProduct is the product of one plane of transformed pixels and one
// of transformed weights.
type winogradProduct struct{ pixels, weights int }

// squares returns the products in two dimensions of an algorithm that
// multiplies, in one dimension, the transformed weights i and pixels of[i].
// Those that share a plane of pixels follow each other.
func squares(of ...int) []winogradProduct {
	var p []winogradProduct
	for i, y := range of {
		for j, x := range of {
			p = append(p, winogradProduct{y*(1+slices.Max(of)) + x, i*len(of) + j})
		}
	}
	slices.SortStableFunc(p, func(a, b winogradProduct) int { return a.pixels - b.pixels })
	return p
}

// winogradTable holds the constants of the assembly.
var winogradTable = [...][8]float32{
	wide(0.5), wide(2), wide(winogradA), wide(winogradB),
	wide(2.5),                                                                                // of Bᵀ
	wide(-1. / 3), wide(1. / 6), wide(1. / 3), wide(-2 * winogradA / 3), wide(winogradB / 6), // of G
	wide(winogradA / 2), wide(2 * winogradB), // of Aᵀ
}

// winogradLoops are the transforms of a form on a machine. Vectors are lines of
// 16 float32, which stand for 16 channels: each transform treats every channel
// alike. Elements of results are planes, a stated number of bytes apart, in
// row-major order.
type winogradLoops struct {
	// input stores Bᵀ d B of lines lines. Pixel (y,x) of d is at
	// src[in*y+x]. tmp is scratch memory of 36 lines.
	input func(dst unsafe.Pointer, plane int, src *[winogradArea]unsafe.Pointer, tmp unsafe.Pointer, lines int)

	// weights stores G g Gᵀ of lines lines. Tap (y,x) is at
	// src + (taps*y+x)*64*lines.
	weights func(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)

	// output stores Aᵀ M A of tiles tiles of lines lines each: M's planes are
	// at src, output (y,x) of tile t goes to dst + y*pitch + (out*t+x)*64*lines.
	output func(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)
}

// Blocking. The pictures are processed a band of tiles at a time, whose
// transformed pixels all pieces use. A piece is one panel of weights and a
// share of the band: it transforms the weights once and then takes a block of
// tiles at a time, whose products stay in L2.
//
// The transformed weights of a panel with many channels do not fit: 1280 channels take
// 5.9 MB of float32 in 36 planes. So a piece takes a part of the channels at a time,
// for all of its tiles, and adds up the products. That saves writing the weights to
// memory and reading them back (1280 outputs of 1280 and 2560 channels: 0.85 of the time at 24x24, 0.55
// and 0.64 at 12x12) and halves the error. Half as many channels at a time leave too
// many sums to be added (0.93 to 1.17 at 24x24), and 320 and 512 channels gain nothing
// (0.9 to 1.3). Enlarging convolutions lose, 1.02 to 1.23: their four blocks of 49
// planes of sums leave L2 as well.
//
// A band of F(4x4,3x3) is two blocks, more if its pieces need them, and one if it
// would exceed winogradBandBytes. There are winogradPieces pieces, or two for each
// goroutine: 320 outputs are 10 panels, which 16 processors would share badly. Larger bands leave the caches: with 128
// channels of 256x256, 320 of 2 pictures of 96x96 and 512 of 96x96, bands of 2
// blocks (2.3, 5.4 and 8.5 MB) take 0.50, 0.46 and 0.43 of the time of the
// direct form, and bands of 16 MB 0.73, 0.57 and 0.51, with an L3 of 36 MB that
// others used too. Pieces of two panels, which read the pixels half as often,
// take 0.67, 0.56 and 0.48. An enlarging convolution has 16 planes of pixels
// instead of 36 and takes four blocks.
//
// Weights are transformed when they are multiplied, not when they are packed:
// as float32 they would take eight times the memory of a checkpoint's float16,
// 6 GiB for Stable unCLIP's UNet. The direct form and this one share a Packed.
const (
	winogradBandBytes  = 32 << 20
	winogradPanelBytes = 5 << 19 // of transformed weights; larger ones are split
	winogradPartBytes  = 1 << 20
	winogradBlockTiles = 48 // rounded up to whole row tiles
	winogradPieces     = 8  // of a band, at least
	winogradInputTiles = 8  // whose pixels one piece transforms
)

// A winogradTask runs a productTask in one of Winograd's forms.
type winogradTask struct {
	t    *productTask
	form *winogradForm
	loop *winogradLoops

	rows, cols int // of tiles in a picture
	first, n   int // tiles of the band
	block      int // tiles in a block
	shares     int // of the tiles of a band, each a piece of each panel
	shareTiles int // tiles in a share
	pitch      int // bytes between tiles in v
	plane      int // bytes between planes of v
	v          []byte
	steps      []step
	phase      func(w *winogradTask, i int)
}

var winogradTasks freeList[winogradTask]

// winograd returns Winograd's form that a convolution should run by, with its
// loops, or nil for a direct one.
func (t *productTask) winograd() (*winogradForm, *winogradLoops) {
	f, loop := winogradConv, t.v.winograd
	switch {
	case t.phases != nil:
		f, loop = winogradUp, t.v.winogradUp
	case t.stride != 1 || t.a.Pad != 1 || t.w.shape.KH != 3 || t.w.shape.GEGLU:
		return nil, nil
	}
	pays := t.winogradPays()
	if winogradForced != 0 {
		pays = winogradForced > 0
	}
	if loop == nil || !t.w.g.form.plain || !pays {
		return nil, nil
	}
	return f, loop
}

// winogradForced overrides the choice of form in tests: 1 for Winograd's
// wherever they are possible, -1 for direct convolutions.
var winogradForced int

// winogradPays is the choice of form by shape, measured with
// BenchmarkConvForms and BenchmarkUpForms; see bench/RESULTS.md. Few outputs
// fill no panel and leave the transforms of the pixels to be shared by few
// products. Narrow pictures have few tiles to share the transforms of the
// weights, and the tiles at their edges are mostly empty.
//
// The choice must not depend on the height: a band takes the form of its
// picture.
func (t *productTask) winogradPays() bool {
	if t.phases != nil {
		return t.w.shape.Out >= 16 && t.a.W >= 16
	}
	return t.w.shape.Out >= 32 && t.a.W >= 12
}

func (t *productTask) runWinograd(f *winogradForm, loop *winogradLoops) {
	w := winogradTasks.get()
	defer w.release()
	w.t, w.form, w.loop = t, f, loop
	g, a := t.w.g, t.a
	w.rows, w.cols = (t.outH+f.lead+f.out-1)/f.out, (t.outW+f.lead+f.out-1)/f.out
	w.pitch = linePitch(g.form, a.C)
	w.block = roundUp(winogradBlockTiles, g.mr)

	tiles := a.N * w.rows * w.cols
	w.shares = (max(winogradPieces, 2*runtime.GOMAXPROCS(0)) + t.w.panels - 1) / t.w.panels
	band := max(f.blocks, w.shares) * w.block
	if f.planes*w.pitch*band > winogradBandBytes {
		band = w.block
	}
	bands := (tiles + band - 1) / band
	band = roundUp((tiles+bands-1)/bands, g.mr)
	w.shares = min(w.shares, (band+w.block-1)/w.block)
	w.shareTiles = roundUp((band+w.shares-1)/w.shares, g.mr)

	// Planes are an odd number of lines apart, so that the elements of a tile
	// are in different sets of the caches.
	w.plane = band*w.pitch | stepBytes
	w.v = grow(&w.v, f.planes*w.plane)
	w.setSteps()
	for w.first = 0; w.first < tiles; w.first += band {
		w.n = min(band, tiles-w.first)
		w.phase = (*winogradTask).input
		parallel((w.n+winogradInputTiles-1)/winogradInputTiles, w)
		w.phase = (*winogradTask).products
		parallel(t.w.panels*w.shares, w)
	}
}

// release returns w to the free list with its buffer and its table.
func (w *winogradTask) release() {
	w.t, w.form, w.loop = nil, nil, nil
	winogradTasks.keep(w)
}

// setSteps fills the table of K steps of one product.
func (w *winogradTask) setSteps() {
	g := w.t.w.g
	w.steps = w.steps[:0]
	for k := range w.t.w.steps / w.t.w.shape.taps() {
		w.steps = append(w.steps, step{k * stepBytes, k * stepBytes * g.nr})
	}
}

func (w *winogradTask) do(i int) { w.phase(w, i) }

// tile returns the picture, the row and the column of a tile.
func (w *winogradTask) tile(i int) (n, y, x int) {
	return i / (w.rows * w.cols), i / w.cols % w.rows, i % w.cols
}

// input transforms the pixels of some tiles.
//
// Pixels outside the picture are read as zeros. Beyond its border the operand's
// memory has the next row, which would change the last bits of those inside.
func (w *winogradTask) input(i int) {
	a, f := w.t.a, w.form
	s := scratches.get()
	defer s.release()
	tmp := unsafe.Pointer(&grow(&s.c, winogradArea*stepBytes)[0])
	zero := a.ptr(0, 0, 0) // the line before the border
	from := i * winogradInputTiles
	for k := from; k < min(from+winogradInputTiles, w.n); k++ {
		n, ty, tx := w.tile(w.first + k)
		for y := range f.in {
			for x := range f.in {
				py, px := f.step*ty+y-1, f.step*tx+x-1
				p := zero
				if py <= a.H && px <= a.W {
					p = a.ptr(0, a.line(n, py, px), 0)
				}
				s.pixels[f.in*y+x] = p
			}
		}
		if raceEnabled {
			w.raceInput(s.pixels[:f.in*f.in], k)
		}
		w.loop.input(unsafe.Pointer(&w.v[k*w.pitch]), w.plane, &s.pixels, tmp, len(w.steps))
	}
}

func (w *winogradTask) raceInput(pixels []unsafe.Pointer, k int) {
	for _, p := range pixels {
		raceRead(p, 0, 1, len(w.steps)*stepBytes)
	}
	raceWrite(unsafe.Pointer(&w.v[k*w.pitch]), w.plane, w.form.planes, len(w.steps)*stepBytes)
}

// products computes one panel of the result for a share of the band.
func (w *winogradTask) products(i int) {
	g, f, panel := w.t.w.g, w.form, i/w.shares
	from := i % w.shares * w.shareTiles
	to := min(from+w.shareTiles, w.n)
	if from >= to {
		return
	}
	s := scratches.get()
	defer s.release()
	stepB := stepBytes * g.nr
	parts, block := 1, w.block
	if n := len(f.products) * len(w.steps) * stepB; f.split && n > winogradPanelBytes {
		parts, block = (n+winogradPartBytes-1)/winogradPartBytes, to-from
	}
	planeB := (len(w.steps)+parts-1)/parts*stepB + stepBytes // odd, as in v
	planeC := roundUp(block, g.mr)*g.nr*4 + stepBytes
	u := grow(&s.panel, len(f.products)*planeB)
	sums := len(f.products) * planeC
	pixels := f.out * f.out * f.run * g.nr * 4
	buf := grow(&s.c, sums+planeC+winogradArea*stepBytes+max(pixels, f.taps*f.taps*stepB))
	c, buf := buf[:sums], buf[sums:]
	part, buf := float32s(buf[:planeC]), buf[planeC:]
	tmp, rest := buf[:winogradArea*stepBytes], buf[winogradArea*stepBytes:]

	st := &s.strip
	*st = strip{lda: uintptr(w.pitch), ldc: uintptr(g.nr * 4), panels: 1, steps: &w.steps[0]}
	for first := from; first < to; first += block {
		n := min(block, to-first)
		st.tiles = (n + g.mr - 1) / g.mr
		for i := range parts {
			k, end := i*len(w.steps)/parts, (i+1)*len(w.steps)/parts
			if parts > 1 || first == from {
				w.weights(u, planeB, panel, k, end, rest, tmp)
			}
			st.n = end - k
			for _, p := range f.products {
				st.a = unsafe.Pointer(&w.v[p.pixels*w.plane+first*w.pitch+k*stepBytes])
				st.b = unsafe.Pointer(&u[p.weights*planeB])
				w.t.sum(&s.runner, st, float32s(c[p.weights*planeC:]), part, i > 0)
			}
		}
		w.output(c, planeC, w.first+first, n, panel, rest, tmp)
	}
}

// output turns the products of n tiles and one panel into pixels, some tiles of
// one row at a time, and stores them.
func (w *winogradTask) output(c []byte, planeC, first, n, panel int, pixels, tmp []byte) {
	t, f := w.t, w.form
	row := t.w.g.nr * 4 // bytes
	for k := 0; k < n; {
		image, y, x := w.tile(first + k)
		m := min(f.run, w.cols-x, n-k)
		pitch := f.out * m * row
		w.loop.output(unsafe.Pointer(&pixels[0]), pitch, unsafe.Pointer(&c[k*row]), planeC, unsafe.Pointer(&tmp[0]), m, row/stepBytes)
		k += m
		x, y = x*f.out-f.lead, y*f.out-f.lead
		left := max(0, -x)
		cols := min(f.out*m, t.outW-x) - left
		for r := max(0, -y); r < min(f.out, t.outH-y); r++ {
			t.finishRun(float32s(pixels[r*pitch+left*row:]), image, (image*t.outH+y+r)*t.outW+x+left, cols, panel)
		}
	}
}

// weights transforms the steps from first to end of a panel. In Packed's order
// the taps of a row are consecutive steps.
func (w *winogradTask) weights(u []byte, planeB, panel, first, end int, raw, tmp []byte) {
	stepB := stepBytes * w.t.w.g.nr
	for k := first; k < end; k++ {
		if w.t.phases == nil {
			w.gather(raw, w.t.w, panel, k)
		}
		for i, p := range w.t.phases {
			w.gather(raw[(2*(i/2)*w.form.taps+2*(i%2))*stepB:], p, panel, k)
		}
		w.loop.weights(unsafe.Pointer(&u[(k-first)*stepB]), planeB, unsafe.Pointer(&raw[0]), unsafe.Pointer(&tmp[0]), stepB/stepBytes)
	}
}

// gather copies the taps of 16 channels, those of step k of a product, from a
// panel of p to raw. Rows of taps there are those of the form.
func (w *winogradTask) gather(raw []byte, p *Packed, panel, k int) {
	stepB := stepBytes * p.g.nr
	size := 4
	encoded := p.weights().when == whenMultiplied
	if encoded {
		size = p.dtype.Size()
	}
	n := p.shape.KW * stepB / 4 * size // bytes of a row of taps in p
	src := p.data[panel*p.panelElems()*size:]
	for dy := range p.shape.KH {
		from := src[(k*p.shape.KH+dy)*n:][:n]
		to := raw[dy*w.form.taps*stepB:][:p.shape.KW*stepB]
		if encoded {
			p.g.form.convert(to, from, p.dtype, 1)
		} else {
			copy(to, from)
		}
	}
}
