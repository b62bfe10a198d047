package jpeg

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// difference is the largest difference of two pictures, of 255.
func difference(t testing.TB, got, want image.Image) int {
	t.Helper()
	if got.Bounds() != want.Bounds() {
		t.Fatalf("bounds %v, want %v", got.Bounds(), want.Bounds())
	}
	most := 0
	b := got.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			most = max(most, apart(got.At(x, y), want.At(x, y)))
		}
	}
	return most
}

// apart is the largest difference of two colors, of 255.
func apart(x, y color.Color) (most int) {
	r0, g0, b0, _ := x.RGBA()
	r1, g1, b1, _ := y.RGBA()
	for _, d := range []int{int(r0>>8) - int(r1>>8), int(g0>>8) - int(g1>>8), int(b0>>8) - int(b1>>8)} {
		most = max(most, d, -d)
	}
	return most
}

// rounding is how far colors may be apart that are made of samples 1 apart.
const rounding = 3

// TestDecode compares with what libjpeg makes of the same files
// (testdata/make.sh and progressive.sh), which rounds otherwise.
func TestDecode(t *testing.T) {
	names := []string{"3x2.jpg", "1x3.jpg", "mixed.jpg", "chroma.jpg", "restart.jpg", "scans.jpg", "rgb.jpg", "progressive.jpg"}
	for _, name := range append(names, progressive...) {
		data := read(t, name)
		img, fault, err := Decode(bytes.NewReader(data))
		if err != nil || fault != "" {
			t.Errorf("%s: %q, %v", name, fault, err)
			continue
		}
		want, err := png.Decode(bytes.NewReader(read(t, name+".png")))
		if err != nil {
			t.Fatal(err)
		}
		if d := difference(t, img, want); d > 6 {
			t.Errorf("%s: differs by %d of 255", name, d)
		}
		if cfg, err := DecodeConfig(bytes.NewReader(data)); err != nil || cfg.ColorModel != img.ColorModel() {
			t.Errorf("%s: config %v, %v", name, cfg, err)
		}
	}
}

// samples are pictures that image/jpeg takes.
func samples(t testing.TB) map[string][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	gray, rgb := image.NewGray(image.Rect(0, 0, 50, 45)), image.NewRGBA(image.Rect(0, 0, 61, 83))
	for i := range gray.Pix {
		gray.Pix[i] = uint8(3*(i%50) + rng.IntN(20))
	}
	for i := range rgb.Pix {
		rgb.Pix[i] = uint8(i/4%61*2 + i%4*20 + rng.IntN(60))
	}
	files := map[string][]byte{"progressive": read(t, "progressive.jpg")}
	for name, img := range map[string]image.Image{"gray": gray, "4:2:0": rgb} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
			t.Fatal(err)
		}
		files[name] = b.Bytes()
	}
	return files
}

// TestPlanes checks that the decoder of planes agrees with image/jpeg, which
// rounds otherwise.
func TestPlanes(t *testing.T) {
	for name, data := range samples(t) {
		want, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		got, fault := ownPlanes(t, data)
		if d := difference(t, got, want); d > rounding || fault != "" {
			t.Errorf("%s: differs by %d, %q", name, d, fault)
		}
	}
}

// renamed returns a file of three planes with one name for all of them.
func renamed(data []byte, frame, id byte) []byte {
	data = bytes.Clone(data)
	names := data[bytes.Index(data, []byte{0xff, frame})+10:]
	for i := range 3 {
		names[3*i] = id
	}
	for _, at := range scansOf(data) {
		for i := range data[at+4] {
			data[at+5+2*int(i)] = id
		}
	}
	return data
}

