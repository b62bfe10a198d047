package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"io"
	"reflect"
	"slices"
	"testing"
)

// A chunk is a part of a PNG.
type chunk struct {
	name string
	data []byte
}

// split returns the chunks of a PNG, whose pixels are in one.
func split(t *testing.T, file []byte) (list []chunk) {
	t.Helper()
	for b := file[len(pngSignature):]; len(b) > 0; {
		n := binary.BigEndian.Uint32(b)
		c := chunk{string(b[4:8]), b[8:][:n:n]}
		if last := len(list) - 1; c.name == "IDAT" && list[last].name == "IDAT" {
			list[last].data = append(list[last].data, c.data...)
		} else {
			list = append(list, c)
		}
		b = b[12+n:]
	}
	return list
}

func join(list []chunk) []byte {
	b := []byte(pngSignature)
	for _, c := range list {
		b = appendChunk(b, c.name, c.data)
	}
	return b
}

// before returns the chunks with another before the first one of a name.
func before(list []chunk, name string, c chunk) []chunk {
	at := slices.IndexFunc(list, func(c chunk) bool { return c.name == name })
	return slices.Insert(slices.Clone(list), at, c)
}

// changed returns the chunks with the data of one of them replaced.
func changed(list []chunk, name string, change func([]byte) []byte) []chunk {
	list = slices.Clone(list)
	at := slices.IndexFunc(list, func(c chunk) bool { return c.name == name })
	list[at].data = change(bytes.Clone(list[at].data))
	return list
}

// longer compresses data again, with n bytes behind it.
func longer(t *testing.T, n int) func([]byte) []byte {
	return func(data []byte) []byte {
		r, err := zlib.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return encode(t, func(w io.Writer) error {
			z := zlib.NewWriter(w)
			_, _ = z.Write(append(rows, make([]byte, n)...)) // Close has the error
			return z.Close()
		})
	}
}

// TestMend reads a PNG with faults that libpng passes over. Damaged pixels remain
// an error.
func TestMend(t *testing.T) {
	four := color.Palette{color.Black, color.White, color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}}
	paletted := image.NewPaletted(image.Rect(0, 0, 20, 10), four)
	clear := image.NewNRGBA(paletted.Rect)
	gray := image.NewGray(paletted.Rect)
	for i := range gray.Pix {
		paletted.Pix[i], gray.Pix[i], clear.Pix[4*i+3] = uint8(i%4), uint8(i), uint8(i)
	}
	large := image.NewRGBA(image.Rect(0, 0, 200, 200)) // of several blocks
	for i := range large.Pix {
		large.Pix[i] = uint8(i*i) | 0xff*uint8(i%4/3)
	}
	interlaced := testdata(t, "adam7.png")
	passes, err := read(interlaced)
	if err != nil {
		t.Fatal(err)
	}
	palette, text := chunk{"PLTE", make([]byte, 3*256)}, chunk{"tEXt", []byte("Title\x00a picture")}
	huge, gamma, turned := chunk{"PLTE", make([]byte, 3*257)}, chunk{"gAMA", []byte{0, 1, 0x86, 0xa0}}, chunk{"eXIf", exifData(3, "\x00\x06\x00\x00")}
	veil := chunk{"tRNS", []byte{255, 100, 50}}
	veiled := image.NewPaletted(paletted.Rect, color.Palette{four[0], color.NRGBA{255, 255, 255, 100}, color.NRGBA{255, 0, 0, 50}, four[3]})
	copy(veiled.Pix, paletted.Pix)
	cut := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:len(b)-n] } }
	damaged := func(list []chunk, name string) []byte { // its checksum
		file := join(list)
		file[bytes.Index(file, []byte(name))+4+len(list[slices.IndexFunc(list, func(c chunk) bool { return c.name == name })].data)] ^= 1
		return file
	}
	parts := func(img image.Image) []chunk {
		return split(t, encode(t, func(w io.Writer) error { return png.Encode(w, img) }))
	}
	for name, c := range map[string]struct {
		file []byte
		want image.Image // nil for an error
	}{
		"a long palette":                 {join(changed(parts(paletted), "PLTE", func(b []byte) []byte { return append(b, b...) })), paletted},
		"a palette of gray":              {join(before(parts(gray), "IDAT", palette)), gray},
		"two kinds of transparency":      {join(before(parts(clear), "IDAT", chunk{"tRNS", make([]byte, 6)})), clear},
		"a needless palette, too long":   {join(before(parts(gray), "IDAT", huge)), gray},
		"a needless palette, damaged":    {damaged(before(parts(gray), "IDAT", palette), "PLTE"), gray},
		"a gamma with a wrong checksum":  {damaged(before(parts(gray), "IDAT", gamma), "gAMA"), gray},
		"EXIF with a wrong checksum":     {damaged(before(parts(gray), "IDAT", turned), "eXIf"), gray},
		"transparency, then a palette":   {join(before(parts(paletted), "PLTE", veil)), paletted},
		"transparency twice":             {join(before(before(parts(paletted), "IDAT", veil), "IDAT", chunk{"tRNS", []byte{0}})), veiled},
		"a palette twice":                {join(before(parts(paletted), "IDAT", palette)), nil},
		"a header twice":                 {join(before(parts(gray), "IDAT", parts(gray)[0])), nil},
		"a wrong head of zlib's":         {join(changed(parts(gray), "IDAT", func(b []byte) []byte { b[1] ^= 1; return b })), nil},
		"a text with a wrong checksum":   {damaged(before(parts(large), "IDAT", text), "tEXt"), large},
		"a text behind the pixels":       {damaged(before(parts(large), "IEND", text), "tEXt"), large},
		"no checksum of the pixels":      {join(changed(parts(large), "IDAT", cut(4))), large},
		"more pixels":                    {join(changed(parts(large), "IDAT", longer(t, 999))), large},
		"more pixels, interlaced":        {join(changed(split(t, interlaced), "IDAT", longer(t, 1))), passes},
		"a wrong checksum of pixels":     {join(changed(parts(large), "IDAT", func(b []byte) []byte { b[len(b)-1] ^= 1; return b })), nil},
		"a wrong checksum of the chunk":  {damaged(parts(large), "IDAT"), nil},
		"a wrong checksum of a palette":  {damaged(parts(paletted), "PLTE"), nil},
		"fewer pixels":                   {join(changed(parts(large), "IDAT", cut(200))), nil},
		"far more pixels than it states": {join(changed(parts(large), "IDAT", longer(t, 1<<20))), nil},
	} {
		f, err := Open(bytes.NewReader(c.file))
		var img image.Image
		if err == nil {
			img, err = f.Image()
		}
		switch {
		case c.want == nil && err == nil:
			t.Errorf("%s: read with warnings %q", name, f.Warnings)
		case c.want != nil && (err != nil || !slices.Equal(f.Warnings, []string{pngFault})):
			t.Errorf("%s: error %v, or other warnings", name, err)
		case c.want != nil && !reflect.DeepEqual(pixels(t, img), pixels(t, c.want)):
			t.Errorf("%s: another picture", name)
		}
	}
}
