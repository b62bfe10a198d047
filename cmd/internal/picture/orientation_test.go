package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

const orientationTag = 274

// exif returns an APP1 segment that holds another tag and an orientation.
func exif(order binary.AppendByteOrder, magic string, o uint16) []byte {
	b := order.AppendUint16([]byte(magic), 42)
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	for _, entry := range [][2]uint16{{256, 20}, {274, o}} {
		b = order.AppendUint16(b, entry[0])
		b = order.AppendUint16(b, 3) // a short
		b = order.AppendUint32(b, 1)
		b = order.AppendUint16(b, entry[1])
		b = append(b, 0, 0)
	}
	b = order.AppendUint32(b, 0)
	b = append([]byte("Exif\x00\x00"), b...)
	return append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(b)+2)), b...)
}

// TestOrientation checks that a picture of 32 x 16 pixels and four colors is
// upright however it lies in the file. The table is what PIL's
// ImageOps.exif_transpose makes of it.
func TestOrientation(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 32, 16)) // 0 1 above 2 3
	for i := range img.Pix {
		img.Pix[i] = uint8(64 * (i % 32 / 16))
		if i >= 8*32 {
			img.Pix[i] += 128
		}
	}
	file := encode(t, func(w io.Writer) error { return jpeg.Encode(w, img, &jpeg.Options{Quality: 100}) })
	for o, want := range []string{1: "0123", 2: "1032", 3: "3210", 4: "2301", 5: "0213", 6: "2031", 7: "3120", 8: "1302"} {
		if o == 0 {
			continue
		}
		for _, segment := range [][]byte{exif(binary.BigEndian, "MM", uint16(o)), exif(binary.LittleEndian, "II", uint16(o))} {
			data := append(append(bytes.Clone(file[:2]), segment...), file[2:]...)
			got, err := read(data)
			if err != nil {
				t.Fatal(err)
			}
			size := image.Pt(32, 16)
			if o >= 5 {
				size = image.Pt(16, 32)
			}
			if b := got.Bounds(); b != (image.Rectangle{Max: size}) {
				t.Errorf("orientation %d: bounds %v", o, b)
			}
			quarters := ""
			for i := range 4 {
				c := color.GrayModel.Convert(got.At(size.X/4+i%2*size.X/2, size.Y/4+i/2*size.Y/2)).(color.Gray)
				quarters += string(rune('0' + (int(c.Y)+32)/64))
			}
			if quarters != want {
				t.Errorf("orientation %d: quarters %s, want %s", o, quarters, want)
			}
			for n := range data[:60] { // truncated anywhere, it is upright or an error
				if m := readMetadata(bytes.NewReader(data[:n]), "JPEG"); n < 40 && m.orientation != 1 {
					t.Errorf("orientation %d in the first %d bytes", m.orientation, n)
				}
			}
		}
	}
}

// TestStrayBytes checks that bytes between segments hide neither the orientation
// nor that a file is progressive.
func TestStrayBytes(t *testing.T) {
	file, err := os.ReadFile("testdata/progressive.jpg")
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(file, []byte{0xff, 0xc2})
	for _, stray := range []string{"", "\xff", "\xff\xff\xff", "\x00", "\x12\x34\x56", "\xff\x00", "\xff\xd0", strings.Repeat("x", 9000) + "\xff"} {
		data := slices.Concat(file[:2], []byte(stray), exif(binary.BigEndian, "MM", 6), []byte(stray), file[2:at], []byte(stray), file[at:])
		if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("%.20q: %v", stray, err)
		}
		if f, err := Open(bytes.NewReader(data)); err != nil || f.meta.orientation != 6 || f.Memory != 48*32*15/2 {
			t.Errorf("%.20q: %+v, %v", stray, f, err)
		}
	}
}

// exifData returns EXIF data that holds an orientation, 6, of a type.
func exifData(kind uint16, value string) []byte {
	return []byte("MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00" + string(byte(kind)) + "\x00\x00\x00\x01" + value + "\x00\x00\x00\x00")
}

