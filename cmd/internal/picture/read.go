package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"

	"github.com/coclico/coclico/cmd/internal/picture/jpeg"
	"github.com/coclico/coclico/cmd/internal/picture/tiff"
)

// Limits of what is read.
const (
	MaxPixels = 1 << 28 // 16,384 x 16,384 pixels, or any other shape of that area
	MaxMemory = 1 << 30 // bytes that reading takes, compared in whole MiB: 4 a pixel of most pictures, 8 with 16 bits a channel
)

// A SizeError reports a picture of more than MaxPixels, or one that takes more
// than MaxMemory. It is a string.
type SizeError string

func (e SizeError) Error() string { return string(e) }

// A File is a picture file whose header has been read.
type File struct {
	// Width and Height are the picture's in the file, before it is turned
	// upright.
	Width, Height int
	// Memory is the bytes that Image takes at its peak, at most about MaxMemory.
	Memory int64
	// Warnings is what is wrong with the file although it can be read, a phrase
	// each. It is complete once Image has returned.
	Warnings []string

	r      *source
	format *format
	meta   metadata
}

// EncodeMemory is the bytes that encoding the picture takes: those of Image, and
// the codec's copy of the pixels, 3 bytes each.
func (f *File) EncodeMemory() int64 { return f.Memory + 3*int64(f.Width)*int64(f.Height) }

// Open finds the format of a file and reads its header. Errors do not name the
// file. An error of r other than its end is returned as it is, by Image too.
func Open(r io.ReadSeeker) (*File, error) {
	s := &source{ReadSeeker: r}
	f, err := open(s)
	if err := s.cause(err); err != nil {
		return nil, err
	}
	return f, nil
}

