//go:build !js

package heif

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/draw"
	"io"
)

const (
	errSize   = FormatError("decodes to another size than its header says")
	errDecode = FormatError("invalid pixel data")
)

// Available returns an error if Decode decodes nothing in this program.
func Available() error { return nil }

// Decode decodes a whole file, data, whose header is h. The picture is upright.
// It takes [Header.Memory], for which the caller has to answer.
func Decode(data []byte, h *Header) (image.Image, error) {
	if !complete(data) {
		return nil, io.ErrUnexpectedEOF
	}
	if !h.AVIF {
		return decodeHEIC(data, h)
	}
	img, err := decodeAVIF(data, h)
	if err != nil {
		return nil, err
	}
	for _, t := range h.transforms { // libheif has applied them, libavif leaves it to the caller
		if img, err = t.apply(img); err != nil {
			return nil, err
		}
	}
	return img, nil
}

// complete reports whether the boxes of a file end where it does, or before.
func complete(data []byte) bool {
	r := bytes.NewReader(data)
	for r.Len() > 0 {
		name, size, err := nextBox(r)
		switch {
		case err != nil || size == toEnd:
			return true
		case size > int64(r.Len()): // a box that is cut short, or bytes that are no box
			return name != "ftyp" && name != "meta" && name != "mdat"
		}
		_, _ = r.Seek(size, io.SeekCurrent) // not beyond the end
	}
	return true
}

// decodeAVIF returns an RGBA picture, or RGBA64 for more than 8 bits a channel.
func decodeAVIF(data []byte, h *Header) (image.Image, error) {
	m, err := avifMachine()
	if err != nil {
		return nil, err
	}
	return m.run(h.processMemory(int64(len(data))), patience(int(h.pixels())), func(p *process) (image.Image, error) {
		in, info := p.store(data), p.alloc(4*4+8)
		decode := func(configOnly, out uint32) {
			ok := p.call("decode", in, uint32(len(data)), configOnly, 0, // the first frame alone
				info, info+4, info+8, info+12, info+16, out)
			if p.err == nil && ok == 0 {
				p.err = errDecode
			}
		}
		decode(1, 0)
		size := p.words(info, 3)
		w, height, each := int(size[0]), int(size[1]), 4
		if depth := size[2]; depth > 8 {
			each = 8
		}
		switch {
		case p.err != nil:
			return nil, p.err
		case w != h.codedWidth || height != h.codedHeight:
			return nil, errSize
		case each == 8 && h.depth <= 8:
			return nil, FormatError("more bits a channel than its header says")
		}
		out := p.alloc(w * height * each)
		decode(0, out)
		pix := p.view(out, w*height*each)
		if p.err != nil {
			return nil, p.err
		}
		r := image.Rect(0, 0, w, height)
		if each == 4 {
			return &image.RGBA{Pix: bytes.Clone(pix), Stride: 4 * w, Rect: r}, nil
		}
		img := image.NewRGBA64(r)
		for i := 0; i < len(pix); i += 2 { // little-endian
			img.Pix[i], img.Pix[i+1] = pix[i+1], pix[i]
		}
		return img, nil
	})
}

// decodeHEIC returns a picture as h.model says, or a gray one.
func decodeHEIC(data []byte, h *Header) (image.Image, error) {
	if h.primaryBytes == 2 && h.alpha > 0xffff {
		return nil, UnsupportedError("transparency numbered above 65535")
	}
	if err := h.checkColors(); err != nil {
		return nil, err
	}
	img, err := decodeItem(data, h)
	if err != nil || h.alpha == 0 {
		return img, err
	}
	// The transparency is a picture of its own, which libheif decodes where the
	// file names it as the primary one.
	data = bytes.Clone(data)
	id := binary.BigEndian.AppendUint32(nil, h.alpha)
	copy(data[h.primaryAt:h.primaryAt+h.primaryBytes], id[4-h.primaryBytes:])
	alone := *h
	alone.CICP = &CICP{Matrix: 2, FullRange: true} // as it is: only the luma counts
	alone.premultiplied = false
	mask, err := decodeItem(data, &alone)
	if err != nil {
		return nil, err
	}
	luma, err := lumaOf(mask, h.fullMask)
	if err != nil {
		return nil, err
	}
	return masked(img, luma, h.premultiplied)
}

