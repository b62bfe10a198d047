package picture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"github.com/coclico/coclico/cmd/internal/icc"
	"github.com/coclico/coclico/cmd/internal/picture/bmp"
	"github.com/coclico/coclico/cmd/internal/picture/jpeg"
	"github.com/coclico/coclico/cmd/internal/picture/tiff"
)

// metadata is what a file says about its picture besides the pixels. Of a broken
// file it holds as much as can be read: the decoder reports what is wrong, and the
// source a read that failed.
type metadata struct {
	orientation int // as EXIF has it, see orientation.go

	profile *icc.Profile // what the values stand for, nil for sRGB
	faulty  error        // why there is no profile although the file holds one
}

// Limits of the metadata that is read.
const (
	maxProfile = 4 << 20 // bytes; the largest profiles of printers are half as long
	maxEXIF    = 1 << 20 // bytes; the orientation is among the first few hundred
	maxChunks  = 10_000  // chunks other than pixels; an honest file has a dozen
	maxParts   = 1 << 17 // chunks of pixels: a GiB in the parts of 8 KiB that libpng writes
)

// readMetadata reads a file of the format of that name.
func readMetadata(r io.ReadSeeker, format string) metadata {
	m := metadata{orientation: 1}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return m
	}
	switch format {
	case "JPEG":
		m.readJPEG(r)
	case "PNG":
		m.readPNG(r)
	case "GIF":
		m.readGIF(r)
	case "WebP":
		m.readWebP(r)
	case "BMP":
		m.readBMP(r)
	case "TIFF":
		m.readTIFF(r)
	case "HEIC", "AVIF":
		m.readHEIF(r)
	}
	if m.profile != nil && m.profile.SRGB() {
		m.profile = nil
	}
	return m
}

// setICC takes the data of an ICC profile.
func (m *metadata) setICC(data []byte) { m.profile, m.faulty = icc.Parse(data) }

// setEXIF takes EXIF data, which some programs begin with JPEG's signature in
// other files too.
func (m *metadata) setEXIF(data []byte) {
	m.orientation, _, _ = tiff.Metadata(bytes.NewReader(bytes.TrimPrefix(data, []byte(exifSegment))))
}

// Signatures of JPEG segments: CIPA DC-008, 4.7.2; ICC.1:2022, B.4.
const (
	exifSegment = "Exif\x00\x00"
	iccSegment  = "ICC_PROFILE\x00"
)

// readJPEG reads the segments before the first scan. Of several EXIF segments the
// first counts. A profile that is longer than a segment is in several, which are
// numbered.
func (m *metadata) readJPEG(r io.Reader) {
	var exif bool
	var parts iccParts
	defer func() {
		if data, err := parts.join(); err != nil {
			m.faulty = err
		} else if data != nil {
			m.setICC(data)
		}
	}()
	b := bufio.NewReader(r)
	if _, err := b.Discard(2); err != nil { // start of image
		return
	}
	for {
		marker, n, err := jpeg.NextSegment(b)
		switch {
		case err != nil, marker == 0xd9, marker == 0xda: // end of image, start of scan
			return
		case marker == 0xe1, marker == 0xe2: // APP1, APP2
			segment := make([]byte, n)
			if _, err := io.ReadFull(b, segment); err != nil {
				return
			}
			if marker == 0xe1 && !exif && bytes.HasPrefix(segment, []byte(exifSegment)) {
				exif = true
				m.setEXIF(segment)
			}
			if part, ok := bytes.CutPrefix(segment, []byte(iccSegment)); ok && marker == 0xe2 {
				parts.add(part)
			}
			continue
		}
		if _, err := b.Discard(n); err != nil {
			return
		}
	}
}

// iccParts collects the parts of a JPEG's profile. The first byte of a part is its
// number, starting at 1, and the second the number of parts.
type iccParts struct {
	list   [256][]byte
	count  byte
	size   int // of all
	broken bool
}

func (p *iccParts) add(part []byte) {
	switch {
	case len(part) < 2, part[0] == 0, part[0] > part[1], p.list[part[0]] != nil, p.count != 0 && p.count != part[1]:
		p.broken = true
	case p.size > maxProfile: // join reports it
	default:
		p.count, p.list[part[0]] = part[1], part[2:]
		p.size += len(part)
	}
}

// join returns nil if there are no parts.
func (p *iccParts) join() ([]byte, error) {
	if p.broken {
		return nil, icc.FormatError("parts that do not fit together")
	}
	if p.size > maxProfile {
		return nil, icc.FormatError("too long")
	}
	var data []byte
	for _, part := range p.list[1 : 1+int(p.count)] {
		if part == nil {
			return nil, icc.FormatError("part missing")
		}
		data = append(data, part...)
	}
	return data, nil
}

// readWebP reads the first chunks ICCP and EXIF (WebP Container Specification:
// the first ones count).
func (m *metadata) readWebP(r io.ReadSeeker) {
	var head [8]byte
	var profile, exif bool
	at := int64(12)
	for range maxParts {
		if readAt(r, at, head[:]) != nil {
			return
		}
		n := int64(binary.LittleEndian.Uint32(head[4:]))
		switch name := string(head[:4]); {
		case name == "ICCP" && !profile:
			profile = true
			if data, err := readPart(r, n, maxProfile); err != nil {
				m.faulty = err
			} else {
				m.setICC(data)
			}
		case name == "EXIF" && !exif:
			exif = true
			if data, err := readPart(r, min(n, maxEXIF), maxEXIF); err == nil {
				m.setEXIF(data)
			}
		}
		at += 8 + n + n%2
	}
}

// readPart reads n bytes of a file, at most limit.
func readPart(r io.Reader, n, limit int64) ([]byte, error) {
	if n > limit {
		return nil, icc.FormatError("too long")
	}
	data, err := io.ReadAll(io.LimitReader(r, n)) // a header that lies does not allocate
	if err == nil && int64(len(data)) < n {
		err = icc.FormatError("too short")
	}
	return data, err
}

// readTIFF reads the tags of the picture.
func (m *metadata) readTIFF(r io.ReadSeeker) {
	var at, n int64
	m.orientation, at, n = tiff.Metadata(r)
	m.readICC(r, at, n)
}

// readBMP reads the profile of a header of version 5.
func (m *metadata) readBMP(r io.ReadSeeker) {
	at, n, linked := bmp.Profile(r)
	if linked {
		m.faulty = icc.UnsupportedError("in a file of its own")
	}
	m.readICC(r, at, n)
}

// readICC reads a profile of n bytes at a place, unless it has none.
func (m *metadata) readICC(r io.ReadSeeker, at, n int64) {
	if n == 0 {
		return
	}
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return
	}
	if data, err := readPart(r, n, maxProfile); err != nil {
		m.faulty = err
	} else {
		m.setICC(data)
	}
}

// readAt reads bytes of a file at a place.
func readAt(r io.ReadSeeker, at int64, b []byte) error {
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return err
	}
	_, err := io.ReadFull(r, b)
	return err
}
