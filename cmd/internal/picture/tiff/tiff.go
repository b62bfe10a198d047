// Package tiff decodes the first picture of a TIFF file: gray, palette, RGB,
// YCbCr and CMYK of up to 16 bits a sample, in strips or tiles, its planes
// together or apart, not compressed or with PackBits, LZW, Deflate, fax or JPEG.
//
// golang.org/x/image/tiff lacks CMYK, JPEG, planes apart and samples without a
// meaning, and calls a fax's black white by another rule than libtiff. Its LZW and
// fax decoders are used here.
package tiff

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"slices"

	"github.com/coclico/coclico/cmd/internal/picture/jpeg"
)

// A FormatError reports that the input is not a valid TIFF.
type FormatError string

func (e FormatError) Error() string { return "tiff: " + string(e) }

// An UnsupportedError reports a valid feature that is not read.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "tiff: unsupported feature: " + string(e) }

// Photometric interpretations.
const (
	whiteIsZero = 0
	blackIsZero = 1
	rgb         = 2
	paletted    = 3
	cmyk        = 5
	ycbcr       = 6
	colorFilter = 32803 // a sensor's samples
	linearRaw   = 34892
)

// Compressions.
const (
	none        = 1
	faxGroup3   = 3
	faxGroup4   = 4
	lzwCodes    = 5
	jpegData    = 7
	deflate     = 8
	deflateOld  = 32946
	packBits    = 32773
	predictNone = 1
	predictLeft = 2
)

// Extra samples.
const (
	premultiplied = 1
	straight      = 2
)

// A decoder is the description of a picture.
type decoder struct {
	*directory
	width, height int
	bits, samples int
	photometric   int64
	compression   int64
	predictor     int64
	reversed      bool // the first pixel of a byte is in its lowest bit
	apart         bool // planes
	filled        bool // a fax's rows, up to whole bytes
	alpha         int64
	palette       color.Palette
	tables        []byte // of JPEG data, read once
	budget        *jpeg.Budget

	blockWidth, blockHeight int
	tiled                   bool

	scratch scratch
}

// DecodeConfig returns the dimensions and the color model.
func DecodeConfig(r io.ReadSeeker) (image.Config, error) {
	d, err := newDecoder(r)
	if err != nil {
		return image.Config{}, err
	}
	return image.Config{ColorModel: d.newCanvas(image.Rectangle{}).img.ColorModel(), Width: d.width, Height: d.height}, nil
}

// Metadata returns what a file, or EXIF data, which is a TIFF file without pixels,
// says of its picture beside them: the orientation, 1 for none or a bad one, and
// the place and length of its color profile, 0 for none.
func Metadata(r io.ReadSeeker) (orientation int, profile, length int64) {
	s, first, err := newSource(r)
	if err != nil {
		return 1, 0, 0
	}
	d, _ := s.directory(first) // the tags that there are
	if d == nil {
		return 1, 0, 0
	}
	if main, err := d.main(); err == nil {
		d = main
	}
	orientation = 1
	if v, err := d.values(tagOrientation, 1); err == nil && len(v) == 1 && 1 <= v[0] && v[0] <= 8 {
		orientation = int(v[0])
	}
	if e := d.entries[tagProfile]; e.count > 4 { // else it has no place
		profile, length = int64(d.order.Uint32(e.value[:])), int64(e.count)
	}
	return orientation, profile, length
}

// Memory returns the bytes that Decode takes at its peak.
func Memory(r io.ReadSeeker) (int64, error) {
	d, err := newDecoder(r)
	if err != nil {
		return 0, err
	}
	c := d.newCanvas(image.Rectangle{})
	w, h := int64(d.width), int64(d.height)
	block := int64(d.blockWidth) * int64(d.blockHeight)
	total := int64(c.channels*c.bytes)*w*h + 16*d.blocks()
	row := (2 + 2 + 2) * int64(d.samples) * int64(d.blockWidth) // as bytes, as samples, and what a fax has of it
	if d.compression == jpegData {
		// Planes, their ink or colors, and the data, with its tables before it.
		return total + row + 8*block + 8*int64(d.samples)*block + 2<<16, nil
	}
	return total + row + 64<<10, nil // what the decompressors hold
}