func open(r *source) (*File, error) {
	format, err := sniff(r)
	if err != nil {
		return nil, err
	}
	var cfg image.Config
	err = guard(format, func() (err error) {
		cfg, err = format.config(r)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case cfg.Width < 1 || cfg.Height < 1:
		return nil, fmt.Errorf("%s without pixels (%d x %d)", format.picture(), cfg.Width, cfg.Height)
	case cfg.Width > MaxPixels/cfg.Height:
		return nil, SizeError(fmt.Sprintf("a picture of %d x %d pixels: at most %d pixels are read, scale it down first", cfg.Width, cfg.Height, MaxPixels))
	}
	f := &File{Width: cfg.Width, Height: cfg.Height, r: r, format: format}
	if err := guard(format, func() error { f.meta = readMetadata(r, format.name); return nil }); err != nil {
		return nil, err
	}
	if f.meta.faulty != nil {
		f.warnColors(f.meta.faulty)
	}
	if err := f.measure(cfg); err != nil {
		return nil, err
	}
	if f.Memory>>20 > MaxMemory>>20 {
		return nil, SizeError(fmt.Sprintf("a picture of %d x %d pixels that takes %d MiB to read: at most %d are used, scale it down first",
			cfg.Width, cfg.Height, f.Memory>>20, MaxMemory>>20))
	}
	return f, nil
}

// measure sets the memory that reading the picture takes.
func (f *File) measure(cfg image.Config) error {
	each := bytesPerPixel(cfg.ColorModel)
	w, h := int64(cfg.Width), int64(cfg.Height)
	rows := int64(0)
	switch f.format.name {
	case "JPEG":
		return f.measureJPEG(cfg.ColorModel)
	case "PNG":
		rows = 2 * each * w // this one and the one before
		if cfg.ColorModel == color.GrayModel || cfg.ColorModel == color.Gray16Model {
			each *= 4 // if one gray is clear, which the header does not say
		}
		if interlaced(f.r) {
			each *= 2 // the passes, up to half the picture each
		}
	case "GIF":
		each = 1 + 4 // the frame, and the screen
	case "WebP":
		if cfg.ColorModel == color.YCbCrModel && !extended(f.r) {
			each *= 2 // and what is not yet decoded
		} else {
			each = 4 + 4 + 1 // a lossless frame, the screen, what predicts
		}
	case "BMP":
		rows = 4 * w // of the file
	case "TIFF":
		err := guard(f.format, func() (err error) {
			f.Memory, err = tiff.Memory(f.r)
			return err
		})
		f.Memory += converting(cfg.ColorModel, f.meta.profile) * w * h
		return err
	case "HEIC", "AVIF":
		err := guard(f.format, func() (err error) {
			f.Memory, err = heifMemory(f.r)
			return err
		})
		// The decoder's memory is free when the colors are converted.
		f.Memory = max(f.Memory, (each+converting(cfg.ColorModel, f.meta.profile))*w*h)
		return err
	}
	f.Memory = (each+converting(cfg.ColorModel, f.meta.profile))*w*h + rows
	return nil
}

// measureJPEG sets the memory of a JPEG. Decoding leaves its picture alone, and
// turning and converting it make copies.
func (f *File) measureJPEG(m color.Model) error {
	var peak, picture int64
	err := guard(f.format, func() (err error) {
		if _, err := f.r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		peak, picture, err = jpeg.Memory(f.r)
		return err
	})
	copies := converting(m, f.meta.profile) * int64(f.Width) * int64(f.Height)
	if m == color.YCbCrModel && f.meta.orientation != 1 { // others are turned as they are read
		copies += picture
	}
	f.Memory = max(peak, picture+copies)
	return err
}

// bytesPerPixel is what a decoder that has announced this model allocates at most.
func bytesPerPixel(m color.Model) int64 {
	if _, ok := m.(color.Palette); ok {
		return 1
	}
	switch m {
	case color.GrayModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.YCbCrModel:
		return 3
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	return 4
}

// warnColors adds a warning that the colors are read as if the file said nothing
// about them.
func (f *File) warnColors(err error) {
	f.Warnings = append(f.Warnings, "its colors may be off: "+err.Error())
}

// Image decodes the picture, upright and in sRGB.
func (f *File) Image() (image.Image, error) {
	if _, err := f.r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var img image.Image
	var fault warning
	err := guard(f.format, func() (err error) {
		if img, err = f.format.decode(f.r); img != nil && errors.As(err, &fault) {
			return nil
		}
		return err
	})
	switch {
	case f.r.err != nil:
		return nil, f.r.err
	case err != nil:
		return nil, err
	case img.Bounds().Empty():
		return nil, fmt.Errorf("%s without pixels", f.format.picture())
	}
	if fault != "" {
		f.Warnings = append(f.Warnings, string(fault))
	}
	img = upright(img, f.meta.orientation)
	if f.meta.profile != nil {
		if img, err = toSRGB(img, f.meta.profile); err != nil {
			f.warnColors(err)
		}
	}
	return img, nil
}

// A warning is the error of a decoder that returns a picture nevertheless. The
// phrase follows the file's name.
type warning string

func (w warning) Error() string { return string(w) }

// guard runs a decoder. Decoders return errors; one that panics on a bad file
// nevertheless must not take with it the program, which works on a list.
func guard(f *format, decode func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("not a valid %s picture", f.name)
		}
	}()
	err = decode()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF),
		strings.HasSuffix(err.Error(), "short Huffman data"),    // image/jpeg's end of file
		strings.HasSuffix(err.Error(), "not enough pixel data"), // image/png's
		strings.HasSuffix(err.Error(), "not enough image data"), // image/gif's
		strings.HasSuffix(err.Error(), "unexpected EOF"):
		return fmt.Errorf("%s that is cut short", f.picture())
	}
	reason := err.Error()
	for _, prefix := range []string{"png: ", "jpeg: ", "invalid JPEG format: ", "gif: ", "webp: ", "vp8: ", "vp8l: ", "riff: ", "tiff: ", "bmp: ", "heif: ", "invalid format: "} {
		reason = strings.TrimPrefix(reason, prefix)
	}
	if why, ok := strings.CutPrefix(reason, "unavailable: "); ok {
		return fmt.Errorf("%s that %s", f.picture(), why)
	}
	for _, prefix := range []string{"unsupported feature: ", "unsupported JPEG feature: "} {
		what, ok := strings.CutPrefix(reason, prefix)
		switch {
		case !ok:
		case strings.Contains(what, "; "): // with advice of its own
			return fmt.Errorf("%s of a kind that is not read: %s", f.picture(), what)
		default:
			return fmt.Errorf("%s of a kind that is not read: %s; %s", f.picture(), what, ordinary)
		}
	}
	return fmt.Errorf("not a valid %s picture: %s", f.name, reason)
}
