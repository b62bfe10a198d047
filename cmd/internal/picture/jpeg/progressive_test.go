package jpeg

import (
	"bufio"
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"slices"
	"strings"
	"testing"
)

// progressive are files of testdata/progressive.sh that image/jpeg refuses or reads
// wrongly.
var progressive = []string{
	"progressive-420.jpg", "progressive-422.jpg", "progressive-440.jpg", "progressive-411.jpg", "progressive-3x2.jpg", "progressive-1x1.jpg",
	"progressive-rows.jpg", "progressive-gray.jpg", "progressive-scans.jpg", "progressive-sides.jpg", "progressive-bits.jpg",
}

// ownPlanes decodes a file without image/jpeg.
func ownPlanes(t testing.TB, data []byte) (image.Image, string) {
	t.Helper()
	h, err := readHeader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	scans, err := h.readScans(bytes.NewReader(data), NewBudget())
	if err != nil {
		t.Fatal(err)
	}
	img, fault, err := h.planes(bytes.NewReader(data), scans, nil)
	if err != nil {
		t.Fatal(err)
	}
	return img, fault
}

// TestMiscounted: image/jpeg is not given the files that it refuses or reads wrongly.
func TestMiscounted(t *testing.T) {
	for _, name := range append([]string{"progressive.jpg"}, progressive...) {
		data := read(t, name)
		want, _ := ownPlanes(t, data)
		got, err := jpeg.Decode(bytes.NewReader(data))
		wrong := err != nil || difference(t, got, want) > rounding
		h, _ := readHeader(bytes.NewReader(data)) // as in ownPlanes
		if scans, err := h.readScans(bytes.NewReader(data), NewBudget()); err != nil || scans.miscounted != wrong {
			t.Errorf("%s: image/jpeg is wrong: %t; miscounted: %t, %v", name, wrong, scans.miscounted, err)
		}
	}
}

// TestFourPlanes: progressive coding of the same coefficients is the same picture.
func TestFourPlanes(t *testing.T) {
	for _, name := range []string{"cmyk.jpg", "ycck.jpg"} {
		sequential, err := os.ReadFile("../testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		data := read(t, "progressive-"+name)
		want, _ := ownPlanes(t, sequential)
		got, fault := ownPlanes(t, data)
		if d := difference(t, got, want); d > 0 || fault != "" {
			t.Errorf("%s: differs by %d, %q", name, d, fault)
		}
		img, fault, err := Decode(bytes.NewReader(data))
		if err != nil || fault != "" {
			t.Errorf("%s: %q, %v", name, fault, err)
		} else if d := difference(t, img, want); d > rounding {
			t.Errorf("%s: differs by %d from image/jpeg's", name, d)
		}
	}
}

// TestProgressiveCutShort cuts files everywhere. From the first scan of all planes
// on there is a picture.
func TestProgressiveCutShort(t *testing.T) {
	for _, name := range []string{"progressive-420.jpg", "progressive-3x2.jpg", "progressive-gray.jpg", "progressive-scans.jpg"} {
		data := read(t, name)
		scans := scansOf(data)
		if name == "progressive-scans.jpg" {
			scans = scans[1:] // the first one has one plane
		}
		for n := range data[:len(data)-2] {
			_, fault, err := Decode(bytes.NewReader(data[:n]))
			if n >= scans[1] && (err != nil || fault != noDetails && fault != NoEnd) || err == nil && fault == "" {
				t.Errorf("%s: %d bytes of %d: %q, %v", name, n, len(data), fault, err)
			}
		}
	}
}

// TestCutDetails: a scan that is cut short changes the blocks that are there, and no
// other one.
func TestCutDetails(t *testing.T) {
	data := read(t, "progressive-gray.jpg")
	scans := append(scansOf(data), len(data)-2)
	picture := func(n int) *image.Gray {
		img, _, err := Decode(bytes.NewReader(data[:n:n]))
		if err != nil {
			t.Fatal(err)
		}
		return img.(*image.Gray)
	}
	for i, end := range scans[2:] {
		begin := scans[i+1]
		before, after := picture(begin), picture(end)
		last := 0
		for n := begin; n < end; n++ {
			cut := picture(n)
			if f := slices.Index(blocksEqual(cut, after), false); f < 0 {
				last = 15
			} else if slices.Contains(blocksEqual(cut, before)[f+1:], false) || f < last {
				t.Errorf("scan %d, %d bytes of %d: block %d is not finished", i+1, n-begin, end-begin, f)
			} else {
				last = f
			}
		}
		if last < 10 {
			t.Errorf("scan %d: at most %d blocks of a part of it were read", i+1, last)
		}
	}
}

// blocksEqual compares pictures of 33x17 pixels by blocks, where rounding is nothing.
func blocksEqual(a, b *image.Gray) (equal []bool) {
	for i := range 15 {
		same := true
		for j := range 64 {
			x, y := i%5*8+j%8, i/5*8+j/8
			same = same && apart(a.GrayAt(x, y), b.GrayAt(x, y)) <= 1
		}
		equal = append(equal, same)
	}
	return equal
}

// TestDamagedDetails: a scan is broken, and others follow. Those that refine it are
// left out.
func TestDamagedDetails(t *testing.T) {
	data := read(t, "progressive-420.jpg")
	end := endOf(data, scansOf(data)[1])
	img, fault, err := Decode(bytes.NewReader(slices.Concat(data[:end-20], data[end:])))
	if err != nil || fault != noDetails {
		t.Fatalf("%q, %v", fault, err)
	}
	want, _ := ownPlanes(t, data)
	got, whole := img.(*image.YCbCr), want.(*image.YCbCr)
	if !bytes.Equal(got.Cb, whole.Cb) || !bytes.Equal(got.Cr, whole.Cr) || bytes.Equal(got.Y, whole.Y) {
		t.Error("chroma differs, or luma does not")
	}

	data = read(t, "progressive-gray.jpg")
	scans := scansOf(data)
	end = endOf(data, scans[1])
	img, _, err = Decode(bytes.NewReader(slices.Concat(data[:end-20], data[end:])))
	if err != nil {
		t.Fatal(err)
	}
	// What is left of the others refines the first coefficient.
	i := slices.IndexFunc(scans, func(at int) bool { return data[at+7] == 0 && data[at+9] == 0x10 })
	only := slices.Concat(data[:end-20], data[scans[i]:endOf(data, scans[i])], []byte{0xff, eoi})
	if want, _ := ownPlanes(t, only); difference(t, img, want) > 0 {
		t.Error("what refines a broken scan makes a difference")
	}
}

// TestDamagedTable: a table between the scans is broken.
func TestDamagedTable(t *testing.T) {
	data := read(t, "progressive-420.jpg")
	end := endOf(data, scansOf(data)[1])
	if data[end+1] != dht {
		t.Fatalf("marker %x behind the second scan", data[end+1])
	}
	data[end+4] = 0xff // its class
	if _, fault, err := Decode(bytes.NewReader(data)); err != nil || fault != noDetails {
		t.Errorf("%q, %v", fault, err)
	}
}

// TestClamp: coefficients that get too large stay as large as they can be.
func TestClamp(t *testing.T) {
	r := &blockReader{bitReader: bitReader{r: bufio.NewReader(strings.NewReader("\xc0"))}, band: band{first: 1, last: 63, low: 13, refines: true}}
	b := block{1: 32_767, 2: -32_768}
	if _, err := r.correct(&b, 1, len(b)); err != nil || b[1] != 32_767 || b[2] != -32_768 {
		t.Errorf("%d, %d, %v", b[1], b[2], err)
	}
}
