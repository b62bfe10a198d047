package weights

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// rewrite writes a store's tensors, given in some order of names.
func rewrite(t *testing.T, s *Store, names []string) []byte {
	var specs []Spec
	for _, name := range names {
		x, _ := s.Lookup(name)
		specs = append(specs, Spec{name, x.DType, x.Shape})
	}
	var b bytes.Buffer
	err := WriteSafetensors(&b, specs, func(i int, w io.Writer) error {
		x, _ := s.Lookup(specs[i].Name)
		_, err := w.Write(x.Data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Whatever that order, the result is what the Python library writes.
func TestWriteEqualsPython(t *testing.T) {
	want, err := os.ReadFile("testdata/types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, "testdata/types.safetensors")
	if got := rewrite(t, s, s.Names()); !bytes.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestWriteErrors(t *testing.T) {
	two := []Spec{{Name: "a", Shape: []int{2}}, {Name: "b", Shape: []int{2}}}
	short := func(i int, w io.Writer) error { _, err := w.Write(make([]byte, 4-i)); return err }
	line(t, WriteSafetensors(io.Discard, two, short), "tensor b: 3 bytes written, 4 expected")
	line(t, WriteSafetensors(io.Discard, []Spec{{Name: "a"}, {Name: "a"}}, short), "tensor a: the name appears twice")
	line(t, WriteSafetensors(io.Discard, []Spec{{Name: "a\xFF"}}, short), `"a\xff": not a valid name`)
	line(t, WriteSafetensors(io.Discard, []Spec{{Name: "__metadata__"}}, short), "not a valid name")
	line(t, WriteSafetensors(io.Discard, []Spec{{Name: "a", Shape: make([]int, 9)}}, short), "9 dimensions")
	failure := errors.New("failure")
	if err := WriteSafetensors(io.Discard, two, func(int, io.Writer) error { return failure }); err != failure {
		t.Error(err)
	}
}

// TestWriteTensors: large tensors are written in pieces, which are reported, and
// writing stops between them.
func TestWriteTensors(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	large := NewTensor("a", make([]float32, 600_000), 600_000)
	var reports [][2]int64
	err := WriteTensors(ctx, io.Discard, []Tensor{large, NewTensor("b", []float32{1}, 1)}, func(done, total int64) {
		reports = append(reports, [2]int64{done, total})
		if len(reports) == 2 {
			cancel()
		}
	})
	const all = 4*600_000 + 4
	if want := [][2]int64{{1 << 20, all}, {2 << 20, all}}; err != context.Canceled || !slices.Equal(reports, want) {
		t.Errorf("reports %v and error %v, want %v and %v", reports, err, want, context.Canceled)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	expect := func(want string) {
		t.Helper()
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("%d files in the folder", len(entries))
		}
	}
	if err := WriteFile(path, text("one")); err != nil {
		t.Fatal(err)
	}
	expect("one")
	if err := WriteFile(path, text("two")); err != nil {
		t.Fatal(err)
	}
	expect("two")
	failure := errors.New("failure")
	if err := WriteFile(path, func(w io.Writer) error { io.WriteString(w, "three"); return failure }); err != failure {
		t.Error(err)
	}
	expect("two")
	line(t, WriteFile(filepath.Join(dir, "no", "x"), text("")), filepath.Join(dir, "no", "x")+": no such file")
	line(t, WriteFile(dir, text("")), dir+": ")
	expect("two")
}

// TestWriteFileSyncs: a file is on the disk before it has its name, and its name
// before WriteFile returns. A file that cannot be synced does not replace the
// old one.
func TestWriteFileSyncs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	expect := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%q, not %q (%v)", got, want, err)
		}
	}
	write := func() error {
		return WriteFile(path, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err })
	}
	if err := SyncFolder(filepath.Join(dir, "missing")); runtime.GOOS != "windows" && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that cannot be opened: error %v", err)
	}
	defer func() { syncFile = (*os.File).Sync }()
	failure := errors.New("failure")
	syncFile = func(*os.File) error { return failure }
	if err := write(); err != failure {
		t.Errorf("error %v", err)
	}
	expect("old")
	var synced []string
	syncFile = func(f *os.File) error {
		if f.Name() == dir {
			expect("new")
		} else {
			expect("old")
		}
		synced = append(synced, filepath.Dir(f.Name()))
		return f.Sync()
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	want := []string{dir, filepath.Dir(dir)} // the temporary file, and the folder
	if runtime.GOOS == "windows" {
		want = want[:1] // which syncs no folders
	}
	if !slices.Equal(synced, want) {
		t.Errorf("synced in %v, not in %v", synced, want)
	}
}
