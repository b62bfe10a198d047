package hub

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/coclico/coclico/weights"
)

// TestCopyWithoutLinks: where the system has no links, a file is copied in place
// of the draft that a killed pull left, and no longer than the pull lasts.
func TestCopyWithoutLinks(t *testing.T) {
	defer func() { hardLink = os.Link }()
	hardLink = func(string, string) error { return errors.ErrUnsupported }
	c, r := Cache(t.TempDir()), Repo{"someone", "tiny-unclip"}
	data := bytes.Repeat([]byte("0123456789"), 1000)
	f := File{Path: "unet/a.safetensors", Size: int64(len(data)), Hash: "0a"}
	blob, path := c.blob(r, f.Hash), filepath.Join(c.snapshot(r, "main"), "unet", "a.safetensors")
	for name, data := range map[string][]byte{blob: data, weights.DraftOf(path): data[:100]} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.link(ended, r, "main", f, true); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := c.link(t.Context(), r, "main", f, true); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes (%v)", len(got), err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left %v (%v)", left, err)
	}
}
