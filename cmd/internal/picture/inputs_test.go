package picture

import (
	"bytes"
	"image"
	"image/gif"
	"image/png"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/webp"

	"github.com/coclico/coclico/cmd/internal/picture/heif"
)

// TestKinds reads one photo in kinds of files that people have. Lossless files
// agree with it, lossy ones nearly.
func TestKinds(t *testing.T) {
	want, err := png.Decode(bytes.NewReader(testdata(t, "gama1_linear16.png.twin.png")))
	if err != nil {
		t.Fatal(err)
	}
	for name, mean := range map[string]float64{
		"anim.webp": 0, "x.avif": 4.5, "rgb565.bmp": 4, "c_jpeg.tif": 4.5, "no_eoi.jpg": 4.5, "cmyk_noadobe_a.jpg": 4, "ss2x3.jpg": 5,
	} {
		img, err := read(testdata(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if img.Bounds() != want.Bounds() {
			t.Errorf("%s: bounds %v, want %v", name, img.Bounds(), want.Bounds())
			continue
		}
		if d := meanDifference(t, img, want); d > mean {
			t.Errorf("%s: differs by %.2f of 255 on average, want at most %.2f", name, d, mean)
		}
	}
}

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestUnread checks that a file of another kind is called by its name, with
// advice, and not broken.
func TestUnread(t *testing.T) {
	dicom := make([]byte, 200)
	copy(dicom[128:], "DICM")
	targa := make([]byte, 18)
	targa[2], targa[12], targa[14], targa[16] = 2, 10, 10, 24
	for head, says := range map[string]string{
		"\xff\x0a\x00\x00": "of a kind that is not read: JPEG XL; convert it to PNG or JPEG first",
		"\x00\x00\x00\x0cjP  \r\n\x87\n\x00\x00\x00\x14ftypjp2 ": "JPEG 2000; convert",
		"8BPS\x00\x01":       "Photoshop (PSD); convert",
		"  \n<svg xmlns=''>": "SVG; draw it",
		"<?xml version='1.0'?>\n<!-- drawn by hand -->\n<svg>":                                     "SVG; draw it",
		"\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x20\x00\x68\x04\x00\x00\x16\x00\x00\x00": "Windows icon (ICO)",
		"P6\n3 2\n255\n":          "PNM; convert",
		string(targa):             "TGA; convert",
		string(dicom):             "DICOM; convert",
		"%!PS-Adobe-3.0 EPSF-3.0": "Encapsulated PostScript; draw",
		"%PDF-1.7":                "PDF; draw",
		"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00": "a film; save one",
		"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00": "a film; save one",
		"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01": "a camera's raw file; export",
		"FUJIFILMCCD-RAW 0201":                     "a camera's raw file; export",
		"<!DOCTYPE html><html></html>":             "a web page; save the picture",
	} {
		_, err := read([]byte(head))
		if err == nil || !strings.Contains(err.Error(), "of a kind that is not read: ") || !strings.Contains(err.Error(), says) {
			t.Errorf("%.20q: error %v, want %q", head, err, says)
		}
		if Known([]byte(head)) {
			t.Errorf("%.20q is known", head)
		}
	}
	for _, text := range []string{"once upon a time there was a picture", "P", "BM and more", "\x00\x00\x02\x00\x00\x00", strings.Repeat("\x00", 600)} {
		if _, err := read([]byte(text)); err == nil || !strings.Contains(err.Error(), "not a picture that can be read") {
			t.Errorf("%.20q: error %v", text, err)
		}
	}
}

// TestFax reads a fax whose tag calls 0 black: libtiff makes a negative of it.
func TestFax(t *testing.T) {
	want, err := png.Decode(bytes.NewReader(testdata(t, "c_group4.tif.twin.png")))
	if err != nil {
		t.Fatal(err)
	}
	img, err := read(testdata(t, "c_group4.tif"))
	if err != nil {
		t.Fatal(err)
	}
	if d := meanDifference(t, img, want); d != 0 {
		t.Errorf("differs by %.2f of 255 on average", d)
	}
}

// TestRaw checks that the thumbnail of a camera's raw file is not taken for its
// picture.
func TestRaw(t *testing.T) {
	_, err := read(testdata(t, "nef_like.nef"))
	const want = "a TIFF picture of a kind that is not read: a camera's raw file; export a JPEG"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestFaulty checks that a file with a fault is read with one warning.
func TestFaulty(t *testing.T) {
	whole := testdata(t, "no_eoi.jpg")
	for n, says := range map[int]string{
		len(whole):            "its end marker is missing",
		len(whole) * 3 / 4:    "it is cut short or damaged, its last ",
		len(whole) * 39 / 100: "",
	} {
		f, err := Open(bytes.NewReader(whole[:n]))
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Image()
		switch {
		case says == "" && (err == nil || err.Error() != "a JPEG picture that is cut short"):
			t.Errorf("%d bytes: error %v", n, err)
		case says != "" && (err != nil || len(f.Warnings) != 1 || !strings.HasPrefix(f.Warnings[0], says)):
			t.Errorf("%d bytes: warnings %q, error %v, want %q", n, f.Warnings, err, says)
		}
	}
}

// TestNoEnd: a PNG without its last chunk, or a GIF without its last two bytes, has
// all of its pixels. What lacks more is cut short.
func TestNoEnd(t *testing.T) {
	film := encode(t, func(w io.Writer) error { return gif.Encode(w, sample(), nil) })
	photo := encode(t, func(w io.Writer) error { return png.Encode(w, sample()) })
	for name, c := range map[string]struct {
		whole []byte
		end   int
	}{"PNG": {photo, len(pngEnd)}, "GIF": {film, len(gifEnd)}} {
		want, err := read(c.whole)
		if err != nil {
			t.Fatal(err)
		}
		n := len(c.whole) - c.end
		f, err := Open(bytes.NewReader(c.whole[:n]))
		if err != nil {
			t.Fatal(err)
		}
		img, err := f.Image()
		if err != nil || !slices.Equal(f.Warnings, []string{"its end marker is missing"}) {
			t.Errorf("%s: warnings %q, error %v", name, f.Warnings, err)
		} else if !reflect.DeepEqual(img, want) {
			t.Errorf("%s: other pixels", name)
		}
		for _, less := range []int{20, 40} { // more than the checksums of a PNG's pixels
			if _, err := read(c.whole[:n-less]); err == nil || !strings.HasSuffix(err.Error(), "cut short") {
				t.Errorf("%s, %d bytes less: error %v", name, less, err)
			}
		}
	}
}

// TestWebPFlag: a container whose flag is wrong about transparency shows what its
// chunks have.
func TestWebPFlag(t *testing.T) {
	for _, name := range []string{"lossy-alpha.webp", "lossless-alpha.webp"} {
		data := testdata(t, name)
		if string(data[webpHeader:webpHeader+4]) != "VP8X" { // a picture alone: put it into a container
			size, err := webp.DecodeConfig(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			data = webpFrom(webpAlpha, image.Pt(size.Width, size.Height), data[webpHeader:])
		}
		want, err := read(data)
		if err != nil {
			t.Fatal(err)
		}
		data[webpHeader+8] ^= webpAlpha
		if got, err := read(data); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: another picture (%v)", name, err)
		}
	}
	opaque := bytes.Clone(testdata(t, "lossy.webp"))
	want, err := read(opaque)
	if err != nil {
		t.Fatal(err)
	}
	size := want.Bounds().Size()
	if got, err := read(webpFrom(webpAlpha, size, opaque[webpHeader:])); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("opaque: another picture (%v)", err)
	}
}

// TestCutShort: what is said of a file that is cut short.
func TestCutShort(t *testing.T) {
	photo := encode(t, func(w io.Writer) error { return png.Encode(w, sample()) })
	avif := testdata(t, "../heif/testdata/limited.avif")
	for says, data := range map[string][]byte{
		"a PNG picture that is cut short":   photo[:len(photo)-40],
		"an AVIF picture that is cut short": avif[:len(avif)-9],
	} {
		if _, err := read(data); err == nil || err.Error() != says {
			t.Errorf("error %v, want %s", err, says)
		}
	}
}

// FuzzOpen checks that whatever a file holds, reading it ends, without a panic and
// within its memory: a small file announces no large picture that is allocated.
// The decoders in a sandbox are too slow to take part.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{
		"progressive.jpg", "cmyk.jpg", "lossy-alpha.webp", "lossless-alpha.webp", "part.webp", "lzw.tiff", "deflate-alpha.tiff", "film.gif", "eXIf6.png",
	} {
		f.Add(testdata(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, ok := heif.Known(data); ok {
			return
		}
		file, err := Open(bytes.NewReader(data))
		if err != nil || file.Memory > 1<<22 {
			return
		}
		if img, err := file.Image(); err == nil && img.Bounds().Empty() {
			t.Error("a picture without pixels")
		}
	})
}
