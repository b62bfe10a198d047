package mini

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"io/fs"
	"maps"
	"math/bits"
	"os"
	"path"
	"slices"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "write mini.zip anew")

// folder returns the files of the model as they are in this folder, which has
// more: a model's are those that package weights reads.
func folder(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, pattern := range []string{
		"model_index.json", "*/config.json", "*/preprocessor_config.json", "*/scheduler_config.json",
		"*/model.safetensors", "*/diffusion_pytorch_model.safetensors",
	} {
		names, err := fs.Glob(os.DirFS("."), pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files (%v)", pattern, len(names), err)
		}
		for _, name := range names {
			if files[name], err = os.ReadFile(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

// A splitter collects numbers and writes them in blocks.
type splitter struct {
	w         io.Writer
	high, low []byte
	half      bool // the next byte is a high one
}

func newSplitter(w io.Writer) (io.WriteCloser, error) { return &splitter{w: w}, nil }

func (s *splitter) Write(p []byte) (int, error) {
	for _, b := range p {
		if s.half {
			s.high = append(s.high, b)
		} else {
			s.low = append(s.low, b)
		}
		if s.half = !s.half; len(s.high) == block {
			if err := s.flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

func (s *splitter) flush() error {
	var counts [256]int
	for _, b := range s.high {
		counts[b]++
	}
	lengths := codeLengths(counts)
	h := header{Numbers: uint32(len(s.high))}
	var codes [256]int
	next := 0
	for length := 1; length <= maxLength; length++ {
		for b := range 256 {
			if lengths[b] == length {
				h.Lengths[b/2] |= byte(length) << (b % 2 * 4)
				codes[b] = next >> (maxLength - length)
				next += 1 << (maxLength - length)
			}
		}
	}
	var code []byte
	bit := 0
	for _, b := range s.high {
		for k := lengths[b] - 1; k >= 0; k-- {
			if bit%8 == 0 {
				code = append(code, 0)
			}
			code[bit/8] |= byte(codes[b]>>k&1) << (7 - bit%8)
			bit++
		}
	}
	code = append(code, make([]byte, padding)...)
	h.Code = uint32(len(code))
	err := binary.Write(s.w, binary.LittleEndian, h)
	for _, part := range [][]byte{code, s.low} {
		if err == nil {
			_, err = s.w.Write(part)
		}
	}
	s.high, s.low = s.high[:0], s.low[:0]
	return err
}

func (s *splitter) Close() error {
	switch {
	case s.half:
		return errors.New("half a number at the end")
	case len(s.high) == 0:
		return nil
	}
	return s.flush()
}

// codeLengths returns the lengths of Huffman's codes. If one is longer than
// maxLength, it tries again with counts that differ less.
func codeLengths(counts [256]int) (lengths [256]int) {
	type tree struct{ count, bytes int }
	for {
		var trees []tree
		var members [][]int
		for b, n := range counts {
			if n > 0 {
				trees, members = append(trees, tree{n, len(members)}), append(members, []int{b})
			}
		}
		lengths = [256]int{}
		if len(trees) == 1 {
			lengths[members[0][0]] = 1
		}
		for len(trees) > 1 {
			slices.SortFunc(trees, func(a, b tree) int { return cmp.Compare(a.count, b.count) })
			joined := slices.Concat(members[trees[0].bytes], members[trees[1].bytes])
			for _, b := range joined {
				lengths[b]++
			}
			trees[1] = tree{trees[0].count + trees[1].count, len(members)}
			trees, members = trees[1:], append(members, joined)
		}
		if slices.Max(lengths[:]) <= maxLength {
			return lengths
		}
		for b, n := range counts {
			counts[b] = (n + 1) / 2
		}
	}
}

func pack(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(float16, newSplitter)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		method := zip.Deflate
		if path.Ext(name) == ".safetensors" {
			method = float16
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestZip: a program has the files of this folder, and no others.
func TestZip(t *testing.T) {
	want := folder(t)
	if *update {
		if err := os.WriteFile("mini.zip", pack(t, want), 0o666); err != nil {
			t.Fatal(err)
		}
		t.Skip("mini.zip is written: run the test again")
	}
	if err := fstest.TestFS(Files(), slices.Collect(maps.Keys(want))...); err != nil {
		t.Error(err)
	}
	err := fs.WalkDir(Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		got, err := fs.ReadFile(Files(), name)
		if err == nil && !bytes.Equal(got, want[name]) {
			t.Errorf("mini.zip has another %s than the folder: go test ./weights/mini -run Zip -update", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// split returns data as a splitter writes it, in several pieces.
func split(t *testing.T, data []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := newSplitter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	for piece := range slices.Chunk(data, 9973) {
		if _, err := w.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func join(packed []byte) ([]byte, error) { return io.ReadAll(newJoiner(bytes.NewReader(packed))) }

// TestFloat16: numbers survive, however many there are and however often each
// byte, and what was cut is an error.
func TestFloat16(t *testing.T) {
	for name, value := range map[string]func(i int) byte{
		"one value": func(int) byte { return 7 },
		"many":      func(i int) byte { return byte(i * i >> (i & 7)) },
		"rare ones": func(i int) byte { return byte(bits.TrailingZeros(uint(i/2 + 1))) }, // longer codes than are allowed
	} {
		for _, n := range []int{0, 2, 4, 2*block - 2, 2 * block, 2*block + 2, 6*block + 10} {
			data := make([]byte, n)
			for i := range data {
				data[i] = value(i)
			}
			packed := split(t, data)
			if got, err := join(packed); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s, %d bytes: read otherwise (%v)", name, n, err)
			}
			for _, cut := range []int{1, 2, len(packed) / 2} {
				if _, err := join(packed[:max(0, len(packed)-cut)]); n > 0 && err == nil {
					t.Errorf("%s, %d bytes: %d bytes less are no error", name, n, cut)
				}
			}
		}
	}
	w, err := newSplitter(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 3)); err != nil || w.Close() == nil {
		t.Errorf("an odd number of bytes is no error (%v)", err)
	}
}

// TestAltered: a block that was altered anywhere is an error or other numbers.
func TestAltered(t *testing.T) {
	data := make([]byte, 1000)
	for i := range data {
		data[i] = byte(i * i)
	}
	packed := split(t, data)
	for i := range packed {
		for bit := range 8 {
			packed[i] ^= 1 << bit
			if got, err := join(packed); err == nil && bytes.Equal(got, data) && i < len(packed)-len(data)/2-padding-1 { // the codes end inside of a byte
				t.Errorf("bit %d of byte %d makes no difference", bit, i)
			}
			packed[i] ^= 1 << bit
		}
	}
}

func BenchmarkUnpack(b *testing.B) {
	const name = "unet/diffusion_pytorch_model.safetensors"
	for b.Loop() {
		data, err := fs.ReadFile(Files(), name)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(data)))
	}
}
