package picture

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash"
	"hash/adler32"
	"hash/crc32"
	"io"
)

// pngFault is the fault of a PNG that libpng reads with at most a warning.
const pngFault = "it breaks rules of PNG, though all of its pixels are there"

// errMend reports a PNG that mendPNG cannot repair; callers return image/png's error
// instead.
var errMend = errors.New("a PNG that cannot be mended")

// mendPNG returns a PNG of the same picture, without what image/png refuses and
// libpng passes over: chunks that the colors do not need, whose checksums may be
// wrong; a palette where there are none, or its end beyond the values of a pixel;
// transparency where it cannot be; data behind the last pixel; no checksum of the
// pixels, no end. It holds some 200 KiB, whatever the picture's size.
func mendPNG(r io.ReadSeeker) (io.Reader, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var head pngHead
	pixels := &pixelData{r: r}
	err := allChunks(r, func(name string, body io.Reader, n uint32) (more bool, err error) {
		if name == "IDAT" {
			pixels.start(n)
			return false, nil
		}
		return true, head.add(name, body, n)
	})
	if err != nil || head.header == nil || !pixels.started {
		return nil, errors.Join(err, errMend)
	}
	rows, err := repack(pixels, pixelBytes(head.header))
	if err != nil {
		return nil, errors.Join(err, errMend)
	}
	return io.MultiReader(bytes.NewReader(head.chunks()), rows, bytes.NewReader([]byte(pngEnd))), nil
}

// A pngHead is what a PNG says of its pixels before them.
type pngHead struct {
	header, palette, transparency []byte

	hasPalette bool // of any kind of picture
}

const pngIndexed = 3 // a kind of picture

// add takes a chunk, and passes over those that the pixels do not need.
func (h *pngHead) add(name string, body io.Reader, n uint32) (err error) {
	if (name == "IHDR") != (h.header == nil) { // it is the first, once
		return errMend
	}
	switch name {
	case "IHDR":
		if h.header, err = readChunk(name, body, n, 13); err == nil && n < 13 {
			err = errMend
		}
	case "PLTE":
		if h.hasPalette {
			return errMend
		}
		h.hasPalette = true
		if h.header[9] != pngIndexed {
			return nil
		}
		const most = 3 * 256
		h.palette, err = readChunk(name, body, n, most)
		h.palette = h.palette[:min(len(h.palette), 3<<min(h.header[8], 8))]
	case "tRNS":
		if h.transparency == nil && h.takes(n) {
			h.transparency, _ = readChunk(name, body, n, int64(n)) // none if it is damaged
		}
	}
	return err
}

// takes reports whether n bytes can be the transparency of the picture.
func (h *pngHead) takes(n uint32) bool {
	const gray, rgb = 0, 2
	switch h.header[9] {
	case gray:
		return n == 2
	case rgb:
		return n == 6
	case pngIndexed:
		return 0 < n && int64(n) <= int64(len(h.palette)/3)
	}
	return false
}

// chunks returns the start of a file.
func (h *pngHead) chunks() []byte {
	b := appendChunk([]byte(pngSignature), "IHDR", h.header)
	if h.header[9] == pngIndexed {
		b = appendChunk(b, "PLTE", h.palette)
	}
	if h.transparency != nil {
		b = appendChunk(b, "tRNS", h.transparency)
	}
	return b
}

// errChecksum reports a damaged chunk.
var errChecksum = errors.New("wrong checksum")

// readChunk reads the data of a chunk of at most so many bytes, and its checksum.
func readChunk(name string, body io.Reader, n uint32, most int64) ([]byte, error) {
	data, err := readPart(body, int64(n)+4, most+4)
	if err != nil {
		return nil, err
	}
	if !intact(name, data) {
		return nil, errChecksum
	}
	return data[:n], nil
}

// intact reports whether the checksum at the end of a chunk's data is right.
func intact(name string, data []byte) bool {
	n := len(data) - 4
	return binary.BigEndian.Uint32(data[n:]) == crc32.Update(crc32.ChecksumIEEE([]byte(name)), crc32.IEEETable, data[:n])
}

