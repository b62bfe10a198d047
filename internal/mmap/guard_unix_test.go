//go:build unix

package mmap

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unsafe"
)

// TestGuard: reading behind the end of a file is an error. Errors pass, and so do
// other panics, those of nil pointers too.
func TestGuard(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, make([]byte, 100), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := Map(f, 100)
	if err != nil {
		t.Skip(err)
	}
	defer Unmap(data)
	read := func() error {
		if data[64] != 0 {
			return errors.New("not what was written")
		}
		return nil
	}
	if err := Guard(read); err != nil {
		t.Error(err)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	var fault *Fault
	if err := Guard(read); !errors.As(err, &fault) || fault.Addr != uintptr(unsafe.Pointer(&data[64])) {
		t.Errorf("%v, want a fault at %p", err, &data[64])
	}
	if err := Guard(func() error { return os.ErrExist }); err != os.ErrExist {
		t.Error(err)
	}
	for what, f := range map[string]func(){
		"a panic":       func() { panic("a panic") },
		"a nil pointer": func() { *(*int)(nil) = 1 },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is no panic any more", what)
				}
			}()
			_ = Guard(func() error { f(); return nil })
		}()
	}
}
