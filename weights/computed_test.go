package weights

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestComputed writes tensors that a program has made and reads them again.
func TestComputed(t *testing.T) {
	a, b := NewTensor("a", []float32{1, -2, 3, 4, 5, 6}, 2, 3), NewTensor("b", nil, 0)
	s := StoreOf("made", a, NewTensor("a", []float32{0}, 1), a, b)
	if got := s.Scope().Tensor("a", 2, 3).Float32s(); !slices.Equal(got, a.Float32s()) {
		t.Errorf("a is %v", got)
	}
	if err := s.Err(); err == nil || !strings.HasPrefix(err.Error(), "made: ") {
		t.Errorf("b is unread: %v", err)
	}
	var file bytes.Buffer
	if err := WriteTensors(t.Context(), &file, []Tensor{b, a}, nil); err != nil {
		t.Fatal(err)
	}
	read, err := ReadSafetensors("file", file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := read.Lookup("a"); !ok || !bytes.Equal(got.Data, a.Data) || !slices.Equal(read.Names(), []string{"a", "b"}) {
		t.Errorf("read are %v, a is %v", read.Names(), got)
	}
	if _, err := ReadSafetensors("file", file.Bytes()[:20]); err == nil || !strings.HasPrefix(err.Error(), "file: ") {
		t.Errorf("a truncated file: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("values that do not fit the shape are accepted")
		}
	}()
	NewTensor("c", make([]float32, 5), 2, 3)
}

func TestOpenAs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.bin")
	if err := os.WriteFile(path, []byte("\x00\x00\x80\x3f"), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := OpenAs(path, func(data []byte) ([]Tensor, error) {
		return []Tensor{{Name: "one", DType: F32, Data: data}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	one, _ := s.Lookup("one")
	one.Release() // a view of the mapped file
	if got := one.Float32s(); !slices.Equal(got, []float32{1}) || s.Name() != path {
		t.Errorf("%s has %v", s.Name(), got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := OpenAs(path, func([]byte) ([]Tensor, error) { return nil, io.ErrUnexpectedEOF }); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("an error of parse: %v", err)
	}
}
