package weights

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestKilled: the file that a killed run left goes with the next one, and a file
// that another process writes stays.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	path, draft := filepath.Join(dir, "model"), filepath.Join(dir, ".model.part")
	write := func() error {
		return WriteFile(path, func(w io.Writer) error {
			_, err := w.Write([]byte("whole"))
			return err
		})
	}
	if err := os.WriteFile(draft, []byte("a long beginning"), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(draft)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := Lock(f); err != nil {
		t.Fatal(err)
	}
	if other, err := os.Open(draft); err == nil && Lock(other) != nil { // not on all systems
		if err := write(); err != nil {
			t.Errorf("beside another process's file: %v", err)
		}
		if data, err := os.ReadFile(draft); err != nil || string(data) != "a long beginning" {
			t.Errorf("another process's file became %q (%v)", data, err)
		}
		other.Close()
	}
	f.Close() // as a killed process does
	if err := write(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "whole" {
		t.Errorf("%q, %v", data, err)
	}
}

// TestWriters: writers of one file at once leave a whole file, with locks and on a
// file system without them.
func TestWriters(t *testing.T) {
	for _, locks := range []bool{true, false} {
		if !locks {
			defer func(l func(*os.File) (bool, error)) { lock = l }(lock)
			lock = func(*os.File) (bool, error) { return false, nil }
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "model")
		whole := bytes.Repeat([]byte("whole"), 10000)
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				for range 20 {
					err := WriteFile(path, func(w io.Writer) error {
						_, err := w.Write(whole)
						return err
					})
					if data, err1 := os.ReadFile(path); err != nil || err1 != nil || !bytes.Equal(data, whole) {
						t.Errorf("locks %t: %v, %v, %d bytes", locks, err, err1, len(data))
					}
				}
			})
		}
		wait.Wait()
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("locks %t: %v, %v", locks, entries, err)
		}
	}
}