// TestOrientationEverywhere finds the orientation in every kind of file, of every
// type.
func TestOrientationEverywhere(t *testing.T) {
	short, long, one := exifData(3, "\x00\x06\x00\x00"), exifData(4, "\x00\x00\x00\x06"), exifData(1, "\x06\x00\x00\x00")
	bad, none := exifData(3, "\x00\x09\x00\x00"), []byte("MM\x00\x2a\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00")
	signed := func(b []byte) []byte { return slices.Concat([]byte(exifSegment), b) }
	app1 := func(b []byte) []byte { return segment(0xe1, string(signed(b))) }
	jpegFile := encode(t, func(w io.Writer) error { return jpeg.Encode(w, sample(), nil) })
	inJPEG := func(parts ...[]byte) []byte {
		return slices.Concat(jpegFile[:2], slices.Concat(parts...), jpegFile[2:])
	}
	xmp := segment(0xe1, xmpSegment+xmpPacket)
	frame := bytes.Index(jpegFile, []byte{0xff, 0xc0})
	behind := frame + 2 + int(binary.BigEndian.Uint16(jpegFile[frame+2:]))
	pngFile := encode(t, func(w io.Writer) error { return png.Encode(w, sample()) })
	end := len(pngFile) - 12
	for name, f := range map[string]struct {
		data []byte
		want int
	}{
		"JPEG, SHORT":                     {inJPEG(app1(short)), 6},
		"JPEG, LONG":                      {inJPEG(app1(long)), 6},
		"JPEG, BYTE":                      {inJPEG(app1(one)), 6},
		"JPEG, of no type":                {inJPEG(app1(exifData(99, "\x06\x06\x06\x06"))), 1},
		"JPEG, 9":                         {inJPEG(app1(bad)), 1},
		"JPEG, -6":                        {inJPEG(app1(exifData(4, "\xff\xff\xff\xfa"))), 1},
		"JPEG, behind XMP":                {inJPEG(xmp, app1(short)), 6},
		"JPEG, behind the frame's header": {slices.Concat(jpegFile[:behind], app1(short), jpegFile[behind:]), 6},
		"JPEG, the first of two":          {inJPEG(app1(short), app1(exifData(3, "\x00\x03\x00\x00"))), 6},
		"JPEG, the first of two is 1":     {inJPEG(app1(exifData(3, "\x00\x01\x00\x00")), app1(short)), 1},
		"JPEG, the first of two has none": {inJPEG(app1(none), app1(short)), 1},
		"PNG":                             {withChunk(pngFile, "eXIf", string(short)), 6},
		"PNG, LONG":                       {withChunk(pngFile, "eXIf", string(long)), 6},
		"PNG, behind the pixels":          {slices.Concat(pngFile[:end], appendChunk(nil, "eXIf", one), pngFile[end:]), 6},
		"PNG, signed":                     {withChunk(pngFile, "eXIf", string(signed(short))), 6},
		"PNG, the first of two":           {withChunk(withChunk(pngFile, "eXIf", string(short)), "eXIf", string(none)), 1},
		"WebP":                            {webpWith("ICCP", "EXIF", []byte("odd"), short), 6},
		"WebP, signed":                    {webpWith("ICCP", "EXIF", []byte("even"), signed(long)), 6},
		"WebP, the first of two":          {webpWith("EXIF", "EXIF", one, bad), 6},
		"TIFF, SHORT":                     {tiffWith(t, sample(), orientationTag, 3, 1, []byte{6, 0}), 6},
		"TIFF, LONG":                      {tiffWith(t, sample(), orientationTag, 4, 1, []byte{6, 0, 0, 0}), 6},
		"TIFF, BYTE":                      {tiffWith(t, sample(), orientationTag, 1, 1, []byte{6}), 6},
	} {
		file, err := Open(bytes.NewReader(f.data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		img, err := file.Image()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if file.meta.orientation != f.want {
			t.Errorf("%s: orientation %d, want %d", name, file.meta.orientation, f.want)
		}
		if size := img.Bounds().Size(); !strings.HasPrefix(name, "WebP") && (size.X < size.Y) != (f.want == 6) {
			t.Errorf("%s: size %v", name, size)
		}
	}
}

// FuzzMetadata reads what any bytes say about a picture, as each kind of file.
func FuzzMetadata(f *testing.F) {
	f.Add(append([]byte("\xff\xd8"), exif(binary.BigEndian, "MM", 6)...))
	f.Add(append([]byte("\xff\xd8\xff\xe0\x00\x02"), exif(binary.LittleEndian, "II", 3)...))
	f.Add(testFile(f, "eXIf6.png"))
	f.Add(testFile(f, "icc_p3_red.png"))
	f.Add(testFile(f, "cicp_p3.png"))
	f.Add(testFile(f, "icc_adobe.jpg"))
	f.Add(webpWith("ICCP", "EXIF", []byte("odd"), exifData(3, "\x00\x06\x00\x00")))
	f.Add(exifData(4, "\x00\x00\x00\x06")) // a TIFF too
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range []string{"JPEG", "PNG", "WebP", "TIFF"} {
			if m := readMetadata(bytes.NewReader(data), format); m.orientation < 1 || m.orientation > 8 {
				t.Errorf("%s: orientation %d", format, m.orientation)
			}
		}
	})
}

// TestTurnPlanes checks that planes of every subsampling are turned as pixels are,
// or not at all.
func TestTurnPlanes(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411,
	} {
		for _, size := range []image.Point{{8, 6}, {2, 2}, {7, 5}, {6, 3}, {3, 4}} {
			img := image.NewYCbCr(image.Rectangle{Max: size}, ratio)
			for i, plane := range [][]uint8{img.Y, img.Cb, img.Cr} {
				for j := range plane {
					plane[j] = uint8(50*i + 7*j + j*j)
				}
			}
			even := size.X%2 == 0 && size.Y%2 == 0 && ratio != image.YCbCrSubsampleRatio411
			for held := 2; held <= 8; held++ {
				want := turned{img, held}
				got := turnPlanes(img, held)
				if got == nil {
					if even {
						t.Errorf("%v of %v held %d is not turned", ratio, size, held)
					}
					continue
				}
				if got.Bounds() != want.Bounds() {
					t.Fatalf("%v of %v held %d: bounds %v", ratio, size, held, got.Bounds())
				}
				for y := range got.Bounds().Dy() {
					for x := range got.Bounds().Dx() {
						if got.At(x, y) != want.At(x, y) {
							t.Fatalf("%v of %v held %d: %v at %d, %d, want %v", ratio, size, held, got.At(x, y), x, y, want.At(x, y))
						}
					}
				}
			}
		}
	}
}
