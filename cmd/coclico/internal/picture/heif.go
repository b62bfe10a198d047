package picture

import (
	"bytes"
	"image"
	"io"

	"github.com/coclico/coclico/cmd/coclico/internal/icc"
	"github.com/coclico/coclico/cmd/coclico/internal/picture/heif"
)

// heifFormat returns the format of name, HEIC or AVIF, which a list of brands at
// the start of the file tells.
func heifFormat(name string) format {
	known := func(head []byte) bool {
		got, ok := heif.Known(head)
		return ok && got == name
	}
	return format{name: name, known: known, config: heifConfig, decode: decodeHEIF}
}

func heifConfig(r io.Reader) (image.Config, error) {
	h, err := heif.ReadHeader(r)
	if err != nil {
		return image.Config{}, err
	}
	return h.Config(), nil
}

func decodeHEIF(r io.Reader) (image.Image, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	h, err := heif.ReadHeader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return heif.Decode(data, h)
}

// heifMemory returns the bytes that decodeHEIF takes.
func heifMemory(r io.ReadSeeker) (int64, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	h, err := heif.ReadHeader(r)
	if err != nil {
		return 0, err
	}
	size, err := r.Seek(0, io.SeekEnd)
	return 2*size + h.Memory(size), err // io.ReadAll grows by copying
}

// readHEIF reads the color profile, or else the code points. EXIF's orientation
// does not count: the container has its own, and the decoder applies it.
func (m *metadata) readHEIF(r io.Reader) {
	const unspecified = 2
	h, err := heif.ReadHeader(r)
	switch {
	case err != nil:
	case h.ICC != nil:
		m.setICC(h.ICC)
	case h.CICP == nil || h.CICP.Primaries == unspecified || h.CICP.Transfer == unspecified:
	case h.CICP.Primaries > 0xff || h.CICP.Transfer > 0xff:
		m.faulty = icc.FormatError("bad code points")
	default:
		m.profile, m.faulty = icc.CICP(byte(h.CICP.Primaries), byte(h.CICP.Transfer))
	}
}
