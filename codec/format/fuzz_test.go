package format

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// addGoldens adds the golden files, whole and cut.
func addGoldens(f *testing.F) {
	names, err := filepath.Glob("testdata/golden/*.hex")
	if err != nil || len(names) == 0 {
		f.Fatal("no golden files", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		data, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
}

// FuzzParse: a file is refused, or its header and map can be written and are
// read again; all of it is refused, or what its symbols are written as.
func FuzzParse(f *testing.F) {
	addGoldens(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil || file.Dimensions > 1024 {
			return
		}
		h := file.Header
		if err := h.Validate(); err != nil {
			t.Fatalf("%+v: %v", h, err)
		}
		if n := storedBytes(h); len(data) > n || file.Stored() != (len(data) == n) {
			t.Fatalf("%+v: %d bytes, stored %v; %d stored", h, len(data), file.Stored(), n)
		}
		m := goldenPrior(h.Dimensions)
		if codes, err := file.Vector(m); h.Fingerprint != m.Fingerprint && (err != nil || len(codes) != h.Dimensions) {
			t.Fatalf("with another model's prior: %d codes (%v)", len(codes), err)
		}
		m.Fingerprint = h.Fingerprint
		codes, err := file.Vector(m)
		if err == nil && !bytes.Equal(Marshal(h, Symbols{codes, file.Map}, m), data) {
			t.Fatal("its symbols are another file's")
		}
		again, err := Parse(Marshal(h, Symbols{make([]uint16, h.Dimensions), file.Map}, m))
		if err != nil || again.Header != h || !reflect.DeepEqual(again.Map, file.Map) {
			t.Fatalf("%+v does not round-trip (%v)", h, err)
		}
	})
}
