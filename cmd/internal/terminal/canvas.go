package terminal

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"os"

	"golang.org/x/image/draw"
)

// A canvas draws pictures on the lines above the cursor, each over the one
// before.
type canvas struct {
	screen   *Screen
	graphics Graphics
	number   uint32 // of kitty's picture

	drawn            bool // a picture is above the cursor
	columns, rows    int  // of that picture
	screenW, screenH int  // columns and rows of the terminal at that time
	cellW, cellH     int  // pixels of a character
}

// maxColumns and maxRows bound a picture on the terminal.
const (
	maxColumns = 64
	maxRows    = 32
)

// draw draws a picture as large as the terminal and the bounds allow, and leaves
// the cursor at the start of the line below. When the terminal's size changed,
// the lines of the picture before may have moved, so that it is not drawn over.
func (c *canvas) draw(img image.Image) {
	w, h := c.screen.size()
	if w != c.screenW || h != c.screenH {
		c.forget()
		c.screenW, c.screenH = w, h
		c.cellW, c.cellH = 0, 0
		if f, ok := c.screen.Err.(*os.File); ok {
			c.cellW, c.cellH = cellSize(f)
		}
		if c.cellW == 0 || c.cellH == 0 {
			c.cellW, c.cellH = 6, 12 // smaller than most, so that a picture in pixels has room
		}
	}
	columns, rows := c.fit(img.Bounds().Size(), min(w-1, maxColumns), min(h-3, maxRows))
	if columns < 1 || rows < 1 {
		return
	}
	if columns != c.columns || rows != c.rows {
		c.forget()
		c.columns, c.rows = columns, rows
	}
	b := []byte("\r\x1b[K")
	if !c.drawn { // room for the picture
		b = append(b, bytes.Repeat([]byte{'\n'}, rows)...)
		c.number++
	}
	b = fmt.Appendf(b, "\x1b[%dA\x1b7", rows) // up, and save the cursor
	b = c.append(b, img)
	b = fmt.Appendf(b, "\x1b8\x1b[%dB\r", rows)
	c.drawn = true
	_, _ = c.screen.Err.Write(b)
}

// forget makes the next picture appear below this one.
func (c *canvas) forget() { c.drawn = false }

// fit returns the columns and rows of a picture.
func (c *canvas) fit(size image.Point, columns, rows int) (int, int) {
	if size.X < 1 || size.Y < 1 || columns < 1 || rows < 1 {
		return 0, 0
	}
	cellW, cellH := c.cell()
	if n := (columns*cellW*size.Y + size.X*cellH - 1) / (size.X * cellH); n <= rows {
		return columns, max(n, 1)
	}
	return max(rows*cellH*size.X/(size.Y*cellW), 1), rows
}

// cell returns the pixels of a character in the picture that is drawn.
func (c *canvas) cell() (w, h int) {
	if c.graphics == Blocks {
		return 1, 2
	}
	return c.cellW, c.cellH
}

// append appends a picture of the canvas's columns and rows, from the cursor on.
func (c *canvas) append(b []byte, img image.Image) []byte {
	w, h := c.cell()
	w, h = w*c.columns, h*c.rows
	if img.Bounds().Dx() > w { // no more pixels than are seen
		img = scaled(img, w, h)
	}
	switch c.graphics {
	case Kitty:
		return appendKitty(b, img, c.number, c.columns, c.rows)
	case ITerm2:
		return appendITerm2(b, img, c.columns, c.rows)
	case Sixel:
		return appendSixel(b, scaled(img, w, max(h/6*6, 6))) // whole stripes
	}
	var buf bytes.Buffer
	small := scaled(img, w, h)
	for y := range c.rows {
		at := func(x, below int) color.Color { return small.At(x, 2*y+below) }
		drawLine(&buf, at, c.columns, max(depthOf(c.screen.getenv), cubeColors), hasBlocks(c.screen.getenv))
	}
	return append(b, buf.Bytes()...)
}

// scaled returns a picture in w x h pixels.
func scaled(img image.Image, w, h int) image.Image {
	to := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(to, to.Rect, img, img.Bounds(), draw.Src, nil)
	return to
}
