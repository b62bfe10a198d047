package picture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"io"

	"github.com/HugoSmits86/nativewebp"
	"golang.org/x/image/webp"
)

func webpFormat() format {
	return format{name: "WebP", magic: "RIFF????WEBPVP8", config: once(webp.DecodeConfig), decode: decodeWebP}
}

// decodeWebP decodes a picture, of an animation its first frame.
func decodeWebP(r io.ReadSeeker) (image.Image, error) {
	head := make([]byte, webpHeader+18)
	if readAt(r, 0, head) != nil || string(head[webpHeader:webpHeader+4]) != "VP8X" {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		return decodeStill(r)
	}
	if head[webpHeader+8]&webpAnimation == 0 {
		// Like libwebp, and unlike x/image, believe the chunks and not the flag.
		head[webpHeader+8] &^= webpAlpha
		if hasAlpha(r) {
			head[webpHeader+8] |= webpAlpha
		}
		if _, err := r.Seek(int64(len(head)), io.SeekStart); err != nil {
			return nil, err
		}
		return decodeStill(io.MultiReader(bytes.NewReader(head), r))
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	b := bufio.NewReader(r)
	screen := image.Rect(0, 0, 1+uint24(head[webpHeader+12:]), 1+uint24(head[webpHeader+15:]))
	if _, err := b.Discard(webpHeader); err != nil {
		return nil, err
	}
	for {
		name, n, err := webpChunk(b)
		switch {
		case err != nil:
			return nil, io.ErrUnexpectedEOF
		case name == "ANMF":
			return decodeFrame(io.LimitReader(b, n), screen)
		}
		if _, err := io.CopyN(io.Discard, b, n+n%2); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
	}
}

// WebP's container (WebP Container Specification).
const (
	webpHeader    = 12 // bytes: RIFF, the size of what follows, WEBP
	webpAnimation = 1 << 1
	webpXMP       = 1 << 2
	webpAlpha     = 1 << 4
)

// extended reports whether the pixels stand in a container that says what they
// are, truly or not: an animation's frame may be lossless in any.
func extended(r io.ReadSeeker) bool {
	var name [4]byte
	return readAt(r, webpHeader, name[:]) == nil && string(name[:]) == "VP8X"
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// webpChunk reads the head of a chunk; of its data follow n bytes and, if n is
// odd, another one.
func webpChunk(r io.Reader) (name string, n int64, err error) {
	var head [8]byte
	_, err = io.ReadFull(r, head[:])
	return string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:])), err
}

// appendWebPChunk appends a chunk.
func appendWebPChunk(b []byte, name string, data []byte) []byte {
	b = binary.LittleEndian.AppendUint32(append(b, name...), uint32(len(data)))
	b = append(b, data...)
	return append(b, make([]byte, len(data)%2)...)
}

