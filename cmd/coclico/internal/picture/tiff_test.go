package picture

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// A tiffEntry is a tag with one long value.
type tiffEntry struct {
	tag   uint16
	value uint32
}

// tiffHeader is the start of a TIFF with these tags besides 8 bits grey, in the order of their numbers.
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

// TestTIFFMemory: a compressed block counts with all that the decoder lets it become.
func TestTIFFMemory(t *testing.T) {
	const deflate, lzw, packBits = 8, 5, 32773
	grey := tiffEntry{262, 1}
	for name, c := range map[string]struct {
		w, h uint32
		tags []tiffEntry
		want int64 // bytes; 0 for more than MaxMemory
	}{
		"plain":                {20_000, 10_000, []tiffEntry{{259, 1}, grey}, 2 * 200e6},
		"plain, not said":      {20_000, 10_000, []tiffEntry{grey}, 2 * 200e6},
		"24 megapixels":        {6000, 4000, []tiffEntry{{259, deflate}, grey}, (1 + 24) * 24e6},
		"100 megapixels":       {10_000, 10_000, []tiffEntry{{259, deflate}, grey}, 0},
		"100, LZW":             {10_000, 10_000, []tiffEntry{{259, lzw}, grey}, 0},
		"100, PackBits":        {10_000, 10_000, []tiffEntry{{259, packBits}, grey}, 0},
		"100 in strips":        {10_000, 10_000, []tiffEntry{{259, deflate}, grey, {278, 16}}, 100e6 + 24*160_000},
		"100 in one strip":     {10_000, 10_000, []tiffEntry{{259, deflate}, grey, {278, 1<<32 - 1}}, 0},
		"100 in tiles":         {10_000, 10_000, []tiffEntry{{259, deflate}, grey, {322, 256}, {323, 128}}, 100e6 + 24*256*128},
		"100 in one tile":      {10_000, 10_000, []tiffEntry{{259, deflate}, grey, {278, 16}, {322, 10_000}, {323, 10_000}}, 0},
		"a tile beyond bounds": {10, 10, []tiffEntry{{259, deflate}, grey, {322, 1<<32 - 1}, {323, 1<<32 - 1}}, 100 + 24*1034*1034},
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
	several := tiffHeader(binary.LittleEndian, 10_000, 10_000, tiffEntry{259, 1}, grey)
	binary.LittleEndian.PutUint32(several[10+3*12+4:], 2) // values of the compression's tag, which begin at byte 1
	if _, err := Open(bytes.NewReader(several)); err == nil || !strings.Contains(err.Error(), "not a valid TIFF picture: tag 259 has 2 values") {
		t.Errorf("two compressions: error %v", err)
	}
}
