package kernels

// A convolution with few outputs, such as a decoder's last one to 3 colors, would
// compute all nr columns of its only panel for the sake of 3, nine times over.
// Here the taps are columns, too: one product with [In, 9 Out] weights gives every
// line of A its share in the nine outputs around it, and an output is the sum of
// nine shares,
//
//	dst[y][x][o] = sum over dy, dx of share[y+dy][x+dx][3 dy + dx][o].
//
// For 128 channels and 3 outputs in panels of 32 that is one panel of 27 columns
// times 8 steps in place of 72 steps, and nine additions an output. Which
// convolutions are done so depends on their shape alone, and so do the results.
const (
	fewOutputs = 4  // at most
	fewRows    = 16 // of outputs in a piece, which multiplies two rows of A more
)

// few reports whether taps are columns.
func (s Shape) few() bool { return s.KH == 3 && s.Out <= fewOutputs && !s.GEGLU }

// tapColumns returns the shape and the weights of the product of lines, [9 Out, In]
// with all outputs of the first tap first.
func tapColumns(s Shape, parts []Array) (Shape, Array) {
	flat := Shape{Out: 9 * s.Out, In: s.In, KH: 1, KW: 1}
	size, share := parts[0].DType.Size(), s.Out/len(parts)
	a := Array{DType: parts[0].DType, Data: make([]byte, flat.Out*s.In*size)}
	for o := range s.Out {
		src := parts[o/share].Data
		if src == nil {
			continue
		}
		src = src[o%share*s.In*9*size:]
		for c := range s.In {
			for tap := range 9 {
				copy(a.Data[((tap*s.Out+o)*s.In+c)*size:][:size], src[(9*c+tap)*size:])
			}
		}
	}
	return flat, a
}

// A fewTask is a productTask whose weights have taps as columns. A piece is some
// rows of outputs of one picture.
type fewTask struct {
	*productTask
	pieces int // of a picture
}

func (t *productTask) runFew() {
	f := fewTasks.get()
	*f = fewTask{t, (t.outH + fewRows - 1) / fewRows}
	parallel(t.a.N*f.pieces, f)
	fewTasks.put(f)
}

var fewTasks freeList[fewTask]

func (t *fewTask) do(i int) {
	image, first := i/t.pieces, i%t.pieces*fewRows
	s := scratches.get()
	defer s.release()
	w, a := t.w.taps, t.a
	tile := stripTiles * w.g.mr
	lines := roundUp(a.W+2, tile)
	row := w.panels * lines * w.g.nr
	sums := float32s(grow(&s.c, (3*row+lines*w.g.nr)*4))
	c := sums[3*row:]
	next := 0 // the next row of A to be multiplied; that of a window's top is t.stride*y
	for y := first; y < min(first+fewRows, t.outH); y++ {
		top := t.stride * y
		for next = max(next, top); next < top+3; next++ {
			t.shares(sums[next%3*row:][:row], c, image, next, lines, s)
		}
		var window [3][]float32
		for dy := range window {
			window[dy] = sums[(top+dy)%3*row:][:row]
		}
		for x := 0; x < t.outW; x += tile {
			n := min(tile, t.outW-x)
			t.add(c, &window, lines, x, n)
			t.finishRun(c, image, (image*t.outH+y)*t.outW+x, n, 0)
		}
	}
}

// shares multiplies row y of the windows' rows: panel p's columns of line x are
// dst[(p*lines+x)*nr:].
func (t *fewTask) shares(dst, part []float32, image, y, lines int, s *scratch) {
	w, a := t.w.taps, t.a
	st := &s.strip
	*st = strip{lda: uintptr(a.pitch), ldc: uintptr(w.g.nr * 4), panels: 1}
	st.a = a.ptr(0, t.firstLine+(image*(a.H+1)+y)*t.pitch, 0)
	st.tiles = (a.W + 2 + w.g.mr - 1) / w.g.mr
	t.product(s, w, 0, w.panels, dst, lines*w.g.nr, part)
}

// add sums the shares of n outputs of a row from x on, as rows of a panel.
func (t *fewTask) add(c []float32, window *[3][]float32, lines, x, n int) {
	outputs, nr := t.w.shape.Out, t.w.taps.g.nr
	var at [9 * fewOutputs]int // of the columns, under the window of output 0
	for col := range 9 * outputs {
		at[col] = (col/nr*lines+col/outputs%3)*nr + col%nr
	}
	for i := range n {
		line := (x + i) * t.stride * nr
		for o := range outputs {
			var sum float32
			for tap := range 9 {
				sum += window[tap/3][at[tap*outputs+o]+line]
			}
			c[i*nr+o] = sum
		}
	}
}
