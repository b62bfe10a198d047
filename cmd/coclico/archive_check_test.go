package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec/archive"
)

// TestCheckUnread: a shard that cannot be opened, here a link to itself, is not
// called damaged.
func TestCheckUnread(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "A")
	w, err := archive.NewWriter(dir, &archive.Options{Origin: archive.Origin{Fingerprint: "0123abcd"}, ShardRows: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		if err := w.Add(&archive.Row{Name: name, Data: []byte(name)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	check := func(want string) {
		t.Helper()
		if r := coclico(t, "archive", "check", dir); r.status != process.Failed || !strings.HasSuffix(r.stderr, want+", listed above\n") {
			t.Errorf("%+v", r)
		}
	}
	unread, damaged := filepath.Join(dir, "part-00000000.parquet"), filepath.Join(dir, "part-00000001.parquet")
	if err := os.Remove(unread); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Base(unread), unread); err != nil {
		t.Skip(err)
	}
	check(": 1 of 3 shards could not be read")
	if err := os.Truncate(damaged, 100); err != nil {
		t.Fatal(err)
	}
	check(": of 3 shards 1 are damaged and 1 could not be read")
}
