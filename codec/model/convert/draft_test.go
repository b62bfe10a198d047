package convert_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/codec/model/convert"
	"github.com/coclico/coclico/weights"
)

// TestKilled: the folder that a killed run left goes with the next one, and a
// folder that is somebody else's or another process's stays.
func TestKilled(t *testing.T) {
	model, dir := tiny(t), t.TempDir()
	draft := filepath.Join(dir, ".out.part")
	only := func(dir, want string) {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 || entries[0].Name() != want {
			t.Fatalf("%s has %v (%v), want %s", dir, entries, err, want)
		}
	}
	run := func() error {
		_, err := convert.Folder(t.Context(), model, filepath.Join(dir, "out"), convert.Options{EncoderOnly: true})
		return err
	}
	if err := os.MkdirAll(filepath.Join(draft, "unet"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := run(); err == nil || !strings.Contains(err.Error(), draft+" is in the way") {
		t.Errorf("a stranger's folder: error %v", err)
	}
	only(draft, "unet")
	lock := filepath.Join(draft, ".coclico.lock")
	f, err := weights.CreateDraft(weights.Disk{}, lock)
	if err != nil {
		t.Fatal(err)
	}
	if other, err := os.OpenFile(lock, os.O_WRONLY, 0); err == nil && weights.Lock(other) != nil { // not on all systems
		if err := run(); !errors.Is(err, weights.ErrBusy) {
			t.Errorf("another process's folder: error %v", err)
		}
		other.Close()
	}
	if _, err := os.Stat(filepath.Join(draft, "unet")); err != nil {
		t.Error(err)
	}
	f.Close() // as a killed process does
	if err := run(); err != nil {
		t.Fatal(err)
	}
	only(dir, "out")
	if _, err := os.Stat(filepath.Join(dir, "out", ".coclico.lock")); err == nil {
		t.Error("the lock is left in the model")
	}
}
