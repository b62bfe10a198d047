package kernels

import "unsafe"

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
const (
	winogradOut  = BandRows                // outputs on a side of a tile
	winogradIn   = winogradOut + 2         // pixels on a side of a tile
	winogradArea = winogradIn * winogradIn // products
)

// The points a and b, and the constants of the transforms.
const (
	winogradA = 0.70710678118654752440 // 1/√2
	winogradB = 1.41421356237309504880 // √2
)

// winogradTable holds the constants of the assembly.
var winogradTable = [...][8]float32{
	wide(0.5), wide(2), wide(winogradA), wide(winogradB),
	wide(2.5),                                                                                // of Bᵀ
	wide(-1. / 3), wide(1. / 6), wide(1. / 3), wide(-2 * winogradA / 3), wide(winogradB / 6), // of G
	wide(winogradA / 2), wide(2 * winogradB), // of Aᵀ
}

// winogradLoops are the transforms of a machine. Vectors are lines of 16
// float32, which stand for 16 channels: each transform treats every channel
// alike. Results of the 36 elements are planes, a stated number of bytes apart.
type winogradLoops struct {
	// input stores Bᵀ d B of lines lines. Pixel (y,x) of d is at
	// src[6y+x]; element (i,j) goes to plane 6i+j of dst. tmp is scratch
	// memory of 36 lines.
	input func(dst unsafe.Pointer, plane int, src *[winogradArea]unsafe.Pointer, tmp unsafe.Pointer, lines int)

	// weights stores G g Gᵀ of lines lines. Tap (y,x) is at
	// src + (3y+x)*64*lines.
	weights func(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)

	// output stores Aᵀ M A of tiles tiles of lines lines each: M's planes are
	// at src, output (y,x) of tile t goes to dst + y*pitch + (4t+x)*64*lines.
	output func(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)
}

// Blocking. The pictures are processed a band of tiles at a time, whose
// transformed pixels all pieces share. A piece is one panel of weights and a
// part of the band: it transforms the weights once and then takes a block of
// tiles at a time, whose 36 products stay in L2.
//
// Two blocks are a band, or more if it takes more for winogradPieces pieces;
// or one, if it has more than winogradBandBytes otherwise. Larger bands leave
// the caches: with 128 channels of 256x256, 320 of 2 pictures of 96x96 and 512
// of 96x96, bands of 2 blocks (2.3, 5.4 and 8.5 MB) take 0.50, 0.46 and 0.43 of
// the time of the direct form, and bands of 16 MB 0.73, 0.57 and 0.51, with an
// L3 of 36 MB that others used too. Pieces of two panels, which read the pixels
// half as often, take 0.67, 0.56 and 0.48.
//
// Weights are transformed when they are multiplied, not when they are packed:
// as float32 they would take eight times the memory of a checkpoint's float16,
// 6 GiB for Stable unCLIP's UNet. The direct form and this one share a Packed.
const (
	winogradBandBytes  = 32 << 20
	winogradBlockTiles = 48 // rounded up to whole row tiles
	winogradRunTiles   = 8  // of one row, transformed back at a time
	winogradPieces     = 8  // of a band
)

// A winogradTask is a productTask by F(4x4,3x3).
type winogradTask struct {
	t    *productTask
	loop *winogradLoops

	rows, cols int // of tiles in a picture
	first, n   int // tiles of the band
	block      int // tiles in a block
	parts      int // pieces along the tiles of a band, for each panel
	partTiles  int // tiles in a part
	pitch      int // bytes between tiles in v
	plane      int // bytes between planes of v
	v          []byte
	steps      []step
	phase      func(w *winogradTask, i int)
}

var winogradTasks freeList[winogradTask]

// winograd reports whether a convolution of stride 1 should run by F(4x4,3x3).
func (t *productTask) winograd() bool {
	if t.v.winograd == nil || !t.w.g.form.plain || t.stride != 1 || t.a.Pad != 1 || t.w.shape.KH != 3 || t.w.shape.GEGLU {
		return false
	}
	if winogradForced != 0 {
		return winogradForced > 0
	}
	return t.winogradPays()
}