func newDecoder(r io.ReadSeeker) (*decoder, error) {
	s, first, err := newSource(r)
	if err != nil {
		return nil, err
	}
	dir, err := s.directory(first)
	if err != nil {
		return nil, err
	}
	if err := refuseRaw(dir); err != nil {
		return nil, err
	}
	if dir, err = dir.main(); err != nil {
		return nil, err
	}
	n := &integers{directory: dir}
	w, h := n.value(tagWidth, 0), n.value(tagHeight, 0)
	d := &decoder{
		directory:   dir,
		bits:        int(n.value(tagBits, 1)),
		samples:     int(n.value(tagSamples, 1)),
		photometric: n.value(tagPhotometric, -1),
		compression: max(n.single(tagCompression, none), none), // 0 in files that mean 1
		reversed:    n.value(tagFillOrder, 1) == 2,
		apart:       n.value(tagPlanar, 1) == 2,
		alpha:       n.value(tagExtraSamples, 0),
		budget:      jpeg.NewBudget(),
	}
	switch {
	case n.err != nil:
		return nil, n.err
	case w < 1 || h < 1:
		return nil, FormatError("no pixels")
	case w > 1<<30 || h > 1<<30:
		return nil, FormatError("invalid size")
	}
	d.width, d.height = int(w), int(h)
	if err := d.checkSamples(); err != nil {
		return nil, err
	}
	if err := d.checkCompression(); err != nil {
		return nil, err
	}
	return d, d.setBlocks()
}

// refuseRaw refuses a camera's raw file, whose first picture is a thumbnail or
// what the sensor saw through its color filters.
func refuseRaw(d *directory) error {
	const raw = UnsupportedError("a camera's raw file; export a JPEG, TIFF or PNG with a program that develops raw files first")
	n := &integers{directory: d}
	head, err := d.read(8, 4)
	if err == nil && (string(head[:2]) == "CR" || string(head) == "IIII" || string(head) == "MMMM") { // Canon's, Phase One's
		return raw
	}
	isRaw := func(photometric int64) bool { return photometric == colorFilter || photometric == linearRaw }
	if d.has(tagDNGVersion) || isRaw(n.value(tagPhotometric, 0)) {
		return raw
	}
	const most = 8
	subs, err := d.values(tagSubIFDs, most)
	if err != nil {
		return err
	}
	for _, at := range subs {
		if sub, err := d.directory(at); err == nil && isRaw((&integers{directory: sub}).value(tagPhotometric, 0)) {
			return raw
		}
	}
	if n.value(tagSubfileType, 0)&1 != 0 && len(subs) > 0 {
		if d.has(tagMake) {
			return raw
		}
		return UnsupportedError("its first picture is a thumbnail; save the large one as a TIFF of its own")
	}
	return n.err
}

// checkSamples checks what a pixel is made of.
func (d *decoder) checkSamples() error {
	formats, err := d.values(tagSampleFormat, 16)
	if err != nil {
		return err
	}
	for _, f := range formats {
		switch f {
		case 1, 4: // unsigned, not defined
		case 2:
			return UnsupportedError("signed samples")
		case 3:
			return UnsupportedError("floating-point samples")
		default:
			return UnsupportedError("sample format")
		}
	}
	bits, err := d.values(tagBits, 16)
	if err != nil {
		return err
	}
	for _, b := range bits {
		if b != int64(d.bits) {
			return UnsupportedError("samples of several sizes")
		}
	}
	switch d.bits {
	case 1, 2, 4, 8, 16:
	case 0:
		return FormatError("samples without bits")
	default:
		return UnsupportedError(fmt.Sprintf("%d bits a sample", d.bits))
	}
	if d.samples < 1 || d.samples > 64 {
		return FormatError("invalid number of samples")
	}
	n := &integers{directory: d.directory}
	switch d.photometric {
	case whiteIsZero, blackIsZero:
	case rgb:
		if d.samples == 4 && !d.has(tagExtraSamples) { // ImageMagick and Pillow have it so
			d.alpha = straight
		}
		return d.need(3)
	case paletted:
		return d.readPalette()
	case cmyk:
		if n.value(tagInkSet, 1) != 1 {
			return UnsupportedError("inks other than CMYK")
		}
		return d.need(4)
	case ycbcr:
		if d.apart {
			return UnsupportedError("YCbCr in planes apart")
		}
		if d.compression != jpegData {
			return d.checkPlainYCbCr()
		}
		return d.need(3)
	case 4:
		return UnsupportedError("a mask")
	case 8, 9, 10:
		return UnsupportedError("Lab colors")
	case 32844, 32845:
		return UnsupportedError("LogLuv colors")
	case -1:
		return FormatError("missing photometric interpretation")
	default:
		return UnsupportedError("color model")
	}
	return n.err
}

// checkPlainYCbCr refuses luma and chroma that are not a pixel's three samples, or
// not those of JPEG.
func (d *decoder) checkPlainYCbCr() error {
	steps, err := d.values(tagSubsampling, 2)
	switch {
	case err != nil:
		return err
	case !slices.Equal(steps, []int64{1, 1}): // nothing stands for 2, 2
		return UnsupportedError("subsampled YCbCr that is not JPEG")
	case d.bits != 8:
		return UnsupportedError(fmt.Sprintf("YCbCr of %d bits", d.bits))
	}
	if err := d.expect(tagCoefficients, "YCbCr of other coefficients than BT.601's", 0.299, 0.587, 0.114); err != nil {
		return err
	}
	if err := d.expect(tagReferences, "YCbCr of other range than 0 to 255", 0, 255, 128, 255, 128, 255); err != nil {
		return err
	}
	return d.need(3)
}

