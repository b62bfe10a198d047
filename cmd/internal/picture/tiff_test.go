package picture

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// A tiffEntry is a tag with one long value.
type tiffEntry struct {
	tag   uint16
	value uint32
}

// tiffHeader is the start of a TIFF with these tags besides 8 bits of gray, in the
// order of their numbers.
func tiffHeader(order binary.AppendByteOrder, w, h uint32, more ...tiffEntry) []byte {
	entries := append([]tiffEntry{{256, w}, {257, h}, {258, 8}}, more...)
	b := []byte("II")
	if order.String() == "BigEndian" {
		b = []byte("MM")
	}
	b = order.AppendUint16(b, 42)
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, uint16(len(entries)))
	for _, e := range entries {
		b = order.AppendUint16(b, e.tag)
		b = order.AppendUint16(b, 4)
		b = order.AppendUint32(b, 1)
		b = order.AppendUint32(b, e.value)
	}
	return b
}

// TestTIFFMemory checks that a picture is decoded row by row, however large its
// strips are, except one whose strips are JPEG.
func TestTIFFMemory(t *testing.T) {
	const deflate, lzw, packBits, jpegData = 8, 5, 32773, 7
	const fixed = 64 << 10
	gray := tiffEntry{262, 1}
	for name, c := range map[string]struct {
		w, h uint32
		tags []tiffEntry
		want int64 // bytes; 0 for more than MaxMemory
	}{
		"plain":            {20_000, 10_000, []tiffEntry{{259, 1}, gray}, 200e6 + 16 + 6*20_000 + fixed},
		"plain, not said":  {20_000, 10_000, []tiffEntry{gray}, 200e6 + 16 + 6*20_000 + fixed},
		"100 megapixels":   {10_000, 10_000, []tiffEntry{{259, deflate}, gray}, 100e6 + 16 + 6*10_000 + fixed},
		"100, LZW":         {10_000, 10_000, []tiffEntry{{259, lzw}, gray}, 100e6 + 16 + 6*10_000 + fixed},
		"100, PackBits":    {10_000, 10_000, []tiffEntry{{259, packBits}, gray}, 100e6 + 16 + 6*10_000 + fixed},
		"100 in strips":    {10_000, 10_000, []tiffEntry{{259, deflate}, gray, {278, 16}}, 100e6 + 16*625 + 6*10_000 + fixed},
		"100 in one strip": {10_000, 10_000, []tiffEntry{{259, deflate}, gray, {278, 1<<32 - 1}}, 100e6 + 16 + 6*10_000 + fixed},
		"100 in tiles":     {10_000, 10_000, []tiffEntry{{259, deflate}, gray, {322, 256}, {323, 128}}, 100e6 + 16*40*79 + 6*256 + fixed},
		"100, JPEG":        {10_000, 10_000, []tiffEntry{{259, jpegData}, gray}, 0},
		"24, JPEG":         {6000, 4000, []tiffEntry{{259, jpegData}, gray}, 24e6 + 16 + 6*6000 + 16*24e6 + 2*fixed},
		"JPEG in strips":   {10_000, 10_000, []tiffEntry{{259, jpegData}, gray, {278, 16}}, 100e6 + 16*625 + 6*10_000 + 16*160_000 + 2*fixed},
		"268, with alpha":  {16_384, 16_384, []tiffEntry{{259, deflate}, gray, {277, 4}, {338, 2}}, 1<<30 + 16 + 6*4*16_384 + fixed},
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			f, err := Open(bytes.NewReader(tiffHeader(order, c.w, c.h, c.tags...)))
			switch {
			case c.want == 0 && (err == nil || !strings.Contains(err.Error(), "MiB to read: at most 1024")):
				t.Errorf("%s, %v: error %v", name, order, err)
			case c.want != 0 && (err != nil || f.Memory != c.want):
				t.Errorf("%s, %v: %+v, %v, want %d bytes", name, order, f, err, c.want)
			}
		}
	}
	beyond := tiffHeader(binary.LittleEndian, 10, 10, tiffEntry{259, 8}, gray, tiffEntry{322, 1<<32 - 1}, tiffEntry{323, 1<<32 - 1})
	if _, err := Open(bytes.NewReader(beyond)); err == nil || !strings.Contains(err.Error(), "not a valid TIFF picture: invalid size of tiles") {
		t.Errorf("a tile beyond the picture: error %v", err)
	}
	several := tiffHeader(binary.LittleEndian, 10_000, 10_000, tiffEntry{259, 1}, gray)
	binary.LittleEndian.PutUint32(several[10+3*12+4:], 2) // the number of values of the compression
	if _, err := Open(bytes.NewReader(several)); err == nil || !strings.Contains(err.Error(), "not a valid TIFF picture: tag 259 has 2 values") {
		t.Errorf("two compressions: error %v", err)
	}
}

// TestJFIFInTIFF: a JFIF segment calls the samples of a strip luma and chroma. It
// is right, and the tag is wrong, unless the rest of the JPEG agrees with the tag.
func TestJFIFInTIFF(t *testing.T) {
	colors, err := png.Decode(bytes.NewReader(testdata(t, "../jpeg/testdata/rgb.jpg.png")))
	if err != nil {
		t.Fatal(err)
	}
	const jfif = "\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
	var ycbcr bytes.Buffer // without either segment
	if err := jpeg.Encode(&ycbcr, colors, nil); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"RGB": testdata(t, "../jpeg/testdata/rgb.jpg"), "YCbCr": ycbcr.Bytes()} {
		data = append([]byte("\xff\xd8"+jfif), data[2:]...)
		const tags = 9
		img, err := read(tiffOf([][4]uint32{{256, 3, 1, 75}, {257, 3, 1, 50}, {258, 3, 1, 8}, {259, 3, 1, 7}, {262, 3, 1, 2},
			{273, 4, 1, 14 + 12*tags}, {277, 3, 1, 3}, {278, 3, 1, 50}, {279, 4, 1, uint32(len(data))}}, data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if d := meanDifference(t, img, colors); d > 5 { // chroma is subsampled
			t.Errorf("%s: differs by %.1f of 255 on average", name, d)
		}
	}
}
