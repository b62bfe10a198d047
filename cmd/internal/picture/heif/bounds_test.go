//go:build !js

package heif

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func boxOf(name string, body ...[]byte) []byte {
	b := bytes.Join(body, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(b))), name...), b...)
}

// TestManyProperties: an item with many properties, which may be megabytes to
// read each, is refused.
func TestManyProperties(t *testing.T) {
	const entries = 100
	one := append([]byte{0, 1, 255}, bytes.Repeat([]byte{2}, 255)...)
	meta := boxOf("meta", []byte{0, 0, 0, 0}, boxOf("pitm", []byte{0, 0, 0, 0, 0, 1}),
		boxOf("iinf", []byte{0, 0, 0, 0, 0, 1}, boxOf("infe", []byte{2, 0, 0, 0, 0, 1, 0, 0}, []byte("hvc1\x00"))),
		boxOf("iprp",
			boxOf("ipco", boxOf("ispe", []byte{0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 64}), boxOf("colr", []byte("prof"), make([]byte, 1<<21))),
			boxOf("ipma", []byte{0, 0, 0, 0}, binary.BigEndian.AppendUint32(nil, entries+1), []byte{0, 1, 1, 1}, bytes.Repeat(one, entries))))
	file := append(boxOf("ftyp", []byte("heic\x00\x00\x00\x00mif1heic")), meta...)
	if _, err := ReadHeader(bytes.NewReader(file)); err != FormatError("too many properties of an item") {
		t.Errorf("error %v", err)
	}
}

// TestComplete: bytes behind the last box, which are no box, are not a cut.
func TestComplete(t *testing.T) {
	file := append(boxOf("ftyp", []byte("heic")), boxOf("mdat", make([]byte, 10))...)
	for _, rest := range []string{"", "trailing text of a phone", "\x00\x00\x00\x00\x00"} {
		if !complete(append(bytes.Clone(file), rest...)) {
			t.Errorf("followed by %q it is cut", rest)
		}
	}
	if complete(file[:len(file)-3]) {
		t.Error("a box that is cut is complete")
	}
}
