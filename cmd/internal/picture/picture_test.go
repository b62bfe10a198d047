package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/coclico/coclico/cmd/internal/picture/heif"
)

func sample() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 20, 10))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7)
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

// read opens a file and decodes its picture.
func read(data []byte) (image.Image, error) {
	f, err := Open(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return f.Image()
}

func encode(t *testing.T, f func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// webpFile is a lossless WebP of 1 x 1 pixels, made by cwebp.
const webpFile = "RIFF\x1a\x00\x00\x00WEBPVP8L\r\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

func TestRead(t *testing.T) {
	img := sample()
	for name, data := range map[string][]byte{
		"PNG":  encode(t, func(w io.Writer) error { return png.Encode(w, img) }),
		"JPEG": encode(t, func(w io.Writer) error { return jpeg.Encode(w, img, nil) }),
		"GIF":  encode(t, func(w io.Writer) error { return gif.Encode(w, img, nil) }),
		"TIFF": encode(t, func(w io.Writer) error { return tiff.Encode(w, img, nil) }),
		"BMP":  encode(t, func(w io.Writer) error { return bmp.Encode(w, img) }),
		"WebP": []byte(webpFile),
	} {
		got, err := read(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := image.Pt(20, 10)
		if name == "WebP" {
			want = image.Pt(1, 1)
		}
		if got.Bounds().Size() != want {
			t.Errorf("%s: size %v", name, got.Bounds().Size())
		}
		for _, n := range []int{0, 1, len(data) / 4, len(data) * 3 / 4} {
			if _, err := read(data[:n]); err == nil {
				t.Errorf("%s: no error for the first %d of %d bytes", name, n, len(data))
			} else if strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error of several lines: %q", name, err)
			}
		}
	}
}

// pngHeader is the start of a PNG of that size with 8 bits of gray.
func pngHeader(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	b = append(b, 8, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

func TestReadRefuses(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty":          nil,
		"a text":         []byte("once upon a time there was a picture"),
		"a web page":     []byte("<!DOCTYPE html><html></html>"),
		"no pixels":      pngHeader(0, 5),
		"10^9 pixels":    pngHeader(40_000, 25_000),
		"2^31 by 2^31":   pngHeader(1<<31-1, 1<<31-1),
		"only a header":  pngHeader(5, 5),
		"an empty BMP":   []byte("BM\x00\x00\x00\x00\x00\x00\x00\x00"),
		"an empty TIFF":  []byte("II\x2a\x00\x00\x00\x00\x00"),
		"a JPEG's start": []byte("\xff\xd8\xff"),
	} {
		if _, err := read(data); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestGuard(t *testing.T) {
	if err := guard(&format{name: "PNG"}, func() error { panic("index out of range") }); err == nil {
		t.Error("a decoder's panic is no error")
	}
	for err, says := range map[error]string{
		png.FormatError("bad filter type"):                          "not a valid PNG picture: bad filter type",
		jpeg.UnsupportedError("precision"):                          "a PNG picture of a kind that is not read: precision; save it as an ordinary PNG or JPEG first",
		heif.UnavailableError("takes too long; wait"):               "a PNG picture that takes too long; wait",
		tiff.UnsupportedError("Lab colors"):                         "a PNG picture of a kind that is not read: Lab colors; save it as an ordinary PNG or JPEG first",
		tiff.UnsupportedError("a camera's raw file; export a JPEG"): "a PNG picture of a kind that is not read: a camera's raw file; export a JPEG",
	} {
		if got := guard(&format{name: "PNG"}, func() error { return err }); got == nil || got.Error() != says {
			t.Errorf("%v: %v", err, got)
		}
	}
}

// TestWarnings checks that a decoder's warning does not cost its picture.
func TestWarnings(t *testing.T) {
	f := &File{r: &source{ReadSeeker: strings.NewReader("")}, meta: metadata{orientation: 1}, format: &format{name: "PNG", decode: func(io.ReadSeeker) (image.Image, error) {
		return sample(), warning("is odd")
	}}}
	img, err := f.Image()
	if err != nil || img == nil || !slices.Equal(f.Warnings, []string{"is odd"}) {
		t.Errorf("Image: %v, %v; warnings %q", img, err, f.Warnings)
	}
	f.format.decode = func(io.ReadSeeker) (image.Image, error) { return nil, warning("is odd") }
	if _, err := f.Image(); err == nil {
		t.Error("no picture and no error")
	}
}

// TestUnreadKind checks that a valid picture that the decoder does not know is not
// called broken.
func TestUnreadKind(t *testing.T) {
	lab := encode(t, func(w io.Writer) error { return tiff.Encode(w, sample(), nil) })
	photometric := []byte{6, 1, 3, 0, 1, 0, 0, 0, 2, 0} // tag 262, a short: RGB
	i := bytes.Index(lab, photometric)
	if i < 0 {
		t.Fatal("no photometric interpretation")
	}
	lab[i+8] = 8 // CIELab
	if _, err := read(lab); err == nil || !strings.Contains(err.Error(), "a TIFF picture of a kind that is not read") {
		t.Errorf("error %v", err)
	}
}

func TestEncoderFor(t *testing.T) {
	for path, magic := range map[string]string{
		"a.png": "\x89PNG", "a.PNG": "\x89PNG", "a": "\x89PNG", "-": "\x89PNG", "a.jpg": "\xff\xd8", "b/a.JPEG": "\xff\xd8", "a.webp": "RIFF",
	} {
		enc, err := EncoderFor(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		data := encode(t, func(w io.Writer) error {
			return enc(w, sample(), Options{Notes: []Note{{"Software", "CoCliCo"}, {"Comment", "Générée"}}})
		})
		if !strings.HasPrefix(string(data), magic) {
			t.Errorf("%s begins with %q", path, data[:4])
		}
		if !bytes.Contains(data, []byte("Générée")) || !bytes.Contains(data, []byte("trainedAlgorithmicMedia")) {
			t.Errorf("%s does not say how it was made", path)
		}
		got, err := read(data)
		if err != nil || got.Bounds() != sample().Bounds() {
			t.Errorf("%s does not read back: %v", path, err)
			continue
		}
		if magic != "\xff\xd8" && color.RGBAModel.Convert(got.At(3, 3)) != sample().At(3, 3) {
			t.Errorf("%s has another color", path)
		}
		plain := encode(t, func(w io.Writer) error { return enc(w, sample(), Options{}) })
		if !Ours(bytes.NewReader(data)) || Ours(bytes.NewReader(plain)) || Ours(strings.NewReader("text")) {
			t.Errorf("%s is not told from what others write", path)
		}
		if err := enc(fullWriter{}, sample(), Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s on a full disk: %v", path, err)
		}
	}
	for _, path := range []string{"a.gif", "a.coclico"} {
		if _, err := EncoderFor(path); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

// A fullWriter has room for one byte.
type fullWriter struct{}

var errFull = errors.New("no space left")

func (fullWriter) Write(p []byte) (int, error) { return min(1, len(p)), errFull }

// TestStream checks that a PNG returns the stream that it was written with, and
// that a changed one is an error.
func TestStream(t *testing.T) {
	stream := []byte("whatever a stream is")
	data := encode(t, func(w io.Writer) error {
		return encodePNG(w, sample(), []Note{{"Software", "CoCliCo"}, {"Comment", "Generated"}}, stream)
	})
	got, err := Stream(bytes.NewReader(data))
	if err != nil || !bytes.Equal(got, stream) {
		t.Fatalf("stream %q, %v", got, err)
	}
	notes := []Note{{"Software", "CoCliCo"}, {"Comment", "Generated"}}
	said, other := Options{Notes: notes}, Options{Notes: notes[1:]}
	if !Says(bytes.NewReader(data), said) || Says(bytes.NewReader(data), other) || Says(bytes.NewReader(data[:40]), said) {
		t.Error("a PNG does not say what was said")
	}
	photo := encode(t, func(w io.Writer) error { return encodeJPEG(w, sample(), Options{Notes: notes}) })
	if !Says(bytes.NewReader(photo), said) || Says(bytes.NewReader(photo), other) || Says(bytes.NewReader(photo[:9]), said) {
		t.Error("a JPEG does not say what was said")
	}
	web := encode(t, func(w io.Writer) error { return encodeWebP(w, sample(), notes) })
	if !Says(bytes.NewReader(web), said) || Says(bytes.NewReader(web), other) {
		t.Error("a WebP does not say what was said")
	}
	for n := range web {
		if Says(bytes.NewReader(web[:n]), said) {
			t.Errorf("the first %d bytes of a WebP say what was said", n)
		}
	}
	if Says(bytes.NewReader(photo), Options{Notes: notes, Quality: 50}) || !Says(bytes.NewReader(photo), Options{Notes: notes, Quality: DefaultQuality}) {
		t.Error("a JPEG does not say its quality")
	}
	if _, err := png.Decode(bytes.NewReader(data)); err != nil {
		t.Errorf("image/png: %v", err)
	}
	at := bytes.Index(data, []byte(streamChunk))
	for i := range len(stream) + 4 { // the content and the checksum
		bad := bytes.Clone(data)
		bad[at+4+i] ^= 1
		if got, err := Stream(bytes.NewReader(bad)); err == nil {
			t.Errorf("byte %d changed: stream %q", i, got)
		}
	}
	for n := range data {
		if got, err := Stream(bytes.NewReader(data[:n])); err == nil && got != nil && n < at+4+len(stream)+4 {
			t.Errorf("the first %d bytes have the stream %q", n, got)
		}
	}
	plain := encode(t, func(w io.Writer) error { return encodePNG(w, sample(), nil, nil) })
	if want := encode(t, func(w io.Writer) error { return png.Encode(w, sample()) }); !bytes.Equal(plain, want) {
		t.Error("a PNG without notes is not what image/png writes")
	}
	for _, none := range [][]byte{plain, []byte(webpFile), nil} {
		if got, err := Stream(bytes.NewReader(none)); got != nil || err != nil {
			t.Errorf("stream %q, %v in a file without one", got, err)
		}
	}
}

// TestWebP checks that random pictures round-trip, alpha included.
func TestWebP(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, size := range []image.Point{{1, 1}, {1, 50}, {50, 1}, {5, 3}, {64, 64}, {129, 67}, {300, 60}} {
		for kind := range 4 {
			img := image.NewNRGBA(image.Rectangle{Max: size})
			for i := range img.Pix {
				x, y := i/4%size.X, i/4/size.X
				switch {
				case i%4 == 3:
					img.Pix[i] = 255
				case kind == 0:
					img.Pix[i] = uint8(rng.Uint32())
				case kind == 1:
					img.Pix[i] = uint8(3*x + 5*y + int(rng.Uint32()%4))
				case kind == 2:
					img.Pix[i] = uint8(x / 20 * 90)
				}
				if kind == 3 {
					img.Pix[i] = uint8(x + y*i%4)
				}
			}
			data := encode(t, func(w io.Writer) error { return encodeWebP(w, img, []Note{{"Software", "CoCliCo"}}[:kind%2]) })
			got, err := read(data)
			if err != nil {
				t.Errorf("%v, kind %d: %v", size, kind, err)
				continue
			}
			if pix := got.(*image.NRGBA).Pix; !bytes.Equal(pix, img.Pix) {
				t.Errorf("%v, kind %d: other pixels", size, kind)
			}
		}
	}
	if err := encodeWebP(io.Discard, image.NewGray(image.Rect(0, 0, maxWebP+1, 1)), nil); err == nil {
		t.Error("no error for a side that the format has not")
	}
}

// FuzzChunks checks that whatever a file holds, looking for a stream and notes in
// it ends without a panic, and leaves r at its start.
func FuzzChunks(f *testing.F) {
	var b bytes.Buffer
	if err := encodePNG(&b, sample(), []Note{{"Software", "CoCliCo"}}, []byte("stream")); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:60])
	f.Add(append([]byte(pngSignature), "\x7f\xff\xff\xffccLC"...))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		stream, err := Stream(r)
		if len(stream) > len(data) || err == nil && r.Len() != len(data) {
			t.Errorf("%d bytes of %d, %d left", len(stream), len(data), r.Len())
		}
		Says(bytes.NewReader(data), Options{})
	})
}
