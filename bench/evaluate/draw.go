package evaluate

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A figure is a drawing in both formats.
type figure struct {
	id, title, caption string
	svg, png           []byte
}

// newFigure draws a figure of a size in points twice.
func newFigure(id, title, caption string, w, h float64, dpi int, paint func(c draw.Canvas)) (figure, error) {
	f := figure{id: id, title: title, caption: caption}
	width, height := vg.Length(w), vg.Length(h)
	svg := vgsvg.New(width, height)
	paint(draw.New(svg))
	img := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))}
	paint(draw.New(img))
	for _, out := range []struct {
		to   *[]byte
		from io.WriterTo
	}{{&f.svg, svg}, {&f.png, img}} {
		var b bytes.Buffer
		if _, err := out.from.WriteTo(&b); err != nil {
			return f, fmt.Errorf("%s: %w", id, err)
		}
		*out.to = b.Bytes()
	}
	return f, nil
}

// sans sets the font of a text.
func sans(s *draw.TextStyle, size float64) {
	s.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
}

// A curve is a series of a plot.
type curve struct {
	name   string
	points plotter.XYs
	line   bool
	dots   bool
	labels []string // of the points
	color  color.Color
	shape  draw.GlyphDrawer
}

// colors tell curves apart, also for those who cannot tell red from green.
var colors = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255}, color.RGBA{86, 86, 86, 255},
}

// newPlot returns a plot of curves.
func newPlot(title, x, y string, logX bool, curves []curve) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.Padding = vg.Points(6)
	sans(&p.Title.TextStyle, 11)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		sans(&axis.Label.TextStyle, 9)
		sans(&axis.Tick.Label, 8)
	}
	sans(&p.Legend.TextStyle, 8)
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	for _, c := range curves {
		if err := add(p, c); err != nil {
			return nil, err
		}
	}
	if p.Y.Min > 0 && p.Y.Min < p.Y.Max/2 {
		p.Y.Min = 0
	}
	if logX {
		p.Y.Max += (p.Y.Max - p.Y.Min) / 4 // and for the legend
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(doublings)
		p.X.Min, p.X.Max = p.X.Min/1.3, p.X.Max*1.6 // room for labels
	}
	return p, nil
}

// doublings are ticks of a logarithmic axis.
func doublings(lo, hi float64) (ticks []plot.Tick) {
	for v := math.Exp2(math.Ceil(math.Log2(lo))); v <= hi; v *= 2 {
		ticks = append(ticks, plot.Tick{Value: v, Label: strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")})
	}
	return ticks
}

func add(p *plot.Plot, c curve) error {
	if len(c.points) == 0 {
		return nil
	}
	var legend []plot.Thumbnailer
	if c.line {
		l, err := plotter.NewLine(c.points)
		if err != nil {
			return err
		}
		l.Color, l.Width = c.color, vg.Points(1.2)
		p.Add(l)
		legend = append(legend, l)
	}
	if c.dots {
		s, err := plotter.NewScatter(c.points)
		if err != nil {
			return err
		}
		s.GlyphStyle = draw.GlyphStyle{Color: c.color, Radius: vg.Points(2.5), Shape: c.shape}
		if c.shape == nil {
			s.Shape = draw.CircleGlyph{}
		}
		p.Add(s)
		legend = append(legend, s)
	}
	for i, label := range c.labels {
		l, err := plotter.NewLabels(plotter.XYLabels{XYs: c.points[i : i+1], Labels: []string{label}})
		if err != nil {
			return err
		}
		l.Offset = vg.Point{X: vg.Points(4), Y: vg.Points(-8 * float64(crowd(c.points, i)))}
		sans(&l.TextStyle[0], 7)
		p.Add(l)
	}
	if c.name != "" {
		p.Legend.Add(c.name, legend...)
	}
	return nil
}

// crowd counts the earlier points so near to a point that their labels would
// lie on its own.
func crowd(points plotter.XYs, i int) (n int) {
	_, _, lo, hi := plotter.XYRange(points)
	for _, p := range points[:i] {
		x, y := p.X/points[i].X, p.Y-points[i].Y
		if x > 0.6 && x < 1.6 && math.Abs(y) < (hi-lo)/40 {
			n++
		}
	}
	return n
}

// plots draws plots side by side.
func plots(id, title, caption string, all ...*plot.Plot) (figure, error) {
	const w, h = 380, 300
	return newFigure(id, title, caption, float64(w*len(all)), h, 144, func(c draw.Canvas) {
		for i, p := range all {
			part := draw.Crop(c, vg.Length(w*i), vg.Length(w*(i+1-len(all))), 0, 0)
			p.Draw(draw.Crop(part, 6, -10, 6, -6))
		}
	})
}

// A tile is a picture of a contact sheet, with a smaller one in its corner.
type tile struct {
	picture *Picture // nil for an empty place
	inset   *Picture
}

// A sheet is a table of pictures.
type sheet struct {
	columns []string // their headings
	below   []string // under the columns, a line each; "" for none
	rows    [][]tile
}

// draw returns the sheet as a figure.
func (s sheet) draw(id, title, caption string) (figure, error) {
	const cell, gap, line, side = 92, 4, 11, 128
	height := func(texts []string) float64 {
		lines := 0
		for _, text := range texts {
			lines = max(lines, strings.Count(text, "\n")+1)
		}
		return float64(lines*line + gap)
	}
	above, below := height(s.columns), height(s.below)
	w := float64(len(s.columns)*(cell+gap) + gap)
	h := above + below + float64(len(s.rows)*(cell+gap))
	style := plot.New().Title.TextStyle
	sans(&style, 7.5)
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	return newFigure(id, title, caption, w, h, 96, func(c draw.Canvas) {
		c.SetColor(color.White)
		c.Fill(c.Rectangle.Path())
		text := func(column int, y float64, s string) {
			for i, part := range strings.Split(s, "\n") {
				c.FillText(style, vg.Point{X: vg.Length(gap + column*(cell+gap) + cell/2), Y: vg.Length(y - float64(i*line))}, part)
			}
		}
		for k, name := range s.columns {
			text(k, h-line/2-2, name)
		}
		for k, name := range s.below {
			text(k, below-line/2-2, name)
		}
		for i, row := range s.rows {
			for k, t := range row {
				if t.picture == nil {
					continue
				}
				at := vg.Point{X: vg.Length(gap + k*(cell+gap)), Y: vg.Length(h - above - float64((i+1)*(cell+gap)) + gap)}
				c.DrawImage(square(at, cell), t.picture.averaged(min(t.picture.Side, side)).Image())
				if t.inset != nil {
					c.DrawImage(square(at, cell/3), t.inset.Image())
				}
			}
		}
	})
}

func square(at vg.Point, side float64) vg.Rectangle {
	return vg.Rectangle{Min: at, Max: vg.Point{X: at.X + vg.Length(side), Y: at.Y + vg.Length(side)}}
}
