package bmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"
	"testing"
)

// A file is what a test writes: header fields, and the bytes that follow them.
type file struct {
	header      int // size of the picture's header
	w, h        int
	bits        int
	compression uint32
	colors      int
	masks       []uint32 // in the header if it is long enough
	palette     []byte
	pixels      []byte
}

func (f file) bytes() []byte {
	order := binary.LittleEndian
	head := make([]byte, fileHeader+f.header)
	copy(head, "BM")
	order.PutUint32(head[fileHeader:], uint32(f.header))
	if f.header == coreHeader {
		order.PutUint16(head[18:], uint16(f.w))
		order.PutUint16(head[20:], uint16(f.h))
		order.PutUint16(head[22:], 1)
		order.PutUint16(head[24:], uint16(f.bits))
	} else {
		full := make([]byte, fileHeader+windows5)
		copy(full, head)
		order.PutUint32(full[18:], uint32(f.w))
		order.PutUint32(full[22:], uint32(f.h))
		order.PutUint16(full[26:], 1)
		order.PutUint16(full[28:], uint16(f.bits))
		order.PutUint32(full[30:], f.compression)
		order.PutUint32(full[46:], uint32(f.colors))
		end := fileHeader + f.header
		for i, m := range f.masks {
			at := masksInFile + 4*i
			order.PutUint32(full[at:], m)
			end = max(end, at+4)
		}
		head = full[:end]
	}
	order.PutUint32(head[10:], uint32(len(head)+len(f.palette)))
	return append(append(head, f.palette...), f.pixels...)
}

// show returns the pixels in rows, a letter each.
func show(img image.Image) string {
	letters := map[color.NRGBA]string{
		{255, 0, 0, 255}: "r", {0, 255, 0, 255}: "g", {0, 0, 255, 255}: "b", {255, 255, 255, 255}: "w", {0, 0, 0, 255}: "k", {255, 0, 0, 0}: "-",
	}
	var s []string
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		row := ""
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			if l, ok := letters[c]; ok {
				row += l
			} else {
				row += fmt.Sprint(c)
			}
		}
		s = append(s, row)
	}
	return strings.Join(s, "/")
}

const palette4 = "\x00\x00\xff\x00" + "\x00\xff\x00\x00" + "\xff\x00\x00\x00" + "\xff\xff\xff\x00" // r g b w

// kinds are pictures of 3 x 2 pixels, rgb over wkr unless it says otherwise, in
// every kind of file.
func kinds() map[string]struct {
	file
	want string
} {
	const bgr = "\xff\xff\xff\x00\x00\x00\x00\x00\xff\x00\x00\x00" + "\x00\x00\xff\x00\xff\x00\xff\x00\x00\x00\x00\x00"
	indexes8 := "\x03\x04\x00\x00" + "\x00\x01\x02\x00"
	indexes4 := "\x34\x00\x00\x00" + "\x01\x20\x00\x00"
	rgb555 := "\xff\x7f\x00\x00\x00\x7c\x00\x00" + "\x00\x7c\xe0\x03\x1f\x00\x00\x00"
	rgb565 := "\xff\xff\x00\x00\x00\xf8\x00\x00" + "\x00\xf8\xe0\x07\x1f\x00\x00\x00"
	bgra := "\xff\xff\xff\xff\x00\x00\x00\xff\x00\x00\xff\x00" + "\x00\x00\xff\xff\x00\xff\x00\xff\xff\x00\x00\xff"
	noAlpha := "\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\xff\x00" + "\x00\x00\xff\x00\x00\xff\x00\x00\xff\x00\x00\x00"
	const all, clear = "rgb/wkr", "rgb/wk-"
	type kind = struct {
		file
		want string
	}
	p3 := []byte("\x00\x00\xff\x00\xff\x00\xff\x00\x00\xff\xff\xff" + strings.Repeat("\x00", 12*3))
	p4 := []byte(palette4)
	rgb := []uint32{0xff0000, 0xff00, 0xff}
	return map[string]kind{
		"1 bit":                  {file{infoHeader, 3, 2, 1, plain, 0, nil, []byte("\x00\x00\xff\x00\xff\xff\xff\x00"), []byte("\x40\x00\x00\x00\xa0\x00\x00\x00")}, "wrw/rwr"},
		"2 bits":                 {file{infoHeader, 3, 2, 2, plain, 0, nil, p4, []byte("\xc0\x00\x00\x00\x18\x00\x00\x00")}, "rgb/wrr"},
		"4 bits":                 {file{infoHeader, 3, 2, 4, plain, 4, nil, p4, []byte(indexes4)}, all},
		"8 bits":                 {file{infoHeader, 3, 2, 8, plain, 4, nil, p4, []byte(indexes8)}, all},
		"8 bits, top down":       {file{infoHeader, 3, -2, 8, plain, 4, nil, p4, []byte(indexes8)}, "wkr/rgb"},
		"16 bits":                {file{infoHeader, 3, 2, 16, plain, 0, nil, nil, []byte(rgb555)}, all},
		"16 bits, 5-6-5":         {file{infoHeader, 3, 2, 16, masked, 0, []uint32{0xf800, 0x7e0, 0x1f}, nil, []byte(rgb565)}, all},
		"16 bits, 5-6-5, long":   {file{windows5, 3, 2, 16, masked, 0, []uint32{0xf800, 0x7e0, 0x1f}, nil, []byte(rgb565)}, all},
		"24 bits":                {file{infoHeader, 3, 2, 24, plain, 0, nil, nil, []byte(bgr)}, all},
		"32 bits":                {file{infoHeader, 3, 2, 32, plain, 0, nil, nil, []byte(noAlpha)}, all},
		"32 bits, fourth unused": {file{infoHeader, 3, 2, 32, plain, 0, nil, nil, []byte(bgra)}, all},
		"32 bits, masks":         {file{infoHeader, 3, 2, 32, masked, 0, rgb, nil, []byte(bgra)}, all},
		"alpha":                  {file{windows4, 3, 2, 32, masked, 0, []uint32{0xff0000, 0xff00, 0xff, 0xff000000}, nil, []byte(bgra)}, clear},
		"alpha, short header":    {file{infoHeader, 3, 2, 32, maskedAlpha, 0, []uint32{0xff0000, 0xff00, 0xff, 0xff000000}, nil, []byte(bgra)}, clear},
		"alpha 0 everywhere":     {file{windows5, 3, 2, 32, masked, 0, []uint32{0xff0000, 0xff00, 0xff, 0xff000000}, nil, []byte(noAlpha)}, all},
		"OS/2 1, 4 bits":         {file{header: coreHeader, w: 3, h: 2, bits: 4, palette: p3, pixels: []byte(indexes4)}, all},
		"OS/2 1, 24 bits":        {file{header: coreHeader, w: 3, h: 2, bits: 24, pixels: []byte(bgr)}, all},
		"OS/2 2":                 {file{os2Header, 3, 2, 24, plain, 0, nil, nil, []byte(bgr)}, all},
		"OS/2 2, short":          {file{header: 16, w: 3, h: 2, bits: 24, pixels: []byte(bgr)}, all},
		"runs of 8 bits":         {file{infoHeader, 3, 2, 8, runs8, 4, nil, p4, []byte("\x00\x03\x03\x04\x00\x00\x00\x00" + "\x01\x00\x01\x01\x01\x02\x00\x01")}, all},
		"runs of 8 bits, moves":  {file{infoHeader, 3, 2, 8, runs8, 4, nil, p4, []byte("\x01\x03\x00\x02\x01\x01\x01\x02\x00\x01")}, "rrb/wrr"},
		"runs that overflow":     {file{infoHeader, 3, 2, 8, runs8, 4, nil, p4, []byte("\xff\x03\x00\x00\xff\x01\x00\x00")}, "ggg/www"},
		"runs of 4 bits":         {file{infoHeader, 3, 2, 4, runs4, 4, nil, p4, []byte("\x00\x03\x34\x00\x00\x00" + "\x02\x01\x01\x20\x00\x01")}, all},
	}
}

