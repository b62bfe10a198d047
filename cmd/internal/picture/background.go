package picture

import (
	"encoding/hex"
	"errors"
	"image"
	"image/color"
)

// ParseColor reads white, black, gray, #rgb or #rrggbb.
func ParseColor(s string) (color.RGBA, error) {
	switch s {
	case "white":
		s = "#fff"
	case "black":
		s = "#000"
	case "gray":
		s = "#808080"
	}
	if len(s) == len("#rgb") {
		s = string([]byte{s[0], s[1], s[1], s[2], s[2], s[3], s[3]})
	}
	if len(s) != len("#rrggbb") || s[0] != '#' {
		return color.RGBA{}, errColor
	}
	b, err := hex.DecodeString(s[1:])
	if err != nil {
		return color.RGBA{}, errColor
	}
	return color.RGBA{b[0], b[1], b[2], 0xff}, nil
}

var errColor = errors.New("not white, black, gray, #rgb or #rrggbb")

// Over lays a picture over an opaque background. It returns img itself if that is
// opaque, and over white, which is what codec lays a picture over.
func Over(img image.Image, background color.RGBA) image.Image {
	if background == (color.RGBA{0xff, 0xff, 0xff, 0xff}) {
		return img
	}
	if o, ok := img.(interface{ Opaque() bool }); ok && o.Opaque() {
		return img
	}
	r, g, b, _ := background.RGBA()
	return over{img, [3]uint32{r, g, b}}
}

// over is a picture over a color of 16 bits a channel.
type over struct {
	image.Image
	background [3]uint32
}

func (o over) ColorModel() color.Model { return color.RGBA64Model }

func (o over) At(x, y int) color.Color {
	r, g, b, a := o.Image.At(x, y).RGBA()
	lay := func(v, under uint32) uint16 { return uint16(min(v+(under*(0xffff-a)+0x7fff)/0xffff, 0xffff)) }
	return color.RGBA64{lay(r, o.background[0]), lay(g, o.background[1]), lay(b, o.background[2]), 0xffff}
}
