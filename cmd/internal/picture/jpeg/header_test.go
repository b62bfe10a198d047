package jpeg

import (
	"strings"
	"testing"
)

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
		frame(0xc0, "\x08\x00\x00\x00\x08\x01\x01\x11\x00"):  "height that follows",
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