// need checks that there are so many samples beside alpha.
func (d *decoder) need(n int) error {
	if d.samples < n {
		return FormatError("too few samples for its colors")
	}
	return nil
}

// readPalette reads the palette, whose columns stand one after the other.
func (d *decoder) readPalette() error {
	if d.bits > 8 {
		return UnsupportedError(fmt.Sprintf("palette of %d bits", d.bits))
	}
	if d.samples > 1 {
		return UnsupportedError("palette with extra samples")
	}
	n := 1 << d.bits
	v, err := d.values(tagColorMap, int64(3*n))
	if err != nil {
		return err
	}
	if len(v) < 3*n {
		return FormatError("invalid palette")
	}
	d.palette = make(color.Palette, n)
	for i := range d.palette {
		d.palette[i] = color.RGBA64{uint16(v[i]), uint16(v[n+i]), uint16(v[2*n+i]), 0xffff}
	}
	return nil
}

// checkCompression refuses what is not decompressed.
func (d *decoder) checkCompression() error {
	n := &integers{directory: d.directory}
	switch d.compression {
	case none, packBits: // no differences, whatever a tag says: so libtiff has it
	case lzwCodes, deflate, deflateOld:
		switch d.predictor = n.value(tagPredictor, predictNone); {
		case d.predictor == predictLeft && d.bits < 8:
			return UnsupportedError("differences of few bits")
		case d.predictor != predictNone && d.predictor != predictLeft:
			return UnsupportedError("floating-point differences")
		}
	case faxGroup3, faxGroup4:
		if d.bits != 1 || d.samples != 1 {
			return FormatError("fax that is not black and white")
		}
		if d.compression == faxGroup3 {
			const fillBits = 4
			options := n.value(tagT4Options, 0)
			switch {
			case options&1 != 0:
				return UnsupportedError("two-dimensional Group 3 fax")
			case options&^fillBits != 0: // some rows not compressed
				return UnsupportedError("variant of Group 3 fax")
			}
			d.filled = options == fillBits
		}
	case jpegData:
		if d.bits != 8 {
			return UnsupportedError(fmt.Sprintf("JPEG of %d bits", d.bits))
		}
	case 2:
		return UnsupportedError("Huffman run lengths")
	case 6:
		return UnsupportedError("old-style JPEG compression")
	case 34712:
		return UnsupportedError("JPEG 2000 compression")
	case 34925:
		return UnsupportedError("LZMA compression")
	case 50000:
		return UnsupportedError("Zstandard compression")
	case 50001:
		return UnsupportedError("WebP compression")
	default:
		return UnsupportedError(fmt.Sprintf("compression %d", d.compression))
	}
	return n.err
}

// Bounds of the strips or tiles of a picture. Each costs something, however small
// it is.
const (
	maxBlocks = 1 << 20 // a microsecond each: what 2^28 pixels have in tiles of 16 x 16, the smallest (section 15)
	maxMade   = 1 << 17 // with a decoder of its own each: 20 microseconds, and 25 kB of garbage
)

// setBlocks sets the size of strips or tiles.
func (d *decoder) setBlocks() error {
	n := &integers{directory: d.directory}
	d.blockWidth, d.blockHeight = d.width, int(min(n.single(tagRowsPerStrip, int64(d.height)), int64(d.height)))
	if d.tiled = d.has(tagTileWidth); d.tiled {
		// A tile may reach beyond the picture, in an honest file by less than
		// the usual tile's size.
		const over = 1024
		w, h := n.single(tagTileWidth, 0), n.single(tagTileLength, 0)
		if w < 8 || h < 8 || w > int64(d.width)+over || h > int64(d.height)+over {
			return FormatError("invalid size of tiles")
		}
		d.blockWidth, d.blockHeight = int(w), int(h)
	}
	if n.err == nil && d.blockHeight < 1 {
		return FormatError("strips without rows")
	}
	most := int64(maxBlocks)
	if d.compression == lzwCodes || d.compression == jpegData {
		most = maxMade
	}
	if n.err == nil && d.blocks() > most {
		return UnsupportedError(fmt.Sprintf("more than %d strips or tiles", most))
	}
	return n.err
}

// blocks returns the number of strips or tiles.
func (d *decoder) blocks() int64 {
	n := int64(ceil(d.width, d.blockWidth)) * int64(ceil(d.height, d.blockHeight))
	if d.apart {
		n *= int64(d.samples)
	}
	return n
}

func ceil(a, b int) int { return (a + b - 1) / b }