// winogradForced overrides the choice of form in tests: 1 for F(4x4,3x3)
// wherever it is possible, -1 for direct convolutions.
var winogradForced int

// winogradPays is the choice of form by shape, measured with
// BenchmarkConvForms; see bench/RESULTS.md. Fewer than 32 outputs fill no panel
// and leave the transforms of the pixels to be shared by few products. Narrow
// pictures have few tiles to share the transforms of the weights, and the tiles
// at their edges are mostly empty.
//
// The choice must not depend on the height: a band takes the form of its
// picture.
func (t *productTask) winogradPays() bool { return t.w.shape.Out >= 32 && t.a.W >= 12 }

func (t *productTask) runWinograd() {
	w := winogradTasks.get()
	w.t, w.loop = t, t.v.winograd
	g, a := t.w.g, t.a
	w.rows, w.cols = (a.H+winogradOut-1)/winogradOut, (a.W+winogradOut-1)/winogradOut
	w.pitch = linePitch(g.form, a.C)
	w.block = roundUp(winogradBlockTiles, g.mr)

	tiles := a.N * w.rows * w.cols
	w.parts = (winogradPieces + t.w.panels - 1) / t.w.panels
	band := max(2, w.parts) * w.block
	if winogradArea*w.pitch*band > winogradBandBytes {
		band = w.block
	}
	bands := (tiles + band - 1) / band
	band = roundUp((tiles+bands-1)/bands, g.mr)
	w.parts = min(w.parts, (band+w.block-1)/w.block)
	w.partTiles = roundUp((band+w.parts-1)/w.parts, g.mr)

	// Planes are an odd number of lines apart, so that the 36 elements of a
	// tile are in different sets of the caches.
	w.plane = band*w.pitch | stepBytes
	w.v = grow(&w.v, winogradArea*w.plane)
	w.setSteps()
	for w.first = 0; w.first < tiles; w.first += band {
		w.n = min(band, tiles-w.first)
		w.phase = (*winogradTask).input
		parallel((w.n+winogradRunTiles-1)/winogradRunTiles, w)
		w.phase = (*winogradTask).products
		parallel(t.w.panels*w.parts, w)
	}
	w.t, w.loop = nil, nil
	winogradTasks.keep(w)
}