// webpFrom returns a file with these chunks, of a picture of that size.
func webpFrom(flags byte, size image.Point, chunks []byte) []byte {
	w, h := size.X-1, size.Y-1
	b := appendWebPChunk([]byte("RIFF????WEBP"), "VP8X", []byte{flags, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)})
	b = append(b, chunks...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// hasAlpha reports whether transparency is next among the chunks that have pixels,
// from where r is.
func hasAlpha(r io.ReadSeeker) bool {
	for range maxChunks {
		name, n, err := webpChunk(r)
		if err != nil || name == "VP8 " || name == "VP8L" {
			return false
		}
		if name == "ALPH" {
			return true
		}
		if _, err := r.Seek(n+n%2, io.SeekCurrent); err != nil {
			return false
		}
	}
	return false
}

// decodeFrame decodes a frame of an animation, an ANMF chunk, as a file of its
// own. What it leaves free on the screen is clear.
func decodeFrame(r io.Reader, screen image.Rectangle) (image.Image, error) {
	// More than any coding of so many pixels takes.
	data, err := io.ReadAll(io.LimitReader(r, 1<<16+8*int64(screen.Dx())*int64(screen.Dy())))
	if err != nil {
		return nil, err
	}
	const header = 16
	if len(data) < header+8 {
		return nil, io.ErrUnexpectedEOF
	}
	at := image.Pt(2*uint24(data), 2*uint24(data[3:]))
	size := image.Pt(1+uint24(data[6:]), 1+uint24(data[9:]))
	if !(image.Rectangle{Min: at, Max: at.Add(size)}).In(screen) {
		return nil, errors.New("webp: frame outside the picture")
	}
	var flags byte
	if string(data[header:header+4]) == "ALPH" {
		flags = webpAlpha
	}
	frame, err := decodeStill(bytes.NewReader(webpFrom(flags, size, data[header:])))
	if err != nil || size == screen.Size() {
		return frame, err
	}
	img := image.NewNRGBA(screen)
	draw.Draw(img, image.Rectangle{Min: at, Max: at.Add(size)}, frame, frame.Bounds().Min, draw.Src)
	return img, nil
}

// decodeStill stretches what x/image decodes. VP8 has luma from 16 to 235 and
// chroma from 16 to 240 (RFC 6386, section 9.2), while Go's YCbCr, JPEG's, has 0
// to 255; x/image v0.47 returns the one as the other, and black is gray.
func decodeStill(r io.Reader) (image.Image, error) {
	img, err := webp.Decode(r)
	if err != nil {
		return nil, err
	}
	switch img := img.(type) {
	case *image.YCbCr:
		stretch(img)
	case *image.NYCbCrA:
		stretch(&img.YCbCr)
	}
	return img, nil
}

func stretch(img *image.YCbCr) {
	var luma, chroma [256]uint8
	for i := range 256 {
		luma[i] = uint8(min(max(((i-16)*255+109)/219, 0), 255))
		chroma[i] = uint8(min(max((i*255-128*255+128*224+112)/224, 0), 255))
	}
	for i, v := range img.Y {
		img.Y[i] = luma[v]
	}
	for _, plane := range [][]uint8{img.Cb, img.Cr} {
		for i, v := range plane {
			plane[i] = chroma[v]
		}
	}
}

// maxWebP is the format's largest side.
const maxWebP = 1 << 14

// encodeWebP writes a lossless WebP, with its notes in XMP behind the pixels.
func encodeWebP(w io.Writer, img image.Image, notes []Note) error {
	size := img.Bounds().Size()
	if size.X > maxWebP || size.Y > maxWebP {
		return fmt.Errorf("a WebP picture has at most %d x %d pixels", maxWebP, maxWebP)
	}
	var b bytes.Buffer
	if err := nativewebp.Encode(&b, img, nil); err != nil {
		return err
	}
	data := b.Bytes()
	if len(notes) > 0 {
		chunks := data[webpHeader:]
		flags := byte(webpXMP)
		if chunks[8+4]&webpAlpha != 0 { // VP8L's header: a signature, 14 bits for each side, one for alpha
			flags |= webpAlpha
		}
		data = webpFrom(flags, size, appendWebPChunk(chunks, "XMP ", []byte(xmpWithNotes(notes))))
	}
	_, err := w.Write(data)
	return err
}

// readWebPXMP returns the XMP of a WebP that ends where it says, and "" for none.
func readWebPXMP(r io.ReadSeeker) string {
	end, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	var head [webpHeader]byte
	if readAt(r, 0, head[:]) != nil || !matches("RIFF????WEBP", head[:]) || int64(binary.LittleEndian.Uint32(head[4:])) != end-8 {
		return ""
	}
	at := int64(webpHeader) // where r is
	for range maxChunks {
		name, n, err := webpChunk(r)
		if err != nil {
			return ""
		}
		if name == "XMP " {
			data, err := readPart(r, n, maxNote)
			if err != nil {
				return ""
			}
			return string(data)
		}
		at += 8 + n + n%2
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			return ""
		}
	}
	return ""
}