// TestOneName: the planes of a file all have one name. libjpeg renumbers them.
func TestOneName(t *testing.T) {
	good := samples(t)["4:2:0"]
	want, err := jpeg.Decode(bytes.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []byte{0, 1} {
		img, fault, err := Decode(bytes.NewReader(renamed(good, sof0, id)))
		if err != nil || fault != "" {
			t.Errorf("%d: %q, %v", id, fault, err)
		} else if d := difference(t, img, want); d > rounding {
			t.Errorf("%d: differs by %d of 255", id, d)
		}
	}
}

// TestCutShort cuts files everywhere. What is left of the rows is as it was.
func TestCutShort(t *testing.T) {
	for name, data := range samples(t) {
		want, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		img, fault, err := Decode(bytes.NewReader(data[:len(data)-2]))
		if err != nil || fault != "its end marker is missing" || difference(t, img, want) != 0 {
			t.Errorf("%s without an end: %q, %v", name, fault, err)
		}
		last := want.Bounds().Dy()
		for n := len(data) - 3; n > 0; n -= 5 {
			img, fault, err := Decode(bytes.NewReader(data[:n]))
			if err != nil {
				continue
			}
			if fault == "" {
				t.Errorf("%s: %d bytes of %d without a warning", name, n, len(data))
			}
			if name == "progressive" || fault == "its end marker is missing" {
				continue
			}
			rows := goodRows(img, want)
			if rows > last || 2*rows < want.Bounds().Dy() {
				t.Errorf("%s: %d rows of %d bytes, %d of more", name, rows, n, last)
			}
			last = rows
			for y := rows + 32; y < want.Bounds().Dy(); y++ {
				if c := color.RGBAModel.Convert(img.At(1, y)); c != (color.RGBA{128, 128, 128, 255}) {
					t.Errorf("%s: %d bytes: row %d is %v", name, n, y, c)
				}
			}
		}
		if last > want.Bounds().Dy()*3/4 && name != "progressive" {
			t.Errorf("%s: no file was read with less than %d rows", name, last)
		}
	}
}

// TestOddCutShort: a file with planes that image/jpeg does not combine is cut short
// where another one is.
func TestOddCutShort(t *testing.T) {
	for _, name := range []string{"3x2.jpg", "1x3.jpg"} {
		data := read(t, name)
		start := scansOf(data)[0]
		for n := start; n < start+(len(data)-start)/3; n += 7 {
			if _, fault, err := Decode(bytes.NewReader(data[:n])); err != io.ErrUnexpectedEOF && err != io.EOF {
				t.Errorf("%s: %d bytes of %d: %q, %v", name, n, len(data), fault, err)
			}
		}
	}
}

// TestEndOfBlock: in a sequential file, each code of no bits ends a block.
func TestEndOfBlock(t *testing.T) {
	data := samples(t)["gray"]
	want, _ := ownPlanes(t, data)
	at := bytes.Index(data, []byte{0x01, 0x02, 0x03, 0x00, 0x04, 0x11}) // values of the table
	data[at+3] = 0x10
	if got, fault := ownPlanes(t, data); difference(t, got, want) > 0 || fault != "" {
		t.Errorf("differs by %d, %q", difference(t, got, want), fault)
	}
}

// scansOf returns where the scans of a file begin.
func scansOf(data []byte) (at []int) {
	for i := range data[1:] {
		if data[i] == 0xff && data[i+1] == sos {
			at = append(at, i)
		}
	}
	return at
}

// endOf returns where the scan at a place of a file ends.
func endOf(data []byte, scan int) int {
	end := scan + 2
	for data[end] != 0xff || data[end+1] == 0 || data[end+1] >= rst0 && data[end+1] <= rst7 {
		end++
	}
	return end
}

// TestMissingScans cuts files between two scans, where image/jpeg sees no fault.
// A plane without a scan is an error, whether an end marker follows or not.
func TestMissingScans(t *testing.T) {
	for _, name := range []string{"scans.jpg", "progressive.jpg"} {
		data := read(t, name)
		at := scansOf(data)
		if len(at) < 3 {
			t.Fatalf("%s has %d scans", name, len(at))
		}
		for _, n := range at[1:] {
			cut := bytes.Clone(data[:n])
			_, fault, err := Decode(bytes.NewReader(cut))
			_, endedFault, endedErr := Decode(bytes.NewReader(append(cut, 0xff, eoi)))
			if name == "scans.jpg" {
				if err != io.ErrUnexpectedEOF || endedErr != FormatError("plane without a scan") {
					t.Errorf("%s: %d bytes: %v, with an end %v", name, n, err, endedErr)
				}
			} else if err != nil || fault != noDetails || endedErr != nil || endedFault != "" {
				t.Errorf("%s: %d bytes: %q, %v, with an end %q, %v", name, n, fault, err, endedFault, endedErr)
			}
		}
	}
	// A second component that no scan names, and a cut behind the first plane.
	data := read(t, "progressive.jpg")
	at := scansOf(data)
	first := data[at[0]:at[1]]
	if n := first[4]; n != 3 {
		t.Fatalf("the first scan has %d planes", n)
	}
	only := append(bytes.Clone(data[:at[0]]), 0xff, sos, 0, 8, 1, first[5], first[6], 0, 0, first[13])
	only = append(only, first[14:]...)
	for _, rest := range [][]byte{nil, {0xff, eoi}, data[at[1] : at[2]+20]} {
		if img, fault, err := Decode(bytes.NewReader(append(bytes.Clone(only), rest...))); err == nil {
			t.Errorf("without two planes: %v, %q", img.Bounds(), fault)
		}
	}
}

// TestShortScan: a scan is shorter than its plane, and others follow.
func TestShortScan(t *testing.T) {
	data := read(t, "scans.jpg")
	want, err := png.Decode(bytes.NewReader(read(t, "scans.jpg.png")))
	if err != nil {
		t.Fatal(err)
	}
	end := endOf(data, scansOf(data)[0])
	for _, n := range []int{1, 3, 10, 20} {
		img, fault, err := Decode(bytes.NewReader(slices.Concat(data[:end-n], data[end:])))
		if err != nil || !strings.Contains(fault, "its last ") {
			t.Errorf("%d bytes less: %q, %v", n, fault, err)
		} else if rows := goodRows(img, want); 2*rows < want.Bounds().Dy() {
			t.Errorf("%d bytes less: %d rows are right", n, rows)
		}
	}
}

// manyScans is a progressive file with n scans, all but the first of three bytes,
// which is enough for 8 x 8 pixels.
func manyScans(n int, side uint16) []byte {
	segment := func(b []byte, marker byte, data ...byte) []byte {
		return append(append(b, 0xff, marker, 0, byte(len(data)+2)), data...)
	}
	table := func(class, value byte) []byte { // its only code is a bit
		return append([]byte{class, 1, 15: 0, 16: 0}, value)
	}
	b := segment([]byte{0xff, soi}, dqt, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)
	size := binary.BigEndian.AppendUint16(nil, side)
	b = segment(b, sof2, 8, size[0], size[1], size[0], size[1], 1, 1, 0x11, 0)
	b = segment(b, dht, table(0, 0)...)
	b = segment(b, dht, table(0x10, 0)...)
	b = append(segment(b, sos, 1, 1, 0, 0, 0, 0), 0x7f)
	for range n - 1 {
		b = append(segment(b, sos, 1, 1, 0, 1, 63, 0), 0x7f)
	}
	return append(b, 0xff, eoi)
}

// TestManyScans: a file of a few hundred kilobytes does not occupy the decoder
// for hours, nor for a minute if it is large.
func TestManyScans(t *testing.T) {
	if _, fault, err := Decode(bytes.NewReader(manyScans(maxScans, 8))); err != nil || fault != "" {
		t.Errorf("%d scans: %q, %v", maxScans, fault, err)
	}
	if _, _, err := Decode(bytes.NewReader(manyScans(maxScans+1, 8))); err != UnsupportedError("more than 500 scans") {
		t.Errorf("%d scans: %v", maxScans+1, err)
	}
	const side = 4096
	most := maxBlocks / (side / 8 * side / 8)
	data := manyScans(most+1, side)
	if _, _, err := Decode(bytes.NewReader(data)); err != UnsupportedError("more scans than a picture of its size needs") {
		t.Errorf("%d scans of a large picture: %v", most+1, err)
	}
	h, err := readHeader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.readScans(bytes.NewReader(manyScans(most, side)), NewBudget()); err != nil {
		t.Errorf("%d scans of a large picture: %v", most, err)
	}
	sequential := bytes.Replace(data, []byte{0xff, sof2}, []byte{0xff, sof0}, 1)
	if _, _, err := Decode(bytes.NewReader(sequential)); err != UnsupportedError("more scans than a picture of its size needs") {
		t.Errorf("%d sequential scans of a large picture: %v", most+1, err)
	}
}

// TestBudget: files share what their scans may have.
func TestBudget(t *testing.T) {
	left := NewBudget()
	*left = 11
	data := manyScans(4, 8)
	for i, want := range []error{nil, nil, UnsupportedError("more scans than a picture of its size needs")} {
		if _, _, err := left.Decode(bytes.NewReader(data)); err != want {
			t.Errorf("file %d: %v, want %v", i, err, want)
		}
	}
}

// goodRows counts the rows down to the first one that differs.
func goodRows(a, b image.Image) int {
	r := a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if apart(a.At(x, y), b.At(x, y)) > rounding {
				return y
			}
		}
	}
	return r.Dy()
}

// FuzzDecode checks that whatever a file holds, decoding it ends with a picture
// of the size that its header has, or an error.
func FuzzDecode(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data)
		f.Add(data[:len(data)*3/4])
	}
	for _, name := range append([]string{"3x2.jpg", "mixed.jpg", "restart.jpg", "scans.jpg"}, progressive...) {
		data := read(f, name)
		f.Add(data)
		f.Add(data[:len(data)*3/4])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := DecodeConfig(bytes.NewReader(data))
		if err != nil || cfg.Width*cfg.Height > 1<<18 {
			return
		}
		img, _, err := Decode(bytes.NewReader(data))
		if err == nil && (img.Bounds() != image.Rect(0, 0, cfg.Width, cfg.Height) || img.ColorModel() != cfg.ColorModel) {
			t.Errorf("bounds %v, header %d x %d; model %v, header %v", img.Bounds(), cfg.Width, cfg.Height, img.ColorModel(), cfg.ColorModel)
		}
	})
}