func TestDecode(t *testing.T) {
	for name, c := range kinds() {
		data := c.bytes()
		img, err := Decode(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := show(img); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		cfg, err := DecodeConfig(bytes.NewReader(data))
		if err != nil || cfg.Width != 3 || cfg.Height != 2 {
			t.Errorf("%s: config %v, %v", name, cfg, err)
		}
		for n := range len(data) {
			if _, err := Decode(bytes.NewReader(data[:n])); n < len(data)-2 && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: the first %d of %d bytes: error %v", name, n, len(data), err)
			}
		}
	}
}

// TestWidths checks the rounding of masks of all widths.
func TestWidths(t *testing.T) {
	for bits := 1; bits <= 32; bits++ {
		mask := uint32(1<<bits - 1)
		c := newChannel(mask)
		if c.value(0) != 0 || c.value(mask) != 255 {
			t.Errorf("%d bits: 0 is %d, the largest is %d", bits, c.value(0), c.value(mask))
		}
	}
	if c := newChannel(0x7e0); c.value(32<<5|0x1f) != 130 {
		t.Errorf("32 of 63 is %d, want 130", c.value(32<<5|0x1f))
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		file
		want error
	}{
		"a PNG inside":   {file{header: infoHeader, w: 3, h: 2, bits: 0, compression: 5}, UnsupportedError("a PNG inside")},
		"a JPEG inside":  {file{header: infoHeader, w: 3, h: 2, bits: 0, compression: 4}, UnsupportedError("a JPEG, or runs of 24 bits, inside")},
		"fax":            {file{header: os2Header, w: 3, h: 2, bits: 1, compression: 3}, UnsupportedError("fax compression")},
		"another header": {file{header: 70, w: 3, h: 2, bits: 24}, UnsupportedError("header of another version")},
		"no pixels":      {file{header: infoHeader, w: 0, h: 2, bits: 24}, FormatError("no pixels")},
		"a negative one": {file{header: infoHeader, w: -3, h: 2, bits: 24}, FormatError("invalid size")},
		"the lowest one": {file{header: infoHeader, w: 3, h: -1 << 31, bits: 24}, FormatError("invalid size")},
		"7 bits":         {file{header: infoHeader, w: 3, h: 2, bits: 7}, FormatError("invalid number of bits for its compression")},
		"runs of 24":     {file{header: infoHeader, w: 3, h: 2, bits: 24, compression: 1}, FormatError("invalid number of bits for its compression")},
	} {
		if _, err := Decode(bytes.NewReader(c.bytes())); err != c.want {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
}

// FuzzDecode checks that whatever a file holds, decoding it ends with a picture
// of the size that its header has, or an error.
func FuzzDecode(f *testing.F) {
	for _, c := range kinds() {
		f.Add(c.bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := DecodeConfig(bytes.NewReader(data))
		if err != nil || cfg.Width*cfg.Height > 1<<20 {
			return
		}
		img, err := Decode(bytes.NewReader(data))
		if err == nil && img.Bounds() != image.Rect(0, 0, cfg.Width, cfg.Height) {
			t.Errorf("bounds %v, header %d x %d", img.Bounds(), cfg.Width, cfg.Height)
		}
	})
}
