package tiff

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Tags (TIFF 6.0, part 1 and sections 10 to 22).
const (
	tagSubfileType     = 254
	tagWidth           = 256
	tagHeight          = 257
	tagBits            = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagFillOrder       = 266
	tagMake            = 271
	tagStripOffsets    = 273
	tagOrientation     = 274
	tagSamples         = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagPlanar          = 284
	tagT4Options       = 292
	tagPredictor       = 317
	tagColorMap        = 320
	tagTileWidth       = 322
	tagTileLength      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagSubIFDs         = 330
	tagInkSet          = 332
	tagExtraSamples    = 338
	tagSampleFormat    = 339
	tagJPEGTables      = 347
	tagCoefficients    = 529
	tagSubsampling     = 530
	tagReferences      = 532
	tagProfile         = 34675 // ICC.1:2022, B.5
	tagDNGVersion      = 50706
)

// A source reads anywhere in a file.
type source struct {
	r     io.ReadSeeker
	order binary.ByteOrder
	left  int64 // bytes that strips and tiles may still have
}

// ReadAt is for io.SectionReader, of strips and tiles.
func (s *source) ReadAt(b []byte, at int64) (int, error) {
	if s.left < 0 {
		return 0, errOverlap
	}
	if _, err := s.r.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s.r, b)
	s.left -= int64(n)
	return n, err
}

// allow sets what strips and tiles may have: all of the file, and for each pixel
// a few bytes more, since those that are alike may share a place, and all of them
// read JPEG's tables. Millions that share a large place would take hours.
func (s *source) allow(pixels int64) error {
	size, err := s.r.Seek(0, io.SeekEnd)
	s.left = size + 4*pixels + 64<<20
	return err
}

const errOverlap = UnsupportedError("strips or tiles that share too much")

// read reads n bytes, which do not allocate more than the file has.
func (s *source) read(at, n int64) ([]byte, error) {
	if _, err := s.r.Seek(at, io.SeekStart); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(s.r, n))
	if err == nil && int64(len(b)) < n {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// An entry is a tag's type, the number of its values, and they or their place.
type entry struct {
	kind  uint16
	count uint32
	value [4]byte
}

// A directory holds the tags of a picture.
type directory struct {
	*source
	entries map[uint16]entry
	next    int64 // where the next picture's is, 0 for none
}

// newSource reads the header; first is where the first directory is.
func newSource(r io.ReadSeeker) (s *source, first int64, err error) {
	s = &source{r: r, order: binary.LittleEndian}
	head, err := s.read(0, 8)
	if err != nil {
		return nil, 0, err
	}
	switch string(head[:4]) {
	case "MM\x00\x2a":
		s.order = binary.BigEndian
	case "II\x2a\x00":
	default:
		return nil, 0, FormatError("no signature")
	}
	return s, int64(s.order.Uint32(head[4:])), nil
}

// directory reads the directory there. With an error it may return the tags
// before the end of the file.
func (s *source) directory(at int64) (*directory, error) {
	n, err := s.read(at, 2)
	if err != nil {
		return nil, err
	}
	b, err := s.read(at+2, 12*int64(s.order.Uint16(n)))
	d := &directory{source: s, entries: map[uint16]entry{}}
	if next, e := s.read(at+2+int64(len(b)), 4); err == nil && e == nil { // files without a list may end here
		d.next = int64(s.order.Uint32(next))
	}
	for ; len(b) >= 12; b = b[12:] {
		tag := s.order.Uint16(b)
		if _, ok := d.entries[tag]; !ok { // the first counts
			d.entries[tag] = entry{s.order.Uint16(b[2:]), s.order.Uint32(b[4:]), [4]byte(b[8:12])}
		}
	}
	return d, err
}

// main returns the directory, or if it is a thumbnail's the first one after it
// that is not.
func (d *directory) main() (*directory, error) {
	const most = 16 // directories that are looked at
	for at, n := d, 0; n < most && at.thumbnail() && at.next != 0; n++ {
		next, err := d.directory(at.next)
		if err != nil || !next.thumbnail() {
			return next, err
		}
		at = next
	}
	return d, nil
}

// thumbnail reports whether the picture is a smaller one of another in the file.
func (d *directory) thumbnail() bool {
	v, err := d.values(tagSubfileType, 1)
	return err == nil && len(v) == 1 && v[0]&1 != 0
}

func (d *directory) has(tag uint16) bool {
	_, ok := d.entries[tag]
	return ok
}

// bytes returns the first most values of a tag, of size bytes each.
func (d *directory) bytes(e entry, size int, most int64) ([]byte, error) {
	n := int64(size) * min(int64(e.count), most)
	if int64(size)*int64(e.count) <= 4 {
		return e.value[:n], nil
	}
	return d.read(int64(d.order.Uint32(e.value[:])), n)
}

// values returns the first most integers of a tag, none for one that is not
// there.
func (d *directory) values(tag uint16, most int64) ([]int64, error) {
	e, ok := d.entries[tag]
	if !ok {
		return nil, nil
	}
	size := 0
	switch e.kind {
	case 1, 7: // byte, undefined
		size = 1
	case 3: // short
		size = 2
	case 4, 13: // long, directory
		size = 4
	default:
		return nil, FormatError("tag that is not an integer")
	}
	b, err := d.bytes(e, size, most)
	if err != nil {
		return nil, err
	}
	v := make([]int64, len(b)/size)
	for i := range v {
		switch size {
		case 1:
			v[i] = int64(b[i])
		case 2:
			v[i] = int64(d.order.Uint16(b[2*i:]))
		case 4:
			v[i] = int64(d.order.Uint32(b[4*i:]))
		}
	}
	return v, nil
}

// expect refuses rationals other than these, by name. A tag that is not there stands
// for them.
func (d *directory) expect(tag uint16, other string, want ...float64) error {
	const near = 0.001
	e, ok := d.entries[tag]
	if !ok {
		return nil
	}
	if e.kind != 5 || int(e.count) != len(want) {
		return FormatError("tag without its rationals")
	}
	b, err := d.bytes(e, 8, int64(len(want)))
	if err != nil {
		return err
	}
	for i, w := range want {
		n, of := float64(d.order.Uint32(b[8*i:])), float64(d.order.Uint32(b[8*i+4:]))
		if math.Abs(n-w*of) > near*of || of == 0 {
			return UnsupportedError(other)
		}
	}
	return nil
}

// An integers reads tags with one value and keeps the first error.
type integers struct {
	*directory
	err error
}

// single returns a tag's only value, or the one for a tag that is not there.
func (n *integers) single(tag uint16, missing int64) int64 {
	if count := n.entries[tag].count; count > 1 && n.err == nil {
		n.err = FormatError(fmt.Sprintf("tag %d has %d values, not 1", tag, count))
	}
	return n.value(tag, missing)
}

// value returns a tag's first value, or the one for a tag that is not there.
func (n *integers) value(tag uint16, missing int64) int64 {
	v, err := n.values(tag, 1)
	if err != nil && n.err == nil {
		n.err = err
	}
	if len(v) == 0 {
		return missing
	}
	return v[0]
}
