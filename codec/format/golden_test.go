package format

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"hash/crc32"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A golden is a file in testdata, of a name's parameters: the file as it has to be written for ever, and as it has to be read.
type golden struct {
	name  string
	h     Header
	s     Symbols
	prior Prior
	data  []byte
}

var update = flag.Bool("update", false, "write the golden files that are not there")

// parameterSets are the headers of the golden files.
func parameterSets() map[string]Header {
	sets := map[string]Header{}
	add := func(name string, change func(h *Header)) {
		h := NewHeader(768)
		change(&h)
		sets[name] = h
	}
	add("default", func(*Header) {})
	for _, n := range []int{2, 4, 16, 32, 64} {
		add(fmt.Sprintf("map-%d", n), func(h *Header) { h.MapSize = n })
	}
	for _, b := range []int{1, 3, 4, 5, 8} {
		add(fmt.Sprintf("color-bits-%d", b), func(h *Header) { h.ColorBits = b })
	}
	for _, a := range []int{2, 4, 8, 16} {
		add(fmt.Sprintf("clip-bits-%d", a), func(h *Header) { h.DimensionBits = a })
	}
	for _, dim := range []int{1, 32, 1024} {
		add(fmt.Sprintf("dim-%d", dim), func(h *Header) { *h = NewHeader(dim) })
	}
	for _, s := range []Shape{1, 32, 42, 63} {
		add(fmt.Sprintf("shape-%d", s), func(h *Header) { h.Shape = s })
	}
	add("settings", func(h *Header) { h.Steps, h.Guidance, h.Strength, h.Seed = 50, 750, 600, 1<<63+5 })
	add("zeros", func(h *Header) { h.Steps, h.Guidance, h.Strength, h.Seed = 1, 0, 0, 1 })
	for _, total := range []int{1, 200, 768, 3000, 3840} {
		add(fmt.Sprintf("tuned-%d", total), func(h *Header) {
			*h = h.WithProfile(Tuned)
			h.VectorBits, h.Spread, h.Range = total, 2, Range{Low: 1, High: 2, Chroma: 5}
		})
	}
	add("tuned-everything", func(h *Header) {
		h.Params = Params{Dimensions: 768, DimensionBits: 1, MapSize: 12, ColorBits: 3}
		*h = h.WithProfile(Tuned)
		h.VectorBits, h.Shape, h.Seed, h.Color = 1000, 20, 77, 55
	})
	add("candidate-1", func(h *Header) { *h = h.WithProfile(Tuned); h.Candidate = 1 })
	add("candidate-63", func(h *Header) { h.Seed, h.Shape, h.Candidate = 9, 20, 63 })
	add("prompt-fox", func(h *Header) { *h = h.WithProfile(Tuned); h.Prompt = "a photo of a fox" })
	add("prompt-tokyo", func(h *Header) {
		h.Prompt, h.Candidate, h.Seed = "東京タワーの夕暮れ, Café “Ünal” 🦊", 5, 3
	})
	add("prompt-long", func(h *Header) { h.Prompt = strings.Repeat("0123456789abcde ", 12) })
	add("everything", func(h *Header) {
		*h = Header{Params: Params{Dimensions: 640, DimensionBits: 3, MapSize: 10, ColorBits: 6}, VectorBits: 640,
			Shape: 45, Steps: 1000, Guidance: 65535, Strength: 1000, Seed: 12345}
	})
	return sets
}

// goldens returns the golden files.
func goldens(t *testing.T) []golden {
	t.Helper()
	var all []golden
	for name, h := range parameterSets() {
		kinds := []string{"random", "flat", "smooth"}
		if name == "clip-bits-8" {
			kinds = append(kinds, "unlikely")
		}
		for kind, kindName := range kinds {
			rng := rand.New(rand.NewSource(int64(kind)))
			m := goldenPrior(h.Dimensions)
			h.Fingerprint = m.Fingerprint
			g := golden{name: name + "-" + kindName, h: h, prior: m, s: randomSymbols(rng, h, h.vectorCoder(m), kind)}
			if kindName == "unlikely" {
				g.s = unlikelySymbols(h)
			}
			path := filepath.Join("testdata", "golden", g.name+".hex")
			if *update {
				writeGolden(t, path, g)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if g.data, err = hex.DecodeString(strings.Join(strings.Fields(string(text)), "")); err != nil {
				t.Fatal(err)
			}
			all = append(all, g)
		}
	}
	return all
}

// unlikelySymbols returns a map that codes well, so that the file is not stored,
// and a vector that does not follow its prior: values near -0.9 and 0.9. With
// this seed a reader that takes each code for one symbol goes wrong.
func unlikelySymbols(h Header) Symbols {
	rng := rand.New(rand.NewSource(13))
	s := zeroSymbols(h)
	for i := range 4 {
		s.Y[i] = uint8(rng.Intn(1 << h.ColorBits))
	}
	most := 1<<h.DimensionBits - 1
	for i := range s.Vector {
		s.Vector[i] = uint16(most/24 + rng.Intn(most/24+1))
		if rng.Intn(2) == 0 {
			s.Vector[i] = uint16(most) - s.Vector[i]
		}
	}
	return s
}

// goldenPrior has means of -1/4 to 1/4 and deviations of 1/2 to 1.
func goldenPrior(dim int) Prior {
	m := Prior{0x2a7, make([]Moment, dim)}
	for i := range m.Moments {
		m.Moments[i] = Moment{Mean: int64(i*40503%1024-512) << 13, Std: int64(512+i*48271%512) << 14}
	}
	return m
}

func writeGolden(t *testing.T, path string, g golden) {
	if _, err := os.Stat(path); err == nil {
		return
	}
	text := hex.EncodeToString(Marshal(g.h, g.s, g.prior))
	var lines strings.Builder
	for len(text) > 120 {
		lines.WriteString(text[:120] + "\n")
		text = text[120:]
	}
	if err := os.WriteFile(path, []byte(lines.String()+text+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestGolden: the format has not moved. testdata/golden.sums has checksums of the symbols, by which testdata/read.py, another
// reader, is judged.
func TestGolden(t *testing.T) {
	sums := map[string]string{}
	for _, g := range goldens(t) {
		sums[g.name] = symbolSum(g.s, g.h.Prompt)
		if data := Marshal(g.h, g.s, g.prior); !bytes.Equal(data, g.data) {
			t.Errorf("%s is written as %x, want %x", g.name, data, g.data)
		}
		h, s, err := read(g.data, g.prior)
		if err != nil || h != g.h.normal() || !reflect.DeepEqual(s, g.s) {
			t.Errorf("%s is read as something else (%v)", g.name, err)
		}
	}
	var lines []string
	for name, sum := range sums {
		lines = append(lines, name+" "+sum+"\n")
	}
	slices.Sort(lines)
	path := filepath.Join("testdata", "golden.sums")
	if *update {
		if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != strings.Join(lines, "") {
		t.Errorf("%s is of other symbols (%v)", path, err)
	}
}

// symbolSum returns the checksum of a file's symbols and its prompt.
func symbolSum(s Symbols, prompt string) string {
	var words []string
	for _, code := range s.Vector {
		words = append(words, fmt.Sprint(code))
	}
	for _, plane := range [][]uint8{s.Y, s.U, s.V} {
		for _, code := range plane {
			words = append(words, fmt.Sprint(code))
		}
	}
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(strings.Join(words, " ")+prompt)))
}
