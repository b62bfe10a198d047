package evaluate

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A chart is a plot of curves. It is drawn with gonum's vector graphics, without
// package plot above them, which links twelve fonts and the writers of PDF, EPS
// and TeX into the program: 5 MB.
type chart struct {
	title, x, y string // headings: the chart's and the axes'
	logX        bool
	curves      []curve
}

// A curve is a series of a chart.
type curve struct {
	name   string
	points []point
	line   bool
	dots   bool
	labels []string // of the points
	color  color.Color
	shape  draw.GlyphDrawer // of the dots; nil for circles
}

type point struct{ x, y float64 }

// colors tell curves apart, also for those who cannot tell red from green.
var colors = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255}, color.RGBA{86, 86, 86, 255},
}

// An axis maps the values between lo and hi to the places between from and to.
type axis struct {
	lo, hi   float64
	log      bool
	from, to vg.Length
}

func (a *axis) at(v float64) vg.Length {
	lo, hi := a.lo, a.hi
	if a.log {
		lo, hi, v = math.Log(lo), math.Log(hi), math.Log(v)
	}
	return a.from + vg.Length((v-lo)/(hi-lo))*(a.to-a.from)
}

// A tick is a value that an axis names.
type tick struct {
	value float64
	label string
}

func (a *axis) ticks() []tick {
	if a.log {
		return doublings(a.lo, a.hi)
	}
	return steps(a.lo, a.hi)
}

