package picture

import (
	"bytes"
	"image"
	"io"

	"github.com/coclico/coclico/cmd/internal/icc"
	"github.com/coclico/coclico/cmd/internal/picture/heif"
)

// heifFormat returns the format of name, HEIC or AVIF, which a list of brands at
// the start of the file tells.
func heifFormat(name string) format {
	known := func(head []byte) bool {
		got, ok := heif.Known(head)
		return ok && got == name
	}
	return format{name: name, known: known, config: once(heifConfig), decode: once(decodeHEIF)}
}

func heifConfig(r io.Reader) (image.Config, error) {
	h, err := heif.ReadHeader(r)
	if err == nil {
		err = heif.Available()
	}
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
// does not count: the container has its own, and the decoder applies it. The
// transfer characteristics of television, which video encoders write by default,
// count as those of sRGB: players and browsers show its values as they are.
func (m *metadata) readHEIF(r io.Reader) {
	h, err := heif.ReadHeader(r)
	switch {
	case err != nil:
	case h.ICC != nil:
		m.setICC(h.ICC)
	case h.CICP == nil:
	case h.CICP.Primaries > 0xff || h.CICP.Transfer > 0xff:
		m.faulty = icc.FormatError("bad code points")
	default:
		transfer := byte(h.CICP.Transfer)
		switch transfer {
		case 1, 6, 14, 15: // BT.709, BT.601, BT.2020 in 10 and 12 bits
			transfer = icc.TransferSRGB
		}
		m.profile, m.faulty = icc.CICP(byte(h.CICP.Primaries), transfer)
	}
}