// pixelBytes is how many bytes the rows of a picture have, those of Adam7's passes
// if it is interlaced, each with its kind of filter before it.
func pixelBytes(header []byte) (total int64) {
	w, h := int64(binary.BigEndian.Uint32(header)), int64(binary.BigEndian.Uint32(header[4:]))
	channels := [...]int64{1, 0, 3, 1, 2, 0, 4}[min(header[9], 6)]
	passes := [][4]int64{{0, 0, 1, 1}} // first column, first row, steps
	if header[12] != 0 {
		passes = [][4]int64{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	for _, p := range passes {
		columns, rows := (w-p[0]+p[2]-1)/p[2], (h-p[1]+p[3]-1)/p[3]
		if columns > 0 && rows > 0 {
			total += rows * (1 + (columns*channels*int64(header[8])+7)/8)
		}
	}
	return total
}

// A pixelData is what the IDAT chunks of a PNG hold. A chunk with a wrong checksum
// is an error; a file that ends is not, here.
type pixelData struct {
	r       io.Reader
	left    uint32 // of a chunk
	sum     uint32
	started bool
	err     error // of the end
}

// start begins a chunk of n bytes.
func (d *pixelData) start(n uint32) {
	d.left, d.sum, d.started = n, crc32.ChecksumIEEE([]byte("IDAT")), true
}

func (d *pixelData) Read(p []byte) (int, error) {
	for d.left == 0 {
		if d.err == nil {
			d.err = d.next()
		}
		if d.err != nil {
			return 0, d.err
		}
	}
	n, err := d.r.Read(p[:min(int64(len(p)), int64(d.left))])
	d.sum = crc32.Update(d.sum, crc32.IEEETable, p[:n])
	d.left -= uint32(n)
	return n, err
}

// next ends a chunk and begins the one behind it.
func (d *pixelData) next() error {
	var b [4 + 8]byte // a checksum, a length and a name
	n, err := io.ReadFull(d.r, b[:])
	switch {
	case n < 4:
		return err
	case binary.BigEndian.Uint32(b[:]) != d.sum:
		return errMend
	case err != nil || string(b[8:]) != "IDAT":
		return io.EOF
	}
	d.start(binary.BigEndian.Uint32(b[4:]))
	return nil
}

// repack returns IDAT chunks that hold the first n uncompressed bytes of pixels.
func repack(pixels io.Reader, n int64) (io.Reader, error) {
	r := bufio.NewReader(pixels)
	rows, err := zlib.NewReader(r)
	if err != nil {
		return nil, err
	}
	return &packer{source: r, rows: rows, left: n, maxExtra: n, sum: adler32.New()}, nil
}

// A packer makes IDAT chunks of blocks that are not compressed (RFC 1951, 3.2.4).
type packer struct {
	source   io.Reader // of compressed rows
	rows     io.Reader
	left     int64       // of them to pack
	maxExtra int64       // bytes that may follow; reading more could take too long
	sum      hash.Hash32 // of those that are packed
	data     [1 << 15]byte
	block    []byte
	chunk    []byte
	out      bytes.Reader // of chunk
	begun    bool
}

func (p *packer) Read(b []byte) (int, error) {
	if p.out.Len() == 0 {
		if p.left == 0 {
			return 0, io.EOF
		}
		if err := p.pack(); err != nil {
			return 0, err
		}
		p.chunk = appendChunk(p.chunk[:0], "IDAT", p.block)
		p.out.Reset(p.chunk)
	}
	return p.out.Read(b)
}

// pack makes the next block, the last one with zlib's checksum.
func (p *packer) pack() error {
	data := p.data[:min(p.left, int64(len(p.data)))]
	if _, err := io.ReadFull(p.rows, data); err != nil {
		return io.ErrUnexpectedEOF
	}
	_, _ = p.sum.Write(data)
	p.left -= int64(len(data))
	p.block = p.block[:0]
	if !p.begun {
		p.block, p.begun = append(p.block, 0x78, 0x01), true
	}
	last, order := byte(0), binary.LittleEndian
	if p.left == 0 {
		last = 1
	}
	n := uint16(len(data))
	p.block = order.AppendUint16(order.AppendUint16(append(p.block, last), n), ^n)
	p.block = append(p.block, data...)
	if p.left > 0 {
		return nil
	}
	p.block = p.sum.Sum(p.block)
	return p.check()
}

// check reads what follows the pixels. A file may end before their checksum, but a
// wrong one, or a chunk's, means that they are damaged.
func (p *packer) check() error {
	n, err := io.Copy(io.Discard, io.LimitReader(p.rows, p.maxExtra+1))
	if n > p.maxExtra || err == zlib.ErrChecksum {
		return errMend
	}
	if _, err := io.Copy(io.Discard, p.source); err == errMend {
		return errMend
	}
	return nil
}
