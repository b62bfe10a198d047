package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// exif returns an APP1 segment that has only an orientation, behind another tag.
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

// TestOrientation: a picture of 32 x 16 pixels with four colours comes out upright, however it lies in the file. The table is
// PIL's ImageOps.exif_transpose of the same.
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
			for n := range data[:60] { // cut anywhere, it is upright or an error
				if o, _ := jpegHeader(bytes.NewReader(data[:n])); n < 40 && o != 1 {
					t.Errorf("orientation %d in the first %d bytes", o, n)
				}
			}
		}
	}
}

// TestStrayBytes: what stands between segments hides neither the orientation nor that a file is progressive.
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
		if held, progressive := jpegHeader(bytes.NewReader(data)); held != 6 || !progressive {
			t.Errorf("%.20q: orientation %d, progressive is %v", stray, held, progressive)
		}
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add(append([]byte("\xff\xd8"), exif(binary.BigEndian, "MM", 6)...))
	f.Add(append([]byte("\xff\xd8\xff\xe0\x00\x02"), exif(binary.LittleEndian, "II", 3)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o, _ := jpegHeader(bytes.NewReader(data)); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}

// TestTurnPlanes: planes are turned as pixels are, for every subsampling, or not at all.
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
