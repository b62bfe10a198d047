package evaluate

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"strings"
	"sync"

	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
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
	// For those who do not have the font.
	f.svg = bytes.ReplaceAll(f.svg, []byte("font-family:"+typeface+";"), []byte("font-family:"+typeface+",Arial,sans-serif;"))
	return f, nil
}

// fonts holds the one font of all drawings.
var fonts = sync.OnceValue(func() *font.Cache {
	face, err := opentype.Parse(goregular.TTF)
	if err != nil {
		panic(err) // the font is part of the program
	}
	return font.NewCache(font.Collection{{Font: font.Font{Typeface: typeface}, Face: face}})
})

const typeface = "Go"

// textStyle returns the style of black text of a size in points.
func textStyle(size float64) draw.TextStyle {
	return draw.TextStyle{
		Color:   color.Black,
		Font:    font.Font{Typeface: typeface, Size: vg.Points(size)},
		Handler: text.Plain{Fonts: fonts()},
	}
}

// charts draws charts side by side.
func charts(id, title, caption string, all ...*chart) (figure, error) {
	const w, h = 380, 300
	return newFigure(id, title, caption, float64(w*len(all)), h, 144, func(c draw.Canvas) {
		c.SetColor(color.White)
		c.Fill(c.Rectangle.Path())
		for i, p := range all {
			part := draw.Crop(c, vg.Length(w*i), vg.Length(w*(i+1-len(all))), 0, 0)
			p.draw(draw.Crop(part, 6, -10, 6, -6))
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
	captions := textStyle(7.5)
	captions.XAlign, captions.YAlign = draw.XCenter, draw.YCenter
	return newFigure(id, title, caption, w, h, 96, func(c draw.Canvas) {
		c.SetColor(color.White)
		c.Fill(c.Rectangle.Path())
		text := func(column int, y float64, s string) {
			for i, part := range strings.Split(s, "\n") {
				c.FillText(captions, vg.Point{X: vg.Length(gap + column*(cell+gap) + cell/2), Y: vg.Length(y - float64(i*line))}, part)
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