// lumaOf returns the luma of a picture, in the full range.
func lumaOf(img image.Image, full bool) (luma *image.Gray, err error) {
	switch img := img.(type) {
	case *image.Gray:
		luma = img
	case *image.YCbCr:
		luma = &image.Gray{Pix: img.Y, Stride: img.YStride, Rect: img.Rect}
	default:
		return nil, UnsupportedError("kind of transparency")
	}
	if !full {
		stretch(luma)
	}
	return luma, nil
}

// masked gives a picture the transparency of a gray one, by which its colors may
// be multiplied already.
func masked(img image.Image, mask *image.Gray, premultiplied bool) (image.Image, error) {
	alpha, stride, r := mask.Pix, mask.Stride, img.Bounds()
	if mask.Bounds() != r {
		return nil, UnsupportedError("transparency of another size")
	}
	var rgba *image.RGBA
	switch img := img.(type) {
	case *image.YCbCr:
		return &image.NYCbCrA{YCbCr: *img, A: alpha, AStride: stride}, nil
	case *image.RGBA: // of toRGB, opaque
		rgba = img
	case *image.Gray:
		rgba = image.NewRGBA(r)
		draw.Draw(rgba, r, img, r.Min, draw.Src)
	default:
		return img, nil // it has its own
	}
	for y := range r.Dy() {
		pix := rgba.Pix[y*rgba.Stride:]
		for x, a := range alpha[y*stride:][:r.Dx()] {
			p := pix[4*x:][:4]
			p[3] = a
			if premultiplied { // what is lossy may exceed it
				p[0], p[1], p[2] = min(p[0], a), min(p[1], a), min(p[2], a)
			}
		}
	}
	if premultiplied {
		return rgba, nil
	}
	return &image.NRGBA{Pix: rgba.Pix, Stride: rgba.Stride, Rect: r}, nil
}

// decodeItem decodes the primary picture of a HEIC.
func decodeItem(data []byte, h *Header) (image.Image, error) {
	m, err := heicMachine()
	if err != nil {
		return nil, err
	}
	return m.run(h.processMemory(int64(len(data))), patience(int(h.pixels())), func(p *process) (image.Image, error) {
		return p.decodeItem(data, h)
	})
}

func (p *process) decodeItem(data []byte, h *Header) (image.Image, error) {
	in, info := p.store(data), p.alloc(4*5)
	decode := func(configOnly, out uint32) {
		ok := p.call("decode", in, uint32(len(data)), configOnly, info, info+4, info+8, info+12, info+16, out)
		if p.err == nil && ok == 0 {
			p.err = errDecode
		}
	}
	decode(1, 0)
	v := p.words(info, 5)
	// v[4], libheif's flag, is unset where transparency is decoded apart.
	l := layout{w: int(v[0]), h: int(v[1]), space: v[2], chroma: v[3]}
	switch {
	case p.err != nil:
		return nil, p.err
	case l.w < 1 || l.h < 1 || l.w > int(h.pixels())/l.h:
		return nil, errSize
	}
	size, err := l.size()
	if err != nil {
		return nil, err
	}
	out := p.alloc(size)
	decode(0, out)
	pix := p.view(out, size)
	if p.err != nil {
		return nil, p.err
	}
	return l.picture(bytes.Clone(pix), h), nil
}

// A layout is how libheif's pixels lie in memory.
type layout struct {
	w, h          int
	space, chroma uint32

	ratio  image.YCbCrSubsampleRatio
	planes [][2]int // stride and rows
}

