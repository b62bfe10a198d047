package evaluate

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestJournalShared: a journal that another process has locked is neither read
// nor changed, and a whole one is not cut, which would take away what another
// process has added since it was read.
func TestJournalShared(t *testing.T) {
	path, text := filepath.Join(t.TempDir(), "records.jsonl"), `{"row":"paper","picture":"a.png"}`+"\n"
	if err := os.WriteFile(path, []byte(text+"torn"), 0o666); err != nil {
		t.Fatal(err)
	}
	busy := errors.New("busy")
	if _, err := openJournal(path, func(*os.File) error { return busy }); !errors.Is(err, busy) {
		t.Errorf("error %v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != text+"torn" {
		t.Errorf("another process's journal became %q (%v)", data, err)
	}
	open := func() {
		t.Helper()
		j, err := openJournal(path, nil)
		if err != nil || len(j.last) != 1 {
			t.Fatal(err)
		}
		if err := j.close(); err != nil {
			t.Fatal(err)
		}
	}
	if open(); len(text) != size(t, path) {
		t.Error("a torn line is not cut off")
	}
	long := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	open()
	if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(long) {
		t.Errorf("a whole journal was cut (%v)", err)
	}
}

func size(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Size())
}
