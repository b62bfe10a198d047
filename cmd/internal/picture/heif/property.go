package heif

import (
	"bytes"
	"fmt"
	"image"
)

// addCoded takes a property of a coded picture, which may be a tile.
func (h *Header) addCoded(b box) {
	switch b.name {
	case "av1C":
		if len(b.body) >= 3 && b.body[2]&0x40 != 0 { // high_bitdepth
			h.depth = 10
		}
	case "hvcC":
		h.hevc = videoSignal(b.body)
		h.gray, h.tooDeep = hevcFormat(b.body)
	case "colr":
		if h.CICP == nil {
			h.addColor(b.body)
		}
	}
}

// add takes a property of the primary picture.
func (h *Header) add(b box) error {
	p := parser{b: b.body}
	switch b.name {
	case "ispe":
		p.version()
		w, height := p.uint(4), p.uint(4)
		if p.bad || w > 1<<30 || height > 1<<30 {
			return errSyntax
		}
		h.codedWidth, h.codedHeight = int(w), int(height)
	case "pixi":
		p.version()
		for range p.uint(1) {
			h.depth = max(h.depth, int(p.uint(1)))
		}
	case "colr":
		h.addColor(b.body)
	case "irot":
		h.transforms = append(h.transforms, rotation(p.uint(1)&3))
	case "imir":
		h.transforms = append(h.transforms, mirror(p.uint(1)&1))
	case "clap":
		var c crop
		for i := range c {
			c[i] = int64(int32(p.uint(4)))
		}
		h.transforms = append(h.transforms, c)
	}
	if p.bad {
		return errSyntax
	}
	return nil
}

func (h *Header) addColor(b []byte) {
	p := parser{b: b}
	switch kind := string(b[:min(4, len(b))]); kind {
	case "prof", "rICC":
		h.ICC = bytes.Clone(b[4:])
	case "nclx":
		p.uint(4)
		c := &CICP{Primaries: uint16(p.uint(2)), Transfer: uint16(p.uint(2)), Matrix: uint16(p.uint(2)), FullRange: p.uint(1)>>7 != 0}
		if !p.bad {
			h.CICP = c
		}
	}
}

func isAlpha(b box) bool {
	b.body = b.body[:min(len(b.body), 256)]
	return b.name == "auxC" && (bytes.Contains(b.body, []byte("auxid:1\x00")) || bytes.Contains(b.body, []byte("auxiliary:alpha\x00")))
}

// libheif's enumerations.
const (
	colorYCbCr      = 0
	colorRGB        = 1
	colorMonochrome = 2
	chroma420       = 1
	chroma422       = 2
	chroma444       = 3
)

// hevcFormat reports whether a HEVC configuration record (ISO/IEC 14496-15,
// 8.3.3.1) announces gray, and whether it announces more than 8 bits of gray or of
// chroma as fine as the luma: the module makes 8 bits of neither.
func hevcFormat(record []byte) (gray, tooDeep bool) {
	if len(record) < 19 {
		return false, false
	}
	chroma, luma := record[16]&3, record[17]&7 // what the bits are more than 8
	gray = chroma == 0
	return gray, luma > 0 && (gray || chroma == chroma444)
}

// addMask takes the properties of the transparency. It has all values from 0 to
// 255 as the file says, else the coded picture, else as it is meant to be.
func (h *Header) addMask(properties []box, assembled bool) {
	mask := &Header{}
	for _, p := range properties {
		mask.addCoded(p)
	}
	h.fullMask = mask.CICP == nil && mask.hevc == nil || mask.signal().FullRange
	h.tooDeepMask = mask.tooDeep
	h.grayParts = h.grayParts || assembled && mask.gray
}

// A transform is applied to a decoded picture.
type transform interface {
	size(w, h int) (int, int)
	apply(image.Image) (image.Image, error)
}

// A rotation turns a picture anticlockwise by quarters.
type rotation int

func (r rotation) size(w, h int) (int, int) {
	if r&1 != 0 {
		return h, w
	}
	return w, h
}

func (r rotation) apply(img image.Image) (image.Image, error) {
	if r == 0 {
		return img, nil
	}
	b := img.Bounds()
	w, h := r.size(b.Dx(), b.Dy())
	return move(img, image.Rect(0, 0, w, h), func(x, y int) (int, int) {
		switch r {
		case 1:
			return b.Dx() - 1 - y, x
		case 2:
			return w - 1 - x, h - 1 - y
		default:
			return y, b.Dy() - 1 - x
		}
	})
}

// A mirror swaps top and bottom (0) or left and right (1).
type mirror int

func (m mirror) size(w, h int) (int, int) { return w, h }

func (m mirror) apply(img image.Image) (image.Image, error) {
	b := img.Bounds()
	return move(img, image.Rect(0, 0, b.Dx(), b.Dy()), func(x, y int) (int, int) {
		if m == 0 {
			return x, b.Dy() - 1 - y
		}
		return b.Dx() - 1 - x, y
	})
}

// A crop is a clean aperture: width, height, and how far its center is from the
// picture's, across and down, each a numerator and a denominator.
type crop [8]int64

