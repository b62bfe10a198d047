package icc

import (
	"encoding/binary"
	"math"
)

// A FormatError reports that a profile is broken.
type FormatError string

func (e FormatError) Error() string { return "invalid color profile: " + string(e) }

// An UnsupportedError reports that a profile is of a kind that is not converted.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "unsupported color profile: " + string(e) }

// A Profile maps the values of a picture to the colors that they stand for.
type Profile struct {
	gray   bool
	curves [3]Curve // to linear light; those of gray are all the same
	matrix matrix   // linear light to the XYZ of D50
}

// Gray reports whether p describes pictures of a single channel.
func (p *Profile) Gray() bool { return p.gray }

// The layout of a profile (ICC.1:2022, sections 7.2 and 7.3): a header, the number
// of tags, and the signature, the offset and the size of each.
const (
	headerSize = 128
	entrySize  = 12
	maxTags    = 100 // the limit of Little CMS; real profiles have a few dozen
)

// Parse reads an ICC profile of version 2 or 4. The Profile refers to data, which
// must not be changed while it is in use.
func Parse(data []byte) (*Profile, error) {
	if len(data) < headerSize+4 {
		return nil, FormatError("too short")
	}
	if string(data[36:40]) != "acsp" {
		return nil, FormatError("no signature")
	}
	if data[8] > 4 {
		return nil, UnsupportedError("version 5 or later")
	}
	switch string(data[12:16]) {
	case "link", "abst", "nmcl":
		return nil, UnsupportedError("not of a device or a color space")
	}
	tags, err := parseTags(data)
	if err != nil {
		return nil, err
	}
	pcs := string(data[20:24])
	if pcs != "XYZ " && pcs != "Lab " {
		return nil, FormatError("unknown connection space")
	}
	switch space := string(data[16:20]); space {
	case "GRAY":
		return parseGray(tags, pcs == "Lab ")
	case "RGB ":
		return parseRGB(tags)
	case "CMYK":
		return nil, UnsupportedError("CMYK")
	}
	return nil, UnsupportedError("neither RGB nor gray")
}

// parseTags returns the data of each tag. Tags may share data. A tag outside of the
// profile is left out: most have nothing to do with the colors.
func parseTags(data []byte) (map[string][]byte, error) {
	n := binary.BigEndian.Uint32(data[headerSize:])
	table := data[headerSize+4:]
	if n > maxTags || int(n)*entrySize > len(table) {
		return nil, FormatError("tag table too long")
	}
	tags := make(map[string][]byte)
	for ; n > 0; n-- {
		name := string(table[:4])
		offset, size := binary.BigEndian.Uint32(table[4:]), binary.BigEndian.Uint32(table[8:])
		if uint64(offset)+uint64(size) <= uint64(len(data)) {
			tags[name] = data[offset:][:size]
		}
		table = table[entrySize:]
	}
	return tags, nil
}

// parseGray reads the curve to luminance, or to the lightness of Lab.
func parseGray(tags map[string][]byte, lab bool) (*Profile, error) {
	if tags["kTRC"] == nil {
		return nil, unsupportedOr(tags, FormatError("no gray curve"))
	}
	curve, err := parseCurve(tags["kTRC"])
	if err != nil {
		return nil, err
	}
	if lab {
		curve = lightness(curve)
	}
	return &Profile{gray: true, curves: [3]Curve{curve, curve, curve}, matrix: srgbToXYZ}, nil
}

// parseRGB reads three curves and three colorants. Lookup tables beside them are
// ignored: the curves and colorants approximate them.
func parseRGB(tags map[string][]byte) (*Profile, error) {
	p := new(Profile)
	for i, c := range []string{"r", "g", "b"} {
		if tags[c+"TRC"] == nil || tags[c+"XYZ"] == nil {
			return nil, unsupportedOr(tags, FormatError("no curves or colorants"))
		}
		var err error
		if p.curves[i], err = parseCurve(tags[c+"TRC"]); err != nil {
			return nil, err
		}
		xyz, err := parseXYZ(tags[c+"XYZ"])
		if err != nil {
			return nil, err
		}
		for j := range xyz {
			p.matrix[j][i] = xyz[j]
		}
	}
	if math.Abs(p.matrix.det()) < minDet {
		return nil, FormatError("colorants in a plane")
	}
	return p, nil
}

// unsupportedOr returns err for a profile without colors, and an UnsupportedError
// for one with a lookup table.
func unsupportedOr(tags map[string][]byte, err error) error {
	for _, lut := range []string{"A2B0", "A2B1", "A2B2", "D2B0", "D2B1", "D2B2", "D2B3"} {
		if tags[lut] != nil {
			return UnsupportedError("lookup table")
		}
	}
	return err
}

// parseXYZ reads XYZType, section 10.31.
func parseXYZ(b []byte) (xyz [3]float64, err error) {
	if len(b) < 20 || string(b[:4]) != "XYZ " {
		return xyz, FormatError("bad colorant")
	}
	for i := range xyz {
		xyz[i] = fixed(b[8+4*i:])
	}
	return xyz, nil
}

// fixed reads s15Fixed16Number.
func fixed(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / (1 << 16) }