// doublings returns the ticks of a logarithmic axis: powers of two.
func doublings(lo, hi float64) (ticks []tick) {
	for v := math.Exp2(math.Ceil(math.Log2(lo))); v <= hi; v *= 2 {
		ticks = append(ticks, tick{v, strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")})
	}
	return ticks
}

// steps returns the ticks of a linear axis: three to eight multiples of 1, 2 or 5
// times a power of ten.
func steps(lo, hi float64) (ticks []tick) {
	exponent := int(math.Floor(math.Log10((hi - lo) / 3)))
	step := math.Pow10(exponent)
	for _, n := range []float64{5, 2} {
		if n*step*3 <= hi-lo {
			step *= n
			break
		}
	}
	for i := math.Ceil(lo / step); i*step <= hi; i++ {
		ticks = append(ticks, tick{i * step, strconv.FormatFloat(i*step, 'f', max(-exponent, 0), 64)})
	}
	return ticks
}

// axes returns the ranges of both axes.
func (p *chart) axes() (x, y axis) {
	var xs, ys []float64
	for _, c := range p.curves {
		for _, p := range c.points {
			xs, ys = append(xs, p.x), append(ys, p.y)
		}
	}
	x, y = span(xs), span(ys)
	if y.lo > 0 && y.lo < y.hi/2 {
		y.lo = 0
	}
	if p.logX {
		y.hi += (y.hi - y.lo) / 4 // for the legend
		x = axis{lo: slices.Min(xs) / 1.3, hi: slices.Max(xs) * 1.6, log: true}
	}
	return x, y
}

// span returns the axis of values, with some room if they are all the same.
func span(values []float64) axis {
	a := axis{lo: slices.Min(values), hi: slices.Max(values)}
	if a.lo == a.hi {
		a.lo, a.hi = a.lo-1, a.hi+1
	}
	return a
}

// Sizes of a chart, in points.
const (
	titleSize, headingSize, tickSize, labelSize = 11, 9, 8, 7
	dotRadius                                   = 2.5
	sampleWidth                                 = 20 // the width of a curve's sample in the legend
	labelGap                                    = 4  // between a dot and its label
)

// draw draws the chart on a canvas. At least one curve must have points, and all
// of them must be finite numbers.
func (p *chart) draw(c draw.Canvas) {
	x, y := p.axes()
	y.from, y.to = c.Min.Y+headingSize+tickSize+12, c.Max.Y-tickSize/2
	if p.title != "" {
		y.to -= titleSize + 6
	}
	labels, margin := textStyle(tickSize), vg.Length(0)
	for _, t := range y.ticks() {
		margin = max(margin, labels.Width(t.label))
	}
	x.from, x.to = c.Min.X+headingSize+margin+12, c.Max.X-dotRadius
	x.to -= p.overhang(x)

	grid(c, x, y)
	p.headings(c, x, y)
	for _, curve := range p.curves {
		curve.draw(c, x, y)
	}
	p.legend(c, vg.Point{X: x.to, Y: y.to})
}

// grid draws both axes, with a line and a label for each tick.
func grid(c draw.Canvas, x, y axis) {
	ticks := textStyle(tickSize)
	ticks.XAlign, ticks.YAlign = draw.XRight, draw.YCenter
	line := draw.LineStyle{Color: color.Gray{200}, Width: vg.Points(0.5)}
	edge := draw.LineStyle{Color: color.Black, Width: vg.Points(0.5)}
	for _, t := range y.ticks() {
		c.StrokeLine2(line, x.from, y.at(t.value), x.to, y.at(t.value))
		c.FillText(ticks, vg.Point{X: x.from - 4, Y: y.at(t.value)}, t.label)
	}
	ticks.XAlign, ticks.YAlign = draw.XCenter, draw.YTop
	for _, t := range x.ticks() {
		c.StrokeLine2(line, x.at(t.value), y.from, x.at(t.value), y.to)
		c.FillText(ticks, vg.Point{X: x.at(t.value), Y: y.from - 4}, t.label)
	}
	c.StrokeLine2(edge, x.from, y.from, x.to, y.from)
	c.StrokeLine2(edge, x.from, y.from, x.from, y.to)
}

// headings writes the headings of the axes and of the chart.
func (p *chart) headings(c draw.Canvas, x, y axis) {
	heading := textStyle(headingSize)
	heading.XAlign, heading.YAlign = draw.XCenter, draw.YBottom
	c.FillText(heading, vg.Point{X: (x.from + x.to) / 2, Y: c.Min.Y}, p.x)
	heading.Rotation, heading.YAlign = math.Pi/2, draw.YTop
	c.FillText(heading, vg.Point{X: c.Min.X, Y: (y.from + y.to) / 2}, p.y)
	title := textStyle(titleSize)
	title.XAlign, title.YAlign = draw.XCenter, draw.YTop
	c.FillText(title, vg.Point{X: c.Center().X, Y: c.Max.Y}, p.title)
}

// overhang returns how far labels reach beyond the axis.
func (p *chart) overhang(x axis) (beyond vg.Length) {
	labels := textStyle(labelSize)
	for _, c := range p.curves {
		for i, label := range c.labels {
			beyond = max(beyond, x.at(c.points[i].x)+labelGap+labels.Width(label)-x.to)
		}
	}
	return beyond
}

func (c *curve) draw(on draw.Canvas, x, y axis) {
	places := make([]vg.Point, len(c.points))
	for i, p := range c.points {
		places[i] = vg.Point{X: x.at(p.x), Y: y.at(p.y)}
	}
	c.strokes(on, places...)
	labels := textStyle(labelSize)
	for i, label := range c.labels {
		below := labelSize * vg.Length(crowd(c.points, i))
		on.FillText(labels, places[i].Add(vg.Point{X: labelGap, Y: -below}), label)
	}
}

// strokes draws the curve's line and dots through places.
func (c *curve) strokes(on draw.Canvas, places ...vg.Point) {
	if c.line {
		on.StrokeLines(draw.LineStyle{Color: c.color, Width: vg.Points(1.2)}, places)
	}
	if c.dots {
		dot := draw.GlyphStyle{Color: c.color, Radius: dotRadius, Shape: cmp.Or[draw.GlyphDrawer](c.shape, draw.CircleGlyph{})}
		for _, place := range places {
			on.DrawGlyphNoClip(dot, place)
		}
	}
}

// crowd counts the earlier points so near to a point that their labels would
// lie on its own.
func crowd(points []point, i int) (n int) {
	lowest := func(a, b point) int { return cmp.Compare(a.y, b.y) }
	height := slices.MaxFunc(points, lowest).y - slices.MinFunc(points, lowest).y
	for _, p := range points[:i] {
		x, y := p.x/points[i].x, p.y-points[i].y
		if x > 0.6 && x < 1.6 && math.Abs(y) < height/40 {
			n++
		}
	}
	return n
}

// legend names the curves below and left of a corner.
func (p *chart) legend(c draw.Canvas, corner vg.Point) {
	names := textStyle(tickSize)
	names.XAlign, names.YAlign = draw.XRight, draw.YCenter
	at := corner.Add(vg.Point{X: -sampleWidth, Y: -tickSize})
	for _, curve := range p.curves {
		if curve.name == "" || len(curve.points) == 0 {
			continue
		}
		c.FillText(names, at.Add(vg.Point{X: -4}), curve.name)
		if curve.line {
			bare := curve
			bare.dots = false
			bare.strokes(c, at, at.Add(vg.Point{X: sampleWidth}))
		}
		curve.line = false
		curve.strokes(c, at.Add(vg.Point{X: sampleWidth / 2}))
		at.Y -= tickSize + 2
	}
}
