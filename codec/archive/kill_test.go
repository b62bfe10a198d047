package archive

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// childVar makes the test binary a writer that is to be killed: "KIND FOLDER".
const childVar = "COCLICO_ARCHIVE_CHILD"

// killsVar is how often each kind of writer is killed.
const killsVar = "COCLICO_ARCHIVE_KILLS"

func TestMain(m *testing.M) {
	if kind, dir, ok := strings.Cut(os.Getenv(childVar), " "); ok {
		err := limitFiles()
		if err == nil {
			err = killed(kind, dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// limitFiles limits the size of a child's files, where a test wants that.
var limitFiles = func() error { return nil }

const killRows = 2000

// killed does what a writer of a kind does, again each time: it creates an
// archive, or adds rows, replaces and removes some, or compacts it.
func killed(kind, dir string) error {
	fmt.Println("begun")
	w, err := NewWriter(dir, testOptions(300))
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, uint64(len(kind))))
	for n := range killRows {
		switch i := r.IntN(killRows); kind {
		case "create":
			err = w.Add(testRow(testName(n), 1))
		case "add":
			err = w.Add(testRow(testName(i+killRows/2), 2+i))
		case "remove":
			if i%5 == 0 {
				err = w.Remove(testName(i))
			}
		}
		if err == nil && n%250 == 249 {
			err = w.Flush()
		}
		if err == nil && kind == "compact" && n == 0 {
			err = w.Compact(context.Background(), nil)
		}
		if err != nil {
			return err
		}
	}
	return w.Close()
}

// TestKilled kills writers at random moments with SIGKILL. What they leave is an
// archive whose rows are each as they were before or as they become, none twice,
// and the same writer, run again, makes of it what it makes without being
// killed.
func TestKilled(t *testing.T) {
	kills := 4
	if s := os.Getenv(killsVar); s != "" {
		kills, _ = strconv.Atoi(s)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	before := t.TempDir()
	for _, kind := range []string{"create", "add", "remove", "compact"} {
		after := copyFolder(t, before)
		took := runChild(t, kind, after, -1)
		old, want := rowsOf(t, before), rowsOf(t, after)
		dead := 0
		for n := range kills {
			dir := copyFolder(t, before)
			for range 1 + r.IntN(3) { // killed more than once, perhaps
				if runChild(t, kind, dir, time.Duration(r.Int64N(int64(took)))) < 0 {
					dead++
				}
				for name, row := range rowsOf(t, dir) {
					if row != old[name] && row != want[name] {
						t.Fatalf("%s %d: %s is neither old nor new", kind, n, name)
					}
				}
			}
			runChild(t, kind, dir, -1)
			if got := rowsOf(t, dir); !maps.Equal(got, want) {
				t.Fatalf("%s %d: %d rows, want %d", kind, n, len(got), len(want))
			}
			checkFolder(t, dir)
		}
		t.Logf("%s: %d kills in %d archives, each within %v, %d rows", kind, dead, kills, took.Round(time.Millisecond), len(want))
		before = after
	}
}

// runChild runs a writer and kills it after a time, unless that is negative. It
// returns how long it took from its beginning to its end, negative if it was
// killed.
func runChild(t *testing.T, kind, dir string, after time.Duration) time.Duration {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+kind+" "+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	start := time.Now()
	if after >= 0 {
		time.Sleep(after)
		cmd.Process.Kill()
	}
	if err := cmd.Wait(); err != nil {
		if after < 0 || stderr.Len() > 0 {
			t.Fatalf("%s: %v: %s", kind, err, stderr.String())
		}
		return -1
	}
	return max(time.Since(start), 1)
}

func copyFolder(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// rowsOf returns the rows of an archive as strings, none if there is no archive
// yet. A row that comes twice fails the test.
func rowsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	rows := map[string]string{}
	if _, err := os.Stat(dir + "/" + ManifestName); err != nil {
		return rows
	}
	a, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for r, err := range a.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := rows[r.Name]; twice {
			t.Fatalf("%s comes twice", r.Name)
		}
		rows[r.Name] = fmt.Sprintf("%x %d %v %s", r.Data, r.Width, r.Time, r.Error)
	}
	return rows
}

// checkFolder fails if a folder has anything but an archive, or a damaged one.
func checkFolder(t *testing.T, dir string) {
	t.Helper()
	a := openTest(t, dir)
	for s, err := range a.Check(t.Context(), nil) {
		if err != nil {
			t.Errorf("%s: %v", s.Info.Name, err)
		}
	}
	want := []string{lockName, ManifestName}
	for _, s := range a.Manifest().Shards {
		want = append(want, s.Name)
	}
	var got []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the folder has %q, want %q", got, want)
	}
}