// size sets the planes and returns their size.
func (l *layout) size() (int, error) {
	switch l.space {
	case colorRGB:
		l.planes = [][2]int{{stride(4 * l.w), l.h}}
	case colorMonochrome:
		l.planes = [][2]int{{stride(l.w), l.h}}
	case colorYCbCr:
		cw, ch := (l.w+1)/2, (l.h+1)/2
		switch l.chroma {
		case chroma420:
			l.ratio = image.YCbCrSubsampleRatio420
		case chroma422:
			l.ratio, ch = image.YCbCrSubsampleRatio422, l.h
		case chroma444:
			l.ratio, cw, ch = image.YCbCrSubsampleRatio444, l.w, l.h
		default:
			return 0, UnsupportedError("chroma subsampling")
		}
		l.planes = [][2]int{{stride(l.w), l.h}, {stride(cw), ch}, {stride(cw), ch}}
	default:
		return 0, UnsupportedError("color space")
	}
	size := 0
	for _, p := range l.planes {
		size += p[0] * p[1]
	}
	return size, nil
}

// stride is libheif's for a row of so many bytes: it holds an even number of
// pixels, 64 at least, and is a multiple of 16.
func stride(bytes int) int { return (max(bytes+bytes&1, 64) + 15) &^ 15 }

// mendBorder continues a plane linearly to its outermost samples. The module
// decodes 4:2:0 by way of 4:4:4, and at a picture's border libheif 1.18.2 takes
// chroma from half as far along it as it is (cx / 2 for cx in
// Op_YCbCr420_bilinear_to_YCbCr444, libheif/color-conversion/chroma_sampling.cc).
func mendBorder(plane []byte, stride, w, h int) {
	// From the border inwards, from offset at in steps, n times along it.
	mend := func(at, in, along, n int) {
		for range n {
			v := 2*int(plane[at+in]) - int(plane[at+2*in])
			plane[at] = uint8(min(max(v, 0), 255))
			at += along
		}
	}
	if h > 4 {
		mend(0, stride, 1, w)
		mend((h-1)*stride, -stride, 1, w)
	}
	if w > 4 {
		mend(0, 1, stride, h)
		mend(w-1, -1, stride, h)
	}
}

// mendCorner copies the last sample from the row above: the module leaves it out
// of 4:2:2 of an odd width.
func mendCorner(plane []byte, stride, w, h int) {
	at := (h-1)*stride + w - 1
	plane[at] = plane[at-stride]
}

// picture is the picture of these pixels, which it keeps.
func (l *layout) picture(pix []byte, h *Header) image.Image {
	r := image.Rect(0, 0, l.w, l.h)
	n := l.planes[0][0] * l.planes[0][1]
	switch {
	case l.space == colorMonochrome:
		img := &image.Gray{Pix: pix, Stride: l.planes[0][0], Rect: r}
		if !h.signal().FullRange {
			stretch(img)
		}
		return img
	case l.space == colorYCbCr:
		c := l.planes[1][0] * l.planes[1][1]
		img := &image.YCbCr{
			Y: pix[:n], Cb: pix[n : n+c], Cr: pix[n+c:],
			YStride: l.planes[0][0], CStride: l.planes[1][0], SubsampleRatio: l.ratio, Rect: r,
		}
		for _, plane := range [][]byte{img.Cb, img.Cr} {
			switch {
			case l.chroma == chroma420:
				mendBorder(plane, img.CStride, (l.w+1)/2, (l.h+1)/2)
			case l.chroma == chroma422 && l.w%2 != 0 && l.h > 1:
				mendCorner(plane, img.CStride, (l.w+1)/2, l.h)
			}
		}
		if h.converted() {
			return toRGB(img, h.signal())
		}
		return img
	case h.premultiplied:
		return &image.RGBA{Pix: pix, Stride: l.planes[0][0], Rect: r}
	}
	return &image.NRGBA{Pix: pix, Stride: l.planes[0][0], Rect: r}
}