// in returns the aperture in a picture of w x h pixels, or an empty rectangle.
func (c crop) in(w, h int) image.Rectangle {
	for i := 1; i < len(c); i += 2 {
		if c[i] <= 0 {
			return image.Rectangle{}
		}
	}
	cw, ch := c[0]/c[1], c[2]/c[3]
	// left = offset + (w-1)/2 - (cw-1)/2, rounded down.
	x := floorDiv(2*c[4]+(int64(w)-cw)*c[5], 2*c[5])
	y := floorDiv(2*c[6]+(int64(h)-ch)*c[7], 2*c[7])
	r := image.Rect(int(x), int(y), int(x+cw), int(y+ch))
	if cw < 1 || ch < 1 || !r.In(image.Rect(0, 0, w, h)) {
		return image.Rectangle{}
	}
	return r
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// size returns the picture's where the aperture is invalid: apply is an error.
func (c crop) size(w, h int) (int, int) {
	if r := c.in(w, h); !r.Empty() {
		return r.Dx(), r.Dy()
	}
	return w, h
}

func (c crop) apply(img image.Image) (image.Image, error) {
	b := img.Bounds()
	r := c.in(b.Dx(), b.Dy())
	if r.Empty() {
		return nil, FormatError("invalid clean aperture")
	}
	return move(img, image.Rect(0, 0, r.Dx(), r.Dy()), func(x, y int) (int, int) { return x + r.Min.X, y + r.Min.Y })
}

// move makes a picture whose pixel (x, y) is that of img at from(x, y). It takes
// what decodeAVIF returns.
func move(img image.Image, r image.Rectangle, from func(x, y int) (int, int)) (image.Image, error) {
	switch img := img.(type) {
	case *image.RGBA:
		out := image.NewRGBA(r)
		movePixels(out.Pix, img.Pix, img.Stride, 4, r, from)
		return out, nil
	case *image.RGBA64:
		out := image.NewRGBA64(r)
		movePixels(out.Pix, img.Pix, img.Stride, 8, r, from)
		return out, nil
	}
	panic("heif: transform of another picture")
}

func movePixels(dst, src []byte, stride, size int, r image.Rectangle, from func(x, y int) (int, int)) {
	for y := range r.Dy() {
		for x := range r.Dx() {
			fx, fy := from(x, y)
			copy(dst[:size], src[fy*stride+fx*size:])
			dst = dst[size:]
		}
	}
}

// signal returns the matrix and the range of a HEIC's luma and chroma: the
// file's, else those of the coded picture, else what H.265 infers.
func (h *Header) signal() CICP {
	switch {
	case h.CICP != nil:
		return *h.CICP
	case h.hevc != nil:
		return *h.hevc
	}
	return CICP{Primaries: 2, Transfer: 2, Matrix: 2}
}

// converted reports whether the luma and chroma of a HEIC become red, green and
// blue: where they are other ones than those of JPEG and image.YCbCr, and where
// they are multiplied by the transparency, since image.NYCbCrA's are not.
func (h *Header) converted() bool {
	s := h.signal()
	_, _, other := weights(s.Matrix)
	return !h.AVIF && (!s.FullRange || other || h.premultiplied)
}

// checkColors refuses a HEIC whose luma and chroma are of a kind that toRGB does
// not know, or differ from their linear combinations, such as YCgCo. It refuses
// depths that the module does not take to 8 bits, as it does those of red, green
// and blue, and gray parts, which it does not put together.
func (h *Header) checkColors() error {
	const rgb = 0
	switch m := h.signal().Matrix; {
	case m == 3 || m == 8 || m > 9:
		return UnsupportedError(fmt.Sprintf("color matrix %d", m))
	case h.tooDeep && m != rgb || h.tooDeepMask:
		return UnsupportedError("more than 8 bits with 4:4:4 chroma, of gray or of transparency")
	case h.grayParts:
		return UnsupportedError("gray or transparency in tiles")
	}
	return nil
}

// weights returns a matrix's weights of red and blue in the luma, and whether it
// is not that of BT.601, which stands for what is unspecified.
func weights(matrix uint16) (kr, kb float64, other bool) {
	switch matrix {
	case 1: // BT.709
		return 0.2126, 0.0722, true
	case 4: // FCC
		return 0.30, 0.11, true
	case 7: // SMPTE 240M
		return 0.212, 0.087, true
	case 9: // BT.2020
		return 0.2627, 0.0593, true
	}
	return 0.299, 0.114, false
}

// toRGB converts a picture from the matrix and range of s.
func toRGB(img *image.YCbCr, s CICP) *image.RGBA {
	kr, kb, _ := weights(s.Matrix)
	scaleY, scaleC, black := 1.0, 1.0, 0.0
	if !s.FullRange {
		scaleY, scaleC, black = 255.0/219, 255.0/224, 16
	}
	kg := 1 - kr - kb
	var y, rCr, bCb, gCr, gCb [256]float32
	for i := range 256 {
		y[i] = float32((float64(i)-black)*scaleY + 0.5)
		c := float64(i-128) * scaleC
		rCr[i], bCb[i] = float32(2*(1-kr)*c), float32(2*(1-kb)*c)
		gCr[i], gCb[i] = float32(-2*(1-kr)*kr/kg*c), float32(-2*(1-kb)*kb/kg*c)
	}
	out := image.NewRGBA(img.Rect)
	pix := out.Pix
	for py := range img.Rect.Dy() {
		for px := range img.Rect.Dx() {
			c := img.COffset(px, py)
			luma, cb, cr := y[img.Y[py*img.YStride+px]], img.Cb[c], img.Cr[c]
			pix[0], pix[1], pix[2], pix[3] = clamp(luma+rCr[cr]), clamp(luma+gCr[cr]+gCb[cb]), clamp(luma+bCb[cb]), 255
			pix = pix[4:]
		}
	}
	return out
}

func clamp(v float32) uint8 { return uint8(min(max(v, 0), 255)) }

// stretch widens a gray picture's range.
func stretch(img *image.Gray) {
	var table [256]uint8
	for i := range table {
		table[i] = clamp(float32(i-16)*255/219 + 0.5)
	}
	for i, v := range img.Pix {
		img.Pix[i] = table[v]
	}
}
