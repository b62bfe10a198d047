package picture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"

	"github.com/coclico/coclico/cmd/internal/picture/jpeg"
)

const (
	pngSignature = "\x89PNG\r\n\x1a\n"
	pngStart     = 8 + 12 + 13 // bytes up to the end of the first chunk, IHDR

	// streamChunk holds the stream that the picture was decoded from, exactly the
	// bytes of its file. The letters of the name (PNG Specification, 5.4) make it
	// ancillary, c; private, c; reserved, L; and unsafe to copy, C: a program that
	// changes the pixels and does not know the chunk drops it, since it no longer
	// describes them.
	streamChunk = "ccLC"

	maxStream = 1 << 20 // bytes; no stream is as long
)

// pngConfig reads the header. Apple's variant for the programs of its phones has
// another chunk before it, and pixels that are not a PNG's.
func pngConfig(r io.ReadSeeker) (image.Config, error) {
	b := bufio.NewReader(r)
	if head, err := b.Peek(16); err == nil && string(head[12:]) == "CgBI" {
		return image.Config{}, errors.New("unsupported feature: Apple's CgBI; convert it with pngcrush -revert-iphone-optimizations")
	}
	cfg, err := png.DecodeConfig(b)
	if err == nil {
		return cfg, nil
	}
	if mended, e := mendPNG(r); e == nil {
		if cfg, e := png.DecodeConfig(mended); e == nil {
			return cfg, nil
		}
	}
	return image.Config{}, err
}

// pngEnd is a file's last chunk, IEND.
const pngEnd = "\x00\x00\x00\x00IEND\xae\x42\x60\x82"

// decodePNG decodes a picture, also one with faults that its pixels survive.
func decodePNG(r io.ReadSeeker) (image.Image, error) {
	img, err := png.Decode(r)
	if err == nil {
		return img, nil
	}
	fault := warning(pngFault)
	if err == io.ErrUnexpectedEOF {
		fault = jpeg.NoEnd
	}
	if mended, e := mendPNG(r); e == nil {
		if img, e := png.Decode(mended); e == nil {
			return img, fault
		}
	}
	return nil, err
}

// A Note is a text chunk of a PNG: a keyword of 1 to 79 Latin letters and a text.
type Note struct{ Key, Text string }

// encodePNG writes a PNG with its notes, and its stream unless that is nil, behind
// the header.
func encodePNG(w io.Writer, img image.Image, notes []Note, stream []byte) error {
	var extra []byte
	for _, n := range notes {
		// iTXt: keyword, no compression, no language, no translation, text in UTF-8.
		extra = appendChunk(extra, "iTXt", append([]byte(n.Key+"\x00\x00\x00\x00\x00"), n.Text...))
	}
	if len(notes) > 0 {
		extra = appendChunk(extra, "iTXt", []byte(xmpKey+"\x00\x00\x00\x00\x00"+xmpPacket))
	}
	if stream != nil {
		extra = appendChunk(extra, streamChunk, stream)
	}
	return png.Encode(&inserter{w: w, at: pngStart, extra: extra}, img)
}

func appendChunk(b []byte, name string, data []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	start := len(b)
	b = append(append(b, name...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
}

// An inserter writes extra behind the first at bytes that are written to it.
type inserter struct {
	w     io.Writer
	at    int // bytes to go; -1 once extra is written
	extra []byte
}

func (i *inserter) Write(p []byte) (int, error) {
	if i.at < 0 {
		return i.w.Write(p)
	}
	n := min(i.at, len(p))
	if _, err := i.w.Write(p[:n]); err != nil {
		return 0, err
	}
	if i.at -= n; i.at > 0 {
		return n, nil
	}
	i.at = -1
	if _, err := i.w.Write(i.extra); err != nil {
		return n, err
	}
	m, err := i.w.Write(p[n:])
	return n + m, err
}

// interlaced reports whether a PNG is interlaced, which the last byte of its header
// says.
func interlaced(r io.ReadSeeker) bool {
	var b [1]byte
	if _, err := r.Seek(8+8+12, io.SeekStart); err != nil {
		return false
	}
	_, err := io.ReadFull(r, b[:])
	return err == nil && b[0] != 0
}

// Stream returns the stream that a PNG file holds, written with [Options.Stream].
// It returns nil for a file without one, of whatever kind. It leaves r at its
// start.
func Stream(r io.ReadSeeker) ([]byte, error) {
	s := &source{ReadSeeker: r}
	stream, err := readStream(s)
	if err := s.cause(err); err != nil {
		return nil, err
	}
	_, err = r.Seek(0, io.SeekStart)
	return stream, err
}

func readStream(r io.ReadSeeker) (stream []byte, err error) {
	err = chunks(r, func(name string, body io.Reader, n uint32) (more bool, err error) {
		if name != streamChunk {
			return true, nil
		}
		if n == 0 || n > maxStream {
			return false, fmt.Errorf("not a valid PNG picture: %s chunk of %d bytes", streamChunk, n)
		}
		data := make([]byte, n+4)
		if _, err := io.ReadFull(body, data); err != nil {
			return false, errors.New("a PNG picture that is cut short")
		}
		if !intact(name, data) {
			return false, fmt.Errorf("not a valid PNG picture: invalid checksum of its %s chunk", streamChunk)
		}
		stream = data[:n]
		return false, nil
	})
	return stream, err
}

// readNotes returns the text chunks before a PNG's pixels, where encodePNG writes
// them.
func readNotes(r io.ReadSeeker) []Note {
	var notes []Note
	err := chunks(r, func(name string, body io.Reader, n uint32) (bool, error) {
		if name != "iTXt" || n > maxNote {
			return true, nil
		}
		data := make([]byte, n)
		if _, err := io.ReadFull(body, data); err != nil {
			return false, err
		}
		if key, text, ok := bytes.Cut(data, []byte{0, 0, 0, 0, 0}); ok && string(key) != xmpKey {
			notes = append(notes, Note{string(key), string(text)})
		}
		return true, nil
	})
	if err != nil {
		return nil
	}
	return notes
}

const maxNote = 1 << 16

// chunks visits a PNG's chunks before the pixels while visit wants more; visit may
// read the body of n bytes and its checksum. A file that is not a PNG has none.
func chunks(r io.ReadSeeker, visit func(name string, body io.Reader, n uint32) (bool, error)) error {
	return allChunks(r, func(name string, body io.Reader, n uint32) (bool, error) {
		if name == "IDAT" {
			return false, nil
		}
		return visit(name, body, n)
	})
}

// allChunks is chunks for those of the pixels too, and those behind them.
func allChunks(r io.ReadSeeker, visit func(name string, body io.Reader, n uint32) (bool, error)) error {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:]) != pngSignature {
		return nil
	}
	at := int64(8)
	for parts, others := 0, 0; parts < maxParts && others < maxChunks; {
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil // the decoder reports it
		}
		n, name := binary.BigEndian.Uint32(head[:]), string(head[4:])
		if name == "IEND" || n > 1<<31-1 {
			return nil
		}
		if name == "IDAT" {
			parts++
		} else {
			others++
		}
		if more, err := visit(name, r, n); !more || err != nil {
			return err
		}
		at += 12 + int64(n)
	}
	return nil
}
