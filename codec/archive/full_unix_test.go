//go:build unix

package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// limitVar is the greatest size of a file that a child may write, which then gets
// an error as from a full disk.
const limitVar = "COCLICO_ARCHIVE_LIMIT"

func init() {
	limitFiles = func() error {
		var n uint64
		if _, err := fmt.Sscan(os.Getenv(limitVar), &n); err != nil {
			return nil
		}
		signal.Ignore(syscall.SIGXFSZ)
		return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: n, Max: n})
	}
}

// TestFIFO: a FIFO in an archive, which may be a stranger's, is an error. Whoever
// opened it would wait forever.
func TestFIFO(t *testing.T) {
	dir := fill(t, testOptions(0), testRow("a", 1))
	m := openTest(t, dir).Manifest()
	fifo := func(dir, name string) {
		t.Helper()
		path := filepath.Join(dir, name)
		os.Remove(path)
		if err := unix.Mkfifo(path, 0o666); err != nil {
			t.Skip(err)
		}
	}
	next := copyFolder(t, dir)
	fifo(next, shardName(m.Next)) // as if another writer had added it, where there are no locks
	defer func(f func(*os.File) (bool, error)) { lockFile = f }(lockFile)
	lockFile = func(*os.File) (bool, error) { return false, nil }
	if _, err := NewWriter(next, testOptions(0)); !errors.Is(err, errIrregular) {
		t.Errorf("a shard that is not in the manifest: %v", err)
	}
	fifo(dir, shardName(0))
	if _, err := openTest(t, dir).Get("a"); !errors.Is(err, errIrregular) {
		t.Errorf("a shard: %v", err)
	}
	fifo(dir, ManifestName)
	if _, err := Open(dir); !errors.Is(err, errIrregular) {
		t.Errorf("the manifest: %v", err)
	}
}

// TestFull: a disk that is full ends a run with an error, in whichever file it
// strikes, and the archive is whole. When there is room again, the same run
// makes it complete.
func TestFull(t *testing.T) {
	before := t.TempDir()
	runChild(t, "create", before, -1)
	old := rowsOf(t, before)
	after := copyFolder(t, before)
	runChild(t, "add", after, -1)
	want := rowsOf(t, after)
	for _, limit := range []int{0, 100, 500, 3000, 20_000} {
		dir := copyFolder(t, before)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childVar+"=add "+dir, fmt.Sprintf("%s=%d", limitVar, limit))
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !strings.Contains(string(out), unix.EFBIG.Error()) {
			t.Fatalf("limit %d: %v: %s", limit, err, out)
		}
		// The line names the folder, and not a temporary file.
		if line := strings.TrimPrefix(string(out), "begun\n"); !strings.HasPrefix(line, dir+": ") || strings.Contains(line, tempSuffix) || strings.Count(line, "\n") != 1 {
			t.Errorf("limit %d: %q", limit, out)
		}
		for name, row := range rowsOf(t, dir) {
			if row != old[name] && row != want[name] {
				t.Fatalf("limit %d: %s is neither old nor new", limit, name)
			}
		}
		if n := len(rowsOf(t, dir)); n < len(old) {
			t.Fatalf("limit %d: %d rows of %d", limit, n, len(old))
		}
		runChild(t, "add", dir, -1)
		if got := rowsOf(t, dir); len(got) != len(want) {
			t.Errorf("limit %d: %d rows, want %d", limit, len(got), len(want))
		}
		checkFolder(t, dir)
	}
}

// TestGone: when the folder of an archive disappears, each method that writes
// returns one error, which begins with the folder and is the same for Close.
func TestGone(t *testing.T) {
	for _, c := range []struct {
		name  string
		write func(w *Writer) error
	}{
		{"add", func(w *Writer) error {
			w.opt.Interval = 1
			return w.Add(testRow("a", 1))
		}},
		{"flush", func(w *Writer) error { return errors.Join(w.Add(testRow("a", 1)), w.Flush()) }},
		{"close", func(w *Writer) error { return w.Add(testRow("a", 1)) }},
	} {
		dir := filepath.Join(t.TempDir(), "A")
		w, err := NewWriter(dir, testOptions(0))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		want := dir + ": no such file or directory"
		err = c.write(w)
		closed := w.Close()
		if closed == nil || closed.Error() != want {
			t.Errorf("%s: Close: %v", c.name, closed)
		}
		if c.name != "close" && (err == nil || err.Error() != want || !errors.Is(err, closed)) {
			t.Errorf("%s: %v, and then Close: %v", c.name, err, closed)
		}
	}
}

// TestMergeFails: a Merge that fails leaves the rows before the damage. If they
// cannot be committed, that is reported too.
func TestMergeFails(t *testing.T) {
	var rows []*Row
	for i := range 3000 {
		rows = append(rows, testRow(testName(i), 1))
	}
	from := fill(t, testOptions(0), rows...)
	spoilLastPage(t, filepath.Join(from, shardName(0)))
	dir := filepath.Join(t.TempDir(), "A")
	merge := func(progress func(done, total int64)) error {
		return Merge(t.Context(), dir, []*Archive{openTest(t, from)}, &Options{}, progress)
	}
	if err := merge(nil); !errors.Is(err, errSum) || errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	n := len(rowsOf(t, dir))
	if n < 1024 || n == len(rows) {
		t.Fatalf("%d rows", n)
	}
	wantRows(t, dir, rows[:n]...)
	if err := merge(func(int64, int64) { os.RemoveAll(dir) }); !errors.Is(err, errSum) || !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("that cannot be committed: %v", err)
	}
}
