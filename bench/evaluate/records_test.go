package evaluate

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const aRecord = `{"row":"paper","picture":"a.png","source":"0"}` + "\n"

// TestJournalOfOthers: a file that is no journal stays as it is, and of a journal
// a torn end is cut off.
func TestJournalOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), journalName)
	for text, want := range map[string]string{
		`{"my":"only copy"}`:                         `{"my":"only copy"}`,
		`{"id":1,"text":"mine"}` + "\n" + `{"id":2}`: `{"id":1,"text":"mine"}` + "\n" + `{"id":2}`,
		aRecord + "{}\n":                             aRecord + "{}\n",
		"\n\x00":                                     "\n\x00",

		"":                         "",
		`{"ro`:                     "",
		`{"row":"paper","pict`:     "",
		aRecord + "\x00\x00":       aRecord,
		aRecord + `{"my":"only co`: aRecord,
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		j, err := openJournal(path, nil)
		if err == nil {
			err = j.close()
		} else if !strings.HasPrefix(err.Error(), path+": ") || !strings.HasSuffix(err.Error(), ": choose another folder") {
			t.Errorf("%q: %v", text, err)
		} else {
			err = nil
		}
		if data, readErr := os.ReadFile(path); err != nil || readErr != nil || string(data) != want {
			t.Errorf("%q became %q, want %q (%v, %v)", text, data, want, err, readErr)
		}
	}
}

// TestJournalShared: a journal that another process has locked is neither read
// nor changed, and a whole one is not cut, which would take away what another
// process has added since it was read.
func TestJournalShared(t *testing.T) {
	path, text := filepath.Join(t.TempDir(), journalName), aRecord
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
