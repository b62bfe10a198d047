package terminal

import (
	"bytes"
	"fmt"
	"image"
	"image/color/palette"
	"image/draw"
)

// appendSixel appends a picture in DEC's sixel format (VT330/VT340 Programmer
// Reference Manual, volume 2, chapter 14): a stripe of six rows at a time, for
// each color a line of characters whose low six bits are the pixels of a
// column. Its colors are those of Plan 9, dithered.
func appendSixel(b []byte, img image.Image) []byte {
	r := img.Bounds()
	p := image.NewPaletted(image.Rect(0, 0, r.Dx(), r.Dy()), palette.Plan9)
	draw.FloydSteinberg.Draw(p, p.Rect, img, r.Min)
	b = fmt.Appendf(b, "\x1bP0;1q\"1;1;%d;%d", p.Rect.Dx(), p.Rect.Dy()) // square pixels
	for i, c := range p.Palette {
		if bytes.IndexByte(p.Pix, byte(i)) >= 0 {
			r, g, blue, _ := c.RGBA()
			percent := func(v uint32) uint32 { return (v*100 + 0x7fff) / 0xffff }
			b = fmt.Appendf(b, "#%d;2;%d;%d;%d", i, percent(r), percent(g), percent(blue))
		}
	}
	for y := 0; y < p.Rect.Dy(); y += 6 {
		stripe := p.SubImage(image.Rect(0, y, p.Rect.Dx(), y+6)).(*image.Paletted)
		b = appendStripe(b, stripe)
	}
	return append(b, "\x1b\\"...)
}

// appendStripe appends up to six rows: the lines of its colors, each but the
// last followed by $, which returns to the left, and then -, which goes to the
// next stripe.
func appendStripe(b []byte, p *image.Paletted) []byte {
	var lines [256][]byte // by color; nil for those that are absent
	w := p.Rect.Dx()
	for x := range w {
		for y := range p.Rect.Dy() {
			c := p.Pix[y*p.Stride+x]
			if lines[c] == nil {
				lines[c] = bytes.Repeat([]byte{'?'}, w)
			}
			lines[c][x] += 1 << y
		}
	}
	separator := ""
	for c, line := range lines {
		if line != nil {
			b = appendRuns(fmt.Appendf(b, "%s#%d", separator, c), bytes.TrimRight(line, "?"))
			separator = "$"
		}
	}
	return append(b, '-')
}

// appendRuns appends a line in which runs of more than three characters are
// shortened: !9~ for nine of them.
func appendRuns(b, line []byte) []byte {
	for len(line) > 0 {
		n := len(line) - len(bytes.TrimLeft(line, string(line[:1])))
		if n > 3 {
			b = fmt.Appendf(b, "!%d%c", n, line[0])
		} else {
			b = append(b, line[:n]...)
		}
		line = line[n:]
	}
	return b
}
