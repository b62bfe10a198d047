package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/inspect"
	"github.com/coclico/coclico/cmd/internal/process"
)

// seen is the folder of pictures with twins.
const seen = "../internal/picture/testdata/"

// TestAgreement encodes pictures and their twins, which are what they look like:
// plain upright sRGB ones. An encoder that ignored what they say would be off by
// many times as much. In the darkest shades of linear light, 8 bits have lost
// what a twin still shows; there the twin is what Little CMS makes of the file.
func TestAgreement(t *testing.T) {
	const maxBits, maxScore = 8, 0.002
	for name, twin := range map[string]string{
		"icc_adobe.jpg": ".twin.png", "icc_p3.jpg": ".twin.png", "icc_p3_red.png": ".twin.png", "icc_grey_linear.png": ".lcms.png",
		"gama1_linear16.png": ".twin.png", "eXIf6.png": ".twin.png", "orient6.tif": ".twin.png",
	} {
		c := compared(t, seen+name, seen+name+twin)
		if c.Hamming == nil || *c.Hamming > maxBits || c.ColorScore > maxScore {
			t.Errorf("%s: %+v", name, c)
		} else {
			t.Logf("%s: %d bits, score %.5f", name, *c.Hamming, c.ColorScore)
		}
	}
}

// compared encodes two pictures with the paper's profile and compares the files.
func compared(t *testing.T, a, b string) (c inspect.Comparison) {
	t.Helper()
	dir := t.TempDir()
	x, y := filepath.Join(dir, "x"), filepath.Join(dir, "y")
	succeed(t, "encode", a, "-o", x, "--profile", "paper")
	succeed(t, "encode", b, "-o", y, "--profile", "paper")
	if err := json.Unmarshal([]byte(succeed(t, "compare", x, y, "--json")), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// writeChunked writes a PNG with a chunk behind its header.
func writeChunked(t *testing.T, path string, img image.Image, name, body string) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	const header = 8 + 12 + 13
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	chunk = append(append(chunk, name...), body...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	data := append(append(bytes.Clone(b.Bytes()[:header]), chunk...), b.Bytes()[header:]...)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestWarning checks that a picture that is read with a fault is encoded, and costs
// a line.
func TestWarning(t *testing.T) {
	dir := t.TempDir()
	a, b, fine := filepath.Join(dir, "a.png"), filepath.Join(dir, "b\x1b.png"), filepath.Join(dir, "c.png")
	img := image.NewGray(image.Rect(0, 0, 32, 32))
	writeChunked(t, a, img, "iCCP", "broken")
	writeChunked(t, b, img, "iCCP", "broken")
	writeChunked(t, fine, img, "tEXt", "Comment\x00fine")
	const what = ": warning: its colors may be off: invalid color profile: bad compression\n"
	r := coclico(t, "encode", a, "-o", filepath.Join(dir, "a.coclico"))
	if r.status != process.OK || r.stderr != "coclico: "+a+what || r.stdout != "" {
		t.Errorf("one file: %+v", r)
	}
	data, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	r = coclicoIn(t, t.Context(), data, "encode", "-", "-o", filepath.Join(dir, "a.coclico"))
	if r.status != process.OK || r.stderr != "coclico: standard input"+what {
		t.Errorf("standard input: %+v", r)
	}
	r = coclico(t, "encode", a, b, fine, "-o", filepath.Join(dir, "out"))
	if want := "coclico: " + a + what + "coclico: " + strings.ReplaceAll(b, "\x1b", "?") + what; r.status != process.OK || r.stderr != want {
		t.Errorf("many files: status %d, stderr %q, want %q", r.status, r.stderr, want)
	}
}

// TestBackground lays a white sign, which is lost on white, over other colors.
func TestBackground(t *testing.T) {
	dir := t.TempDir()
	sign := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	onBlue := image.NewNRGBA(sign.Rect)
	for i := range 64 * 64 {
		x, y := i%64, i/64
		onBlue.Set(x, y, color.NRGBA{0, 0, 255, 255})
		if x/16 == 1 || y/16 == 2 {
			sign.Set(x, y, color.White)
			onBlue.Set(x, y, color.White)
		}
	}
	a, b := filepath.Join(dir, "sign.png"), filepath.Join(dir, "blue.png")
	writeChunked(t, a, sign, "tEXt", "Comment\x00clear")
	writeChunked(t, b, onBlue, "tEXt", "Comment\x00blue")
	want := succeed(t, "encode", b, "-o", "-")
	for _, c := range []string{"#00f", "#0000FF"} {
		if got := succeed(t, "encode", a, "-o", "-", "--background", c); got != want {
			t.Errorf("over %s the sign is not what it is on blue", c)
		}
	}
	plain := succeed(t, "encode", a, "-o", "-")
	if plain == want || plain != succeed(t, "encode", a, "-o", "-", "--background", "white") {
		t.Error("the background is not white by default")
	}
	if got := succeed(t, "encode", b, "-o", "-", "--background", "black"); got != want {
		t.Error("an opaque picture has a background")
	}
	fail(t, process.Usage, []string{"--background red: not white, black, gray, #rgb or #rrggbb"}, "encode", a, "-o", "-", "--background", "red")
}
