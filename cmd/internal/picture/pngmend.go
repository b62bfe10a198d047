package picture

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash"
	"hash/adler32"
	"hash/crc32"
	"io"
)

// pngFault is the fault of a PNG that libpng reads with at most a warning.
const pngFault = "it breaks rules of PNG, though all of its pixels are there"

// errMend is that of a PNG that cannot be mended. Nobody sees it: the error of
// image/png stands.
var errMend = errors.New("no pixels")

// mendPNG returns a PNG of the same picture, without what image/png refuses and
// libpng passes over: chunks that the colors do not need, whose checksums may be
// wrong; a palette where there are none, or its end beyond the values of a pixel;
// transparency where it cannot be; data behind the last pixel; no checksum of the
// pixels, no end. Nothing is held but a few kilobytes.
func mendPNG(r io.ReadSeeker) (io.Reader, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var header, palette, transparency []byte
	pixels := &pixelData{r: r}
	err := allChunks(r, func(name string, body io.Reader, n uint32) (more bool, err error) {
		switch name {
		case "IDAT":
			pixels.start(n)
			return false, nil
		case "IHDR":
			header, err = readChunk(name, body, n)
			return true, err
		case "PLTE":
			palette, err = readChunk(name, body, n)
			return true, err
		case "tRNS":
			if data, err := readChunk(name, body, n); err == nil {
				transparency = data
			}
		}
		return true, nil
	})
	if err != nil || len(header) != 13 || !pixels.started {
		return nil, errors.Join(err, errMend)
	}
	const gray, rgb, indexed = 0, 2, 3
	kind := header[9]
	b := appendChunk([]byte(pngSignature), "IHDR", header)
	if kind == indexed {
		palette = palette[:min(len(palette), 3<<min(header[8], 8))]
		b = appendChunk(b, "PLTE", palette)
	}
	if n := len(transparency); kind == gray && n == 2 || kind == rgb && n == 6 || kind == indexed && 0 < n && n <= len(palette)/3 {
		b = appendChunk(b, "tRNS", transparency)
	}
	return io.MultiReader(bytes.NewReader(b), repack(pixels, pixelBytes(header)), bytes.NewReader([]byte(pngEnd))), nil
}

// readChunk reads the data of a chunk that is no longer than a palette, and its
// checksum.
func readChunk(name string, body io.Reader, n uint32) ([]byte, error) {
	const most = 3 * 256
	data := make([]byte, min(n, most)+4)
	if _, err := io.ReadFull(body, data); err != nil || n > most || !intact(name, data) {
		return nil, errMend
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

// repack returns chunks with the first n bytes that pixels are compressed from, no
// longer compressed.
func repack(pixels io.Reader, n int64) io.Reader {
	r := bufio.NewReader(pixels)
	_, _ = r.Discard(2) // zlib's head: what follows is Deflate's or an error
	sum := adler32.New()
	return &packer{source: r, rows: io.TeeReader(flate.NewReader(r), sum), of: sum, left: n, extra: n, packed: adler32.New()}
}

// A packer makes IDAT chunks of blocks that are not compressed (RFC 1951, 3.2.4).
type packer struct {
	source *bufio.Reader
	rows   io.Reader   // from source
	of     hash.Hash32 // of rows
	left   int64       // of them to pack
	extra  int64       // that may follow: more than the picture's own takes too long
	packed hash.Hash32 // of those that are
	data   [1 << 15]byte
	block  []byte
	chunk  []byte
	out    bytes.Reader // of chunk
	begun  bool
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
	_, _ = p.packed.Write(data)
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
	p.block = p.packed.Sum(p.block)
	return p.check()
}

// check reads what follows the pixels. A file may end before their checksum, but a
// wrong one, or a chunk's, means that they are damaged.
func (p *packer) check() error {
	n, err := io.Copy(io.Discard, io.LimitReader(p.rows, p.extra+1))
	if n > p.extra {
		return errMend
	}
	if err == nil { // Deflate's end
		var sum [4]byte
		if _, err := io.ReadFull(p.source, sum[:]); err == nil && binary.BigEndian.Uint32(sum[:]) != p.of.Sum32() {
			return errMend
		}
	}
	if _, err := io.Copy(io.Discard, p.source); err == errMend {
		return errMend
	}
	return nil
}
