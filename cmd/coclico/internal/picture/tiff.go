package picture

import (
	"encoding/binary"
	"fmt"
	"io"
)

// TIFF's tags (TIFF 6.0, part 1 and section 15) that say how large its blocks are, strips or tiles. Each has one value.
const (
	tiffCompression  = 259 // 1 is none
	tiffRowsPerStrip = 278
	tiffTileWidth    = 322
	tiffTileLength   = 323
)

// tiffMemory returns the bytes that decoding a TIFF of w x h pixels takes, which are each bytes long when it is decoded.
//
// A block that is not compressed is no larger than the file. One that is grows as it likes: the decoder stops at 8 bytes for
// each of its pixels, whatever kind they are of, and holds them in a buffer that doubles, with the one before 3 times as many.
func tiffMemory(r io.ReadSeeker, each, w, h int64) (int64, error) {
	tags, err := tiffTags(r)
	if err != nil {
		return 0, err
	}
	if tags[tiffCompression] <= 1 {
		return 2 * each * w * h, nil // and what is not yet decoded
	}
	blockW, blockH := w, h
	if rows := tags[tiffRowsPerStrip]; rows > 0 {
		blockH = min(rows, h)
	}
	if tags[tiffTileWidth] > 0 {
		const over = 1024 // a tile that reaches farther beyond the picture is refused
		blockW, blockH = min(tags[tiffTileWidth], w+over), min(tags[tiffTileLength], h+over)
	}
	return each*w*h + 3*8*blockW*blockH, nil
}

// tiffTags returns the values of these tags, 0 for one that is not there. The decoder has read them before.
func tiffTags(r io.ReadSeeker) (map[uint16]int64, error) {
	var head [8]byte
	if err := readAt(r, 0, head[:]); err != nil {
		return nil, err
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(head[4:]))
	if err := readAt(r, at, head[:2]); err != nil {
		return nil, err
	}
	entries := make([]byte, 12*int(order.Uint16(head[:])))
	if err := readAt(r, at+2, entries); err != nil {
		return nil, err
	}
	tags := map[uint16]int64{}
	for ; len(entries) > 0; entries = entries[12:] {
		switch tag := order.Uint16(entries); tag {
		case tiffCompression, tiffRowsPerStrip, tiffTileWidth, tiffTileLength:
			if n := order.Uint32(entries[4:]); n != 1 { // the decoder takes the first
				return nil, fmt.Errorf("tag %d has %d values, not 1", tag, n)
			}
			switch order.Uint16(entries[2:]) {
			case 1:
				tags[tag] = int64(entries[8])
			case 3:
				tags[tag] = int64(order.Uint16(entries[8:]))
			case 4:
				tags[tag] = int64(order.Uint32(entries[8:]))
			}
		}
	}
	return tags, nil
}

func readAt(r io.ReadSeeker, at int64, b []byte) error {
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return err
	}
	_, err := io.ReadFull(r, b)
	return err
}
