package jpeg

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestLateHeight: the height of a picture follows its first scan.
func TestLateHeight(t *testing.T) {
	files := samples(t)
	files["scans"] = read(t, "scans.jpg")
	for name, data := range files {
		want, _, err := Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		late := bytes.Clone(data)
		at := max(bytes.Index(data, []byte{0xff, sof0, 0}), bytes.Index(data, []byte{0xff, sof2, 0})) + 5
		height := data[at : at+2]
		late[at], late[at+1] = 0, 0
		end := endOf(data, scansOf(data)[0])
		with := func(height ...byte) []byte {
			return slices.Concat(late[:end], []byte{0xff, dnl, 0, byte(2 + len(height))}, height, late[end:])
		}
		img, fault, err := Decode(bytes.NewReader(with(height...)))
		if err != nil || fault != "" {
			t.Errorf("%s: %q, %v", name, fault, err)
		} else if d := difference(t, img, want); d > rounding {
			t.Errorf("%s: differs by %d", name, d)
		}
		if cfg, err := DecodeConfig(bytes.NewReader(with(height...))); err != nil || cfg.Height != want.Bounds().Dy() {
			t.Errorf("%s: config %v, %v", name, cfg, err)
		}
		for _, bad := range [][]byte{late, with(0, 0), with(0), with(0, 1, 0)} {
			if _, _, err := Decode(bytes.NewReader(bad)); err != FormatError("picture without a height") {
				t.Errorf("%s, with a broken height: %v", name, err)
			}
		}
		if _, _, err := Decode(bytes.NewReader(with(height...)[:end+5])); err != io.ErrUnexpectedEOF {
			t.Errorf("%s, cut in its height: %v", name, err)
		}
		scan := scansOf(data)[0]
		damaged := slices.Concat(late[:scan+16], with(height...)[end:])
		if _, _, err := Decode(bytes.NewReader(damaged)); err != io.ErrUnexpectedEOF {
			t.Errorf("%s, almost without its first scan: %v", name, err)
		}
	}
}

// TestNoWidth: only a height may follow.
func TestNoWidth(t *testing.T) {
	for name, data := range samples(t) {
		at := max(bytes.Index(data, []byte{0xff, sof0, 0}), bytes.Index(data, []byte{0xff, sof2, 0})) + 7
		data[at], data[at+1] = 0, 0
		if _, _, err := Decode(bytes.NewReader(data)); err != FormatError("picture without a width") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnsupported(t *testing.T) {
	frame := func(marker byte, rest string) string {
		return "\xff\xd8\xff" + string([]byte{marker}) + "\x00\x0b" + rest + "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
	}
	const baseline = "\x08\x00\x08\x00\x08\x01\x01\x11\x00"
	for data, says := range map[string]string{
		frame(0xc1, "\x0c\x00\x08\x00\x08\x01\x01\x11\x00"):  "12 bits a channel",
		frame(0xc3, baseline):                                "lossless coding",
		frame(0xc5, baseline):                                "hierarchical coding",
		frame(0xc9, baseline):                                "arithmetic coding",
		frame(0xf7, baseline):                                "JPEG-LS",
		string(read(t, "arithmetic.jpg")):                    "arithmetic coding",
		string(renamed(read(t, "scans.jpg"), sof0, 1)):       "planes of one name in several scans",
		string(renamed(read(t, "progressive.jpg"), sof2, 1)): "planes of one name in several scans",
	} {
		_, _, err := Decode(strings.NewReader(data))
		if _, ok := err.(UnsupportedError); !ok || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %s", err, says)
		}
	}
}