// setSteps fills the table of K steps of one of the 36 products.
func (w *winogradTask) setSteps() {
	g := w.t.w.g
	w.steps = w.steps[:0]
	for k := range w.t.w.steps / 9 {
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
// What lies outside the picture is zero, even beyond its border: the values of
// the operand there, which are the next row's, would change the last bits of
// the pixels inside.
func (w *winogradTask) input(i int) {
	a := w.t.a
	s := scratches.get()
	tmp := unsafe.Pointer(&grow(&s.c, winogradArea*stepBytes)[0])
	zero := a.ptr(0, 0, 0) // the line before the border
	from := i * winogradRunTiles
	for k := from; k < min(from+winogradRunTiles, w.n); k++ {
		n, ty, tx := w.tile(w.first + k)
		for y := range winogradIn {
			for x := range winogradIn {
				py, px := winogradOut*ty+y-1, winogradOut*tx+x-1
				p := zero
				if py <= a.H && px <= a.W {
					p = a.ptr(0, a.line(n, py, px), 0)
				}
				s.pixels[winogradIn*y+x] = p
			}
		}
		if raceEnabled {
			w.raceInput(&s.pixels, k)
		}
		w.loop.input(unsafe.Pointer(&w.v[k*w.pitch]), w.plane, &s.pixels, tmp, len(w.steps))
	}
	s.release()
}

func (w *winogradTask) raceInput(pixels *[winogradArea]unsafe.Pointer, k int) {
	for _, p := range pixels {
		raceRead(p, 0, 1, len(w.steps)*stepBytes)
	}
	raceWrite(unsafe.Pointer(&w.v[k*w.pitch]), w.plane, winogradArea, len(w.steps)*stepBytes)
}

// products computes one panel of the result for a part of the band.
func (w *winogradTask) products(i int) {
	g, panel := w.t.w.g, i/w.parts
	from := i % w.parts * w.partTiles
	to := min(from+w.partTiles, w.n)
	if from >= to {
		return
	}
	s := scratches.get()
	stepB := stepBytes * g.nr
	planeB := len(w.steps)*stepB + stepBytes // odd, as in v
	planeC := w.block*g.nr*4 + stepBytes
	u := grow(&s.panel, winogradArea*planeB)
	pixels := winogradOut * winogradOut * winogradRunTiles * g.nr * 4
	buf := grow(&s.c, winogradArea*(planeC+stepBytes)+max(pixels, 9*stepB))
	c, buf := buf[:winogradArea*planeC], buf[winogradArea*planeC:]
	tmp, rest := buf[:winogradArea*stepBytes], buf[winogradArea*stepBytes:]
	w.weights(u, planeB, panel, rest, tmp)

	st := &s.strip
	*st = strip{lda: uintptr(w.pitch), ldc: uintptr(g.nr * 4), panels: 1, steps: &w.steps[0], n: len(w.steps)}
	for ; from < to; from += w.block {
		n := min(w.block, to-from)
		st.tiles = (n + g.mr - 1) / g.mr
		for e := range winogradArea {
			st.a = unsafe.Pointer(&w.v[e*w.plane+from*w.pitch])
			st.b = unsafe.Pointer(&u[e*planeB])
			st.c = unsafe.Pointer(&c[e*planeC])
			s.runner.run(g, st)
		}
		w.output(c, planeC, w.first+from, n, panel, rest, tmp)
	}
	s.release()
}

// output turns the products of n tiles and one panel into pixels, some tiles of
// one row at a time, and stores them.
func (w *winogradTask) output(c []byte, planeC, first, n, panel int, pixels, tmp []byte) {
	t := w.t
	row := t.w.g.nr * 4 // bytes
	for k := 0; k < n; {
		image, y, x := w.tile(first + k)
		m := min(winogradRunTiles, w.cols-x, n-k)
		pitch := winogradOut * m * row
		w.loop.output(unsafe.Pointer(&pixels[0]), pitch, unsafe.Pointer(&c[k*row]), planeC, unsafe.Pointer(&tmp[0]), m, row/stepBytes)
		k += m
		x, y = x*winogradOut, y*winogradOut
		cols := min(winogradOut*m, t.outW-x)
		for r := range min(winogradOut, t.outH-y) {
			t.finishRun(float32s(pixels[r*pitch:]), image, (image*t.outH+y+r)*t.outW+x, cols, panel)
		}
	}
}

// weights transforms a panel. In Packed's order the three taps of a row are
// three consecutive steps.
func (w *winogradTask) weights(u []byte, planeB, panel int, raw, tmp []byte) {
	p := w.t.w
	f, dt := p.g.form, p.dtype
	stepB := stepBytes * p.g.nr
	size := 4
	encoded := p.weights().when == whenMultiplied
	if encoded {
		size = dt.Size()
	}
	three := 3 * stepB / 4 * size // bytes of a row of taps of 16 channels, in p
	src := p.data[panel*p.panelElems()*size:]
	for k := range w.steps {
		for dy := range 3 {
			from := src[(dy*len(w.steps)+k)*three:][:three]
			to := raw[dy*3*stepB:][:3*stepB]
			if encoded {
				f.convert(to, from, dt, 1)
			} else {
				copy(to, from)
			}
		}
		w.loop.weights(unsafe.Pointer(&u[k*stepB]), planeB, unsafe.Pointer(&raw[0]), unsafe.Pointer(&tmp[0]), stepB/stepBytes)
	}
}
