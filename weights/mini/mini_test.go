package mini

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"flag"
	"io"
	"io/fs"
	"maps"
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
	z, err := flate.NewWriter(s.w, flate.HuffmanOnly)
	if err != nil {
		return err
	}
	if _, err := z.Write(s.high); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	_, err = s.w.Write(s.low)
	s.high, s.low = s.high[:0], s.low[:0]
	return err
}

func (s *splitter) Close() error {
	switch {
	case s.half:
		return errors.New("mini: half a number at the end")
	case len(s.high) == 0:
		return nil
	}
	return s.flush()
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

// TestFloat16: numbers survive, whatever pieces they are written and read in,
// and what was cut is an error.
func TestFloat16(t *testing.T) {
	for _, n := range []int{0, 2, 4, 2*block - 2, 2 * block, 2*block + 2, 6*block + 10} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(i * i >> (i & 7))
		}
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
		if got, err := io.ReadAll(newJoiner(bytes.NewReader(packed.Bytes()))); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: read otherwise (%v)", n, err)
		}
		if n == 0 {
			continue
		}
		for _, cut := range []int{1, 2, packed.Len() / 2} {
			if _, err := io.ReadAll(newJoiner(bytes.NewReader(packed.Bytes()[:packed.Len()-cut]))); cut < packed.Len() && err == nil {
				t.Errorf("%d bytes: %d bytes less are no error", n, cut)
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
