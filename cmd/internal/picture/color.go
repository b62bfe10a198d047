package picture

import (
	"encoding/binary"
	"errors"
	"image"
	"image/color"

	"github.com/coclico/coclico/cmd/internal/icc"
)

var errOtherKind = errors.New("color profile of another kind of picture")

// toSRGB converts a picture, in place where its type allows. With an error it
// returns the picture as it was.
func toSRGB(img image.Image, p *icc.Profile) (image.Image, error) {
	if t, ok := img.(turned); ok {
		inner, err := toSRGB(t.Image, p)
		return turned{inner, t.orientation}, err
	}
	if _, ok := img.(*image.CMYK); ok || p.Gray() && !isGray(img) {
		return img, errOtherKind
	}
	switch img := img.(type) {
	case *image.Paletted:
		t := p.Transform(1 << 16)
		for i, c := range img.Palette {
			img.Palette[i] = convertColor(t, c)
		}
	case *image.Gray:
		return convertGray(p, img), nil
	case *image.NRGBA:
		convertPix(p.Transform(1<<8), img.Pix)
	case *image.RGBA:
		convertPremultiplied(p.Transform(1<<8), img.Pix)
	case *image.NRGBA64:
		convertPix16(p.Transform(1<<16), img.Pix)
	case *image.YCbCr, *image.NYCbCrA:
		out := image.NewNRGBA(img.Bounds())
		expand(out, img)
		convertPix(p.Transform(1<<8), out.Pix)
		return out, nil
	case *image.RGBA64:
		t := p.Transform(1 << 16)
		if img.Opaque() {
			convertPix16(t, img.Pix)
			break
		}
		eachPixel(img, func(x, y int, c color.Color) { img.Set(x, y, convertColor(t, c)) })
	default: // Gray16 among them
		t := p.Transform(1 << 16)
		out := image.NewNRGBA64(img.Bounds())
		eachPixel(img, func(x, y int, c color.Color) { out.SetNRGBA64(x, y, convertColor(t, c)) })
		return out, nil
	}
	return img, nil
}

// converting returns the bytes that toSRGB takes for each pixel of a picture that
// a decoder has announced with this model.
func converting(m color.Model, p *icc.Profile) int64 {
	if _, ok := m.(color.Palette); ok || p == nil {
		return 0
	}
	switch m {
	case color.GrayModel:
		if p.Gray() {
			return 0
		}
		return 4
	case color.YCbCrModel, color.NYCbCrAModel:
		return 4
	case color.RGBAModel, color.NRGBAModel, color.RGBA64Model, color.NRGBA64Model, color.CMYKModel:
		return 0
	}
	return 8
}

func eachPixel(img image.Image, visit func(x, y int, c color.Color)) {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			visit(x, y, img.At(x, y))
		}
	}
}

// isGray reports whether all pixels are gray, whatever the type of picture: that
// of gray ones with alpha is a color type.
func isGray(img image.Image) bool {
	switch img := img.(type) {
	case *image.Gray, *image.Gray16:
		return true
	case *image.Paletted:
		for _, c := range img.Palette {
			if r, g, b, _ := c.RGBA(); r != g || g != b {
				return false
			}
		}
		return true
	case *image.NRGBA:
		for pix := img.Pix; len(pix) >= 4; pix = pix[4:] {
			if pix[0] != pix[1] || pix[1] != pix[2] {
				return false
			}
		}
		return true
	}
	gray := true
	eachPixel(img, func(_, _ int, c color.Color) {
		r, g, b, _ := c.RGBA()
		gray = gray && r == g && g == b
	})
	return gray
}

// convertColor converts one color of any kind.
func convertColor(t *icc.Transform, c color.Color) color.NRGBA64 {
	n := color.NRGBA64Model.Convert(c).(color.NRGBA64)
	n.R, n.G, n.B = t.Convert(n.R, n.G, n.B)
	return n
}

// narrow rounds 16 bits to 8.
func narrow(v uint16) uint8 { return uint8((uint32(v)*0xff + 0x7fff) / 0xffff) }

// convertPix converts pixels of red, green, blue and alpha.
func convertPix(t *icc.Transform, pix []uint8) {
	for ; len(pix) >= 4; pix = pix[4:] {
		r, g, b := t.Convert(uint16(pix[0]), uint16(pix[1]), uint16(pix[2]))
		pix[0], pix[1], pix[2] = narrow(r), narrow(g), narrow(b)
	}
}

// convertPremultiplied converts pixels whose colors are multiplied by alpha.
func convertPremultiplied(t *icc.Transform, pix []uint8) {
	for ; len(pix) >= 4; pix = pix[4:] {
		a := uint32(pix[3])
		if a == 0 {
			continue
		}
		straight := func(v uint8) uint16 { return uint16(min((uint32(v)*0xff+a/2)/a, 0xff)) }
		r, g, b := t.Convert(straight(pix[0]), straight(pix[1]), straight(pix[2]))
		pix[0], pix[1], pix[2] = narrow(uint16(uint32(r)*a/0xff)), narrow(uint16(uint32(g)*a/0xff)), narrow(uint16(uint32(b)*a/0xff))
	}
}

// convertPix16 is convertPix for 16 bits a channel.
func convertPix16(t *icc.Transform, pix []uint8) {
	order := binary.BigEndian
	for ; len(pix) >= 8; pix = pix[8:] {
		r, g, b := t.Convert(order.Uint16(pix), order.Uint16(pix[2:]), order.Uint16(pix[4:]))
		order.PutUint16(pix, r)
		order.PutUint16(pix[2:], g)
		order.PutUint16(pix[4:], b)
	}
}

// convertGray keeps the type of picture with a profile for gray.
func convertGray(p *icc.Profile, img *image.Gray) image.Image {
	t := p.Transform(1 << 8)
	var table [256]color.NRGBA
	for v := range table {
		r, g, b := t.Convert(uint16(v), uint16(v), uint16(v))
		table[v] = color.NRGBA{narrow(r), narrow(g), narrow(b), 0xff}
	}
	if p.Gray() {
		for i, v := range img.Pix {
			img.Pix[i] = table[v].G
		}
		return img
	}
	out := image.NewNRGBA(img.Bounds())
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			out.SetNRGBA(x, y, table[img.GrayAt(x, y).Y])
		}
	}
	return out
}

// expand writes the colors of a picture of Y, Cb and Cr, with or without alpha.
func expand(dst *image.NRGBA, img image.Image) {
	planes, alpha := (*image.YCbCr)(nil), (*image.NYCbCrA)(nil)
	switch img := img.(type) {
	case *image.YCbCr:
		planes = img
	case *image.NYCbCrA:
		planes, alpha = &img.YCbCr, img
	}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		pix := dst.Pix[dst.PixOffset(b.Min.X, y):]
		for x := b.Min.X; x < b.Max.X; x++ {
			l, c := planes.YOffset(x, y), planes.COffset(x, y)
			pix[0], pix[1], pix[2] = color.YCbCrToRGB(planes.Y[l], planes.Cb[c], planes.Cr[c])
			pix[3] = 0xff
			if alpha != nil {
				pix[3] = alpha.A[alpha.AOffset(x, y)]
			}
			pix = pix[4:]
		}
	}
}
