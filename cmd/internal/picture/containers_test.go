package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
)

// bmpWith returns a BMP of version 5 with a profile behind its pixels.
func bmpWith(t *testing.T, img image.Image, space string, profile []byte) []byte {
	data := encode(t, func(w io.Writer) error { return bmp.Encode(w, img) })
	const info, v5 = 40, 124
	order := binary.LittleEndian
	head := append(data[:14+info:14+info], make([]byte, v5-info)...)
	data = slices.Concat(head, data[14+info:], profile)
	order.PutUint32(data[10:], 14+v5)
	order.PutUint32(data[14:], v5)
	copy(data[70:], space)
	order.PutUint32(data[126:], uint32(len(data)-len(profile)-14))
	order.PutUint32(data[130:], uint32(len(profile)))
	return data
}

// gifWith returns a GIF of an extension without a name, and one with a profile.
func gifWith(t *testing.T, img image.Image, profile []byte) []byte {
	data := encode(t, func(w io.Writer) error {
		first := image.NewPaletted(img.Bounds(), color.Palette{img.At(0, 0), color.Black})
		return gif.EncodeAll(w, &gif.GIF{Image: []*image.Paletted{first}, Delay: []int{0}, Config: image.Config{ColorModel: first.Palette, Width: 16, Height: 16}})
	})
	more := []byte("\x21\xfe\x02hi\x00\x21\xff\x0bICCRGBG1012")
	for part := range slices.Chunk(profile, 255) {
		more = append(append(more, byte(len(part))), part...)
	}
	at := 13 + 3*2 // behind the screen and its palette
	return slices.Concat(data[:at], more, []byte{0}, data[at:])
}

// TestContainers finds profiles in every kind of file.
func TestContainers(t *testing.T) {
	c := goldenColor(t, "v2-p3-1024-samples", 5, 3, 2)
	if len(c.profile)%2 == 0 {
		c.profile = append(c.profile, 0) // an odd length is the harder one of WebP
	}
	gray := goldenGray(t, "gray-v2-gamma", 77)
	img := flat("RGBA", c.in)
	pngFile := encode(t, func(w io.Writer) error { return png.Encode(w, img) })
	jpegFile := encode(t, func(w io.Writer) error { return jpeg.Encode(w, img, &jpeg.Options{Quality: 100}) })
	grayFile := encode(t, func(w io.Writer) error { return jpeg.Encode(w, flat("Gray", gray.in), &jpeg.Options{Quality: 100}) })
	webp := color.NRGBAModel.Convert(must(read([]byte(webpFile))).At(0, 0)).(color.NRGBA)
	falling := goldenColor(t, "v2-falling-curve", 0, 0, 0)
	falling.want.A = webp.A
	for name, f := range map[string]struct {
		data []byte
		want color.NRGBA
	}{
		"PNG":             {withChunk(pngFile, "iCCP", iccp(c.profile)), c.want},
		"JPEG":            {withProfile(jpegFile, c.profile, 60_000), c.want},
		"JPEG, parts":     {withProfile(jpegFile, c.profile, 100), c.want},
		"JPEG, gray":      {withProfile(grayFile, gray.profile, 60_000), gray.want},
		"TIFF":            {tiffWith(t, img, 34675, 7, uint32(len(c.profile)), c.profile), c.want},
		"BMP":             {bmpWith(t, img, "DEBM", c.profile), c.want},
		"GIF":             {gifWith(t, flat("NRGBA", c.in), c.profile), c.want},
		"WebP, no change": {webpWith("ICCP", "EXIF", readICC(t, "v2-srgb-1024-samples.icc"), nil), webp},
		"WebP":            {webpWith("ICCP", "EXIF", append(falling.profile, 0), nil), falling.want},
	} {
		file, err := Open(bytes.NewReader(f.data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		img, err := file.Image()
		if err != nil || len(file.Warnings) > 0 {
			t.Errorf("%s: %v, warnings %q", name, err, file.Warnings)
			continue
		}
		tolerance := 1
		if strings.HasPrefix(name, "JPEG") {
			tolerance = 3
		}
		if got := color.NRGBAModel.Convert(img.At(0, 0)).(color.NRGBA); far(got, f.want, tolerance) {
			t.Errorf("%s: %v, want %v", name, got, f.want)
		}
	}
}

// TestUnusableProfile: a BMP's or a GIF's profile that cannot be used is a warning.
func TestUnusableProfile(t *testing.T) {
	img := flat("NRGBA", color.NRGBA{50, 100, 150, 255})
	for says, data := range map[string][]byte{
		"unsupported color profile: in a file of its own": bmpWith(t, img, "KNIL", []byte("a.icc")),
		"invalid color profile: too short":                bmpWith(t, img, "DEBM", []byte("once")),
		"invalid color profile: too long":                 gifWith(t, img, make([]byte, maxProfile+1)),
	} {
		f, err := Open(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", says, err)
			continue
		}
		if _, err := f.Image(); err != nil || !slices.Equal(f.Warnings, []string{"its colors may be off: " + says}) {
			t.Errorf("warnings %q, %v, want %q", f.Warnings, err, says)
		}
	}
}
