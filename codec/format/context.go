package format

// Planes of a color map, in their order.
const (
	planeY = iota
	planeU
	planeV
	planes
)

const (
	features   = 14
	positions  = 4
	activities = 9
	crossings  = 3
)

// A Context is what the decoder knows of a sample before it reads it. All of it
// follows from earlier samples.
type Context struct {
	Features [features]int // what the sample is predicted from, in 1/512 with 1/2 as 0
	Position int           // 0 the first sample, 1 the top row, 2 the left column, 3 elsewhere
	Activity int           // how much the neighbors differ, 0 to 8
	Cross    int           // 0 to 2; for Y the size of the map, for U and V how much the plane before changes here
}

// half is 1 if the levels of a plane lie half a step higher than those of the
// paper: chroma has a level at neutral in the tuned profile, code 2^(b-1) - 1,
// unless one bit is all it has.
func half(profile Profile, plane, bits int) int {
	if profile == Tuned && plane != planeY && bits > 1 {
		return 1
	}
	return 0
}

// A grid is a plane of samples in 1/512 with 1/2 as 0.
type grid struct {
	size int
	v    []int
}

func (g *grid) at(x, y int) int { return g.v[y*g.size+x] }

// VisitSamples calls visit for every sample of a color map in the order of the
// file, and sets the sample's code to the result: a writer returns the code
// that it is given, a reader the one that it reads.
func VisitSamples(c ColorMap, profile Profile, n, bits int, visit func(plane int, ctx *Context, code uint8) uint8) {
	y := &grid{n, make([]int, n*n)}
	u := &grid{n / 2, make([]int, n*n/4)}
	v := &grid{n / 2, make([]int, n*n/4)}
	var ctx Context
	read := func(plane int, codes []uint8, g *grid, set func(x, y int)) {
		half := half(profile, plane, bits)
		for y := range g.size {
			ctx = Context{}
			ctx.Features[6] = 256
			ctx.Features[7] = (2*y+1)*256/g.size - 256 // the height in the picture
			for x := range g.size {
				set(x, y)
				i := y*g.size + x
				if code := visit(plane, &ctx, codes[i]); code != codes[i] {
					codes[i] = code // a writer changes nothing: goroutines may share a map
				}
				g.v[i] = (2*int(codes[i])+1+half)<<(8-bits) - 256
			}
		}
	}
	read(planeY, c.Y, y, func(x, line int) { ctx.setLuma(y, x, line) })
	l := y.halved()
	read(planeU, c.U, u, func(x, line int) { ctx.setChroma(u, l, nil, x, line) })
	read(planeV, c.V, v, func(x, line int) { ctx.setChroma(v, l, u, x, line) })
}

// halved returns the means of 2 x 2 samples, rounded down.
func (g *grid) halved() *grid {
	n := g.size / 2
	h := &grid{n, make([]int, n*n)}
	for i := range h.v {
		x, y := i%n*2, i/n*2
		h.v[i] = (g.at(x, y) + g.at(x+1, y) + g.at(x, y+1) + g.at(x+1, y+1)) >> 2
	}
	return h
}

// setLuma sets what c says of a sample of Y besides its height.
func (c *Context) setLuma(g *grid, x, y int) {
	c.setPlane(g, x, y)
	c.Cross = bin(g.size, mapSizes)
}

// setChroma sets what c says of a sample of U or V, given luma l at its
// resolution and, for V, plane u.
func (c *Context) setChroma(g, l, u *grid, x, y int) {
	c.setPlane(g, x, y)
	f := l.here(x, y)
	copy(c.Features[8:], f[:])
	if u != nil {
		f = u.here(x, y)
		copy(c.Features[11:], f[:])
	}
	c.Cross = bin(abs(f[0]-f[1])+abs(f[0]-f[2]), changes)
}

// here returns the sample at (x, y), its left neighbor and its upper one; at
// the border, the sample itself.
func (g *grid) here(x, y int) [3]int {
	return [3]int{g.at(x, y), g.at(max(x-1, 0), y), g.at(x, max(y-1, 0))}
}

// setPlane sets the part of c that lies in the sample's own plane, six
// neighbors. A neighbor outside the plane is replaced: by 0 for the first
// sample, by the left neighbor in the top row, by the upper one elsewhere; the
// second neighbor to the left or upwards by the first.
func (c *Context) setPlane(g *grid, x, y int) {
	var w, n, nw, ne, ww, nn int
	position := 3
	switch {
	case x == 0 && y == 0:
		position = 0
	case y == 0:
		position = 1
		w = g.at(x-1, 0)
		n = w
	case x == 0:
		position = 2
		n = g.at(0, y-1)
		w = n
	default:
		w, n = g.at(x-1, y), g.at(x, y-1)
	}
	nw, ne, ww, nn = n, n, w, n
	if x > 0 && y > 0 {
		nw = g.at(x-1, y-1)
	}
	if y > 0 && x+1 < g.size {
		ne = g.at(x+1, y-1)
	}
	if x > 1 {
		ww = g.at(x-2, y)
	}
	if y > 1 {
		nn = g.at(x, y-2)
	}
	copy(c.Features[:], []int{w, n, nw, ne, ww, nn})
	c.Position = position
	c.Activity = bin(abs(w-nw)+abs(n-nw)+abs(n-ne)+abs(w-ww)+abs(n-nn), differences)
}

// Bounds of bins: value v falls in bin i if exactly i bounds are at most v.
var (
	differences = []int{1, 64, 128, 192, 256, 384, 512, 768}
	changes     = []int{1, 134}
	mapSizes    = []int{8, 16}
)

func bin(v int, bounds []int) int {
	i := 0
	for i < len(bounds) && v >= bounds[i] {
		i++
	}
	return i
}

func abs(x int) int { return max(x, -x) }
