package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"

	"github.com/coclico/coclico/cmd/internal/icc"
)

// pngColors are the chunks of a PNG that say what its values stand for (PNG
// Specification, third edition, 11.3.2). Each is nil if the file has none.
type pngColors struct {
	cicp, iccp, srgb, gamma, primaries []byte
}

// readPNG reads the chunks for colors, which come before the pixels, and the one
// for EXIF, which may come after them. Damaged chunks do not count.
func (m *metadata) readPNG(r io.ReadSeeker) {
	var c pngColors
	var pixels, exif bool
	_ = allChunks(r, func(name string, body io.Reader, n uint32) (bool, error) {
		var field *[]byte
		switch name {
		case "cICP":
			field = &c.cicp
		case "iCCP":
			field = &c.iccp
		case "sRGB":
			field = &c.srgb
		case "gAMA":
			field = &c.gamma
		case "cHRM":
			field = &c.primaries
		case "IDAT":
			pixels = true
		case "eXIf":
			if exif {
				break
			}
			if data, err := readChunk(name, body, n, maxProfile); err == nil {
				m.setEXIF(data)
				exif = true
			}
		}
		if field == nil || *field != nil || pixels {
			return true, nil
		}
		data, err := readChunk(name, body, n, maxProfile)
		switch err {
		case nil:
			*field = data
		case errChecksum: // libpng passes over it, too
		default:
			*field = []byte{} // too long for a valid one, too
		}
		return true, nil
	})
	m.profile, m.faulty = c.profile()
}

// profile returns the profile of the chunk that takes precedence, nil for sRGB. A
// cICP chunk that cannot be converted gives way to an ICC profile.
func (c pngColors) profile() (*icc.Profile, error) {
	var err error
	if c.cicp != nil {
		var p *icc.Profile
		if p, err = parseCICP(c.cicp); err == nil {
			return p, nil
		}
	}
	switch {
	case c.iccp != nil:
		data, err := inflateProfile(c.iccp)
		if err != nil {
			return nil, err
		}
		return icc.Parse(data)
	case c.srgb != nil || err != nil:
		return nil, err
	}
	return parseGamma(c.gamma, c.primaries)
}

// parseCICP reads four bytes: the primaries, the transfer characteristics, the
// matrix, which must be that of RGB, and whether values have the full range.
func parseCICP(b []byte) (*icc.Profile, error) {
	switch {
	case len(b) != 4 || b[2] != 0:
		return nil, icc.FormatError("bad code points")
	case b[3] != 1:
		return nil, icc.UnsupportedError("values of narrow range")
	}
	return icc.CICP(b[0], b[1])
}

// inflateProfile returns the profile behind its name and the method of its
// compression.
func inflateProfile(b []byte) ([]byte, error) {
	_, compressed, ok := bytes.Cut(b, []byte{0, 0})
	if !ok {
		return nil, icc.FormatError("bad compression")
	}
	z, err := zlib.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, icc.FormatError("bad compression")
	}
	data, err := io.ReadAll(io.LimitReader(z, maxProfile+1))
	switch {
	case err != nil:
		return nil, icc.FormatError("bad compression")
	case len(data) > maxProfile:
		return nil, icc.FormatError("too long")
	}
	return data, nil
}

// parseGamma reads an exponent, and the chromaticities of white, red, green and
// blue, all in hundred thousandths. What is missing is that of sRGB. The exponent
// 1/2.2 beside the primaries of sRGB stands for sRGB's curve: programs that mean
// sRGB write the two, and libpng reads them so.
func parseGamma(gamma, chromaticities []byte) (*icc.Profile, error) {
	const unit, near = 100_000, 100
	srgb := [8]int64{31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000}
	primaries, same := icc.BT709, true
	if len(chromaticities) == 4*len(srgb) {
		var v [8]float64
		for i := range v {
			n := int64(binary.BigEndian.Uint32(chromaticities[4*i:]))
			same = same && max(n-srgb[i], srgb[i]-n) <= near
			v[i] = float64(n) / unit
		}
		primaries = icc.Primaries{White: icc.XY{X: v[0], Y: v[1]}, Red: icc.XY{X: v[2], Y: v[3]}, Green: icc.XY{X: v[4], Y: v[5]}, Blue: icc.XY{X: v[6], Y: v[7]}}
	}
	curve, usual := icc.Curve(icc.SRGB), true
	if len(gamma) == 4 {
		// libpng ignores other exponents as nonsense too.
		if g := binary.BigEndian.Uint32(gamma); g >= 16 && g <= 625_000_000 {
			curve = icc.Gamma(unit / float64(g))
			usual = g >= 45_000 && g <= 46_000
		}
	}
	if same && usual {
		return nil, nil
	}
	return icc.New(primaries, curve)
}
