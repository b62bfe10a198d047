package container

import (
	"bytes"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
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

// FuzzHeader: what is read of a header can be written, and says the same again.
func FuzzHeader(f *testing.F) {
	addGoldens(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := ReadHeader(data)
		if err != nil {
			return
		}
		if err := h.Validate(); err != nil {
			t.Fatalf("%+v: %v", h, err)
		}
		if h.EmbeddingDim > 1024 || h.MapSize > 16 {
			return // slow
		}
		m := goldenModel(h.EmbeddingDim)
		m.Fingerprint = h.Fingerprint
		if again, err := ReadHeader(Marshal(h, h.symbols(), m)); err != nil || again != h {
			t.Fatalf("%+v is read again as %+v (%v)", h, again, err)
		}
	})
}

// FuzzUnmarshal: a file is refused, or it is what its symbols are written as.
func FuzzUnmarshal(f *testing.F) {
	addGoldens(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := ReadHeader(data)
		if err != nil || h.EmbeddingDim > 1024 {
			return
		}
		if _, c, err := ReadColour(data); err == nil {
			if s, err := SplitOf(data); err != nil || math.Abs(s.Header+s.Colour+s.Vector-float64(len(data))) > 1e-9 || len(c.Y) != h.MapSize*h.MapSize {
				t.Fatalf("%+v of %d bytes (%v)", s, len(data), err)
			}
		}
		m := goldenModel(h.EmbeddingDim)
		if _, s, err := Unmarshal(data, m, true); err == nil && len(s.Embedding) != h.EmbeddingDim {
			t.Fatal("read by force, and not whole")
		}
		m.Fingerprint = h.Fingerprint
		_, s, err := Unmarshal(data, m, false)
		if err == nil && !bytes.Equal(Marshal(h, s, m), data) {
			t.Fatal("its symbols are another file")
		}
	})
}
