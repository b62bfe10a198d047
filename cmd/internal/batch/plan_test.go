package batch

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// tree makes files, each with its own name as content.
func tree(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func testPlan(out string) *Plan {
	return &Plan{
		Out: out, Kind: "texts",
		Wanted: func(path string) bool { return filepath.Ext(path) == ".txt" },
		Name:   func(name string) string { return name + ".up" },
	}
}

func TestJobs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	tree(t, dir, "a.txt", "b.dat", "in/c.txt", "in/sub/a.txt", "in/sub/b.dat", "in/.hidden/d.txt", "in/._c.txt", "in2/c.txt", "empty/b.dat", "x/in/c.txt")
	if err := os.Symlink("sub", "in/loop"); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(filepath.Join(dir, "a.txt"), "in/link.txt"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		inputs, out string
		want, says  string
	}{
		{inputs: "a.txt", out: "out", want: "a.txt>out/a.txt.up"},
		{inputs: "a.txt b.dat", out: "out", want: "a.txt>out/a.txt.up b.dat>out/b.dat.up"}, // what is named is meant
		{inputs: "in", out: "out", want: "in/c.txt>out/in/c.txt.up in/link.txt>out/in/link.txt.up in/sub/a.txt>out/in/sub/a.txt.up"},
		{inputs: "in/ in2", out: "out", want: "in/c.txt>out/in/c.txt.up in/link.txt>out/in/link.txt.up in/sub/a.txt>out/in/sub/a.txt.up in2/c.txt>out/in2/c.txt.up"},
		{inputs: "in/sub/. in2", out: "out", want: "in/sub/a.txt>out/a.txt.up in2/c.txt>out/in2/c.txt.up"},
		{inputs: "in2 in2/ in2/c.txt", out: "out/in2/..", want: "in2/c.txt>out/in2/c.txt.up in2/c.txt>out/c.txt.up"},
		{inputs: "a.txt in/sub/a.txt", out: "out", says: "a.txt and in/sub/a.txt would both become out/a.txt.up"},
		{inputs: "in x/in", out: "out", says: "in/c.txt and x/in/c.txt would both become"},
		{inputs: "in", out: "in/out", says: "in/out is in in"},
		{inputs: "in", out: "in", says: "the output folder in is in in"},
		{inputs: ".", out: "out", says: "out is in ."},
		{inputs: "in/sub", out: "in/loop/deep/out", says: "in/loop/deep/out is in in/sub"},
		{inputs: "empty", out: "out", says: "empty: no texts in this folder (1 other file passed over: 1 .dat)"},
		{inputs: "nothing", out: "out", says: "nothing: no such file"},
	} {
		jobs, _, err := testPlan(c.out).Jobs(t.Context(), strings.Fields(c.inputs))
		var got []string
		for _, j := range jobs {
			got = append(got, filepath.ToSlash(strings.TrimPrefix(j.Input, "./")+">"+j.Output))
		}
		switch {
		case c.says != "":
			if err == nil || !strings.Contains(filepath.ToSlash(err.Error()), c.says) {
				t.Errorf("%s -> %s: error %v, want %q", c.inputs, c.out, err, c.says)
			}
		case err != nil || strings.Join(got, " ") != c.want:
			t.Errorf("%s -> %s: %q (%v), want %q", c.inputs, c.out, got, err, c.want)
		}
	}
	onto := testPlan(".")
	onto.Name = func(name string) string { return name }
	if _, _, err := onto.Jobs(t.Context(), []string{"a.txt"}); err == nil || !strings.Contains(err.Error(), "own result") {
		t.Errorf("a file onto itself: error %v", err)
	}
	tree(t, dir, "a.txt.up")
	if _, _, err := testPlan(".").Jobs(t.Context(), []string{"a.txt", "a.txt.up"}); err == nil || err.Error() != "a.txt.up: would be overwritten by what a.txt becomes" {
		t.Errorf("a file onto another input: error %v", err)
	}
	if _, err := os.Stat("out"); err == nil {
		t.Error("planning has made the output folder")
	}
}

// TestPassed: what a folder has besides the wanted files is counted, not lost.
func TestPassed(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	tree(t, dir, "in/a.txt", "in/b.avif", "in/c.AVIF", "in/sub/d.mov", "in/README", "in/.b.txt", "in/.DS_Store", "in/.git/x.txt", "elsewhere/e.txt")
	for _, link := range [][2]string{{"../elsewhere", "in/linked"}, {"nowhere", "in/dangling.jpg"}} {
		if err := os.Symlink(link[0], link[1]); err != nil {
			t.Skip(err)
		}
	}
	jobs, passed, err := testPlan("out").Jobs(t.Context(), []string{"in"})
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%v, %v", jobs, err)
	}
	if got, want := passed.String(), "5 other files passed over: 2 .avif, 1 .jpg, 1 .mov, 1 without an ending; 1 linked folder passed over; 2 hidden names passed over"; got != want {
		t.Errorf("passed over:\n%s, want\n%s", got, want)
	}
	if got := len(passed.Names); got != 8 {
		t.Errorf("%d names", got)
	}
	_, passed, err = testPlan("out").Jobs(t.Context(), []string{"in/a.txt", "elsewhere"})
	if got := passed.String(); got != "" || err != nil {
		t.Errorf("nothing is passed over, but: %s (%v)", got, err)
	}
	var many Passed
	for i := range 12 {
		many.Count(Found{Path: "x." + strings.Repeat("a", i+1), Kind: Other})
	}
	if got := many.String(); !strings.HasSuffix(got, "1 .aaaaaaaa, and 4 more endings") {
		t.Errorf("twelve endings: %s", got)
	}
	if many.Names != nil {
		t.Errorf("names are kept that nobody asked for: %q", many.Names)
	}
}

// TestDone: a result is done if it is newer than anything that can have changed
// its input, is not empty, and says so.
func TestDone(t *testing.T) {
	dir := t.TempDir()
	tree(t, dir, "a", "a.up")
	j := Job{Input: filepath.Join(dir, "a"), Output: filepath.Join(dir, "a.up"), root: dir}
	p := testPlan(dir)
	now := time.Now()
	at := func(path string, d time.Duration) {
		if err := os.Chtimes(path, now, now.Add(d)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		in, out time.Duration
		want    bool
	}{{-time.Hour, time.Hour, true}, {0, 0, false}, {0, -time.Second, false}, {2 * time.Hour, time.Hour, false}} {
		at(j.Input, c.in)
		at(j.Output, c.out)
		if got := p.done(j); got != c.want {
			t.Errorf("input %v, result %v: done is %v", c.in, c.out, got)
		}
	}
	at(j.Input, -time.Hour)
	at(j.Output, time.Hour)
	p.Same = func(in, out string) bool { return in != j.Input || out != j.Output }
	if p.done(j) {
		t.Error("done although the result is another one")
	}
	p.Same = nil
	if err := os.Truncate(j.Output, 0); err != nil {
		t.Fatal(err)
	}
	at(j.Output, time.Hour)
	if p.done(j) {
		t.Error("an empty file is taken for a result")
	}
	if p.done(Job{Input: j.Input, Output: dir, root: dir}) {
		t.Error("a folder is taken for a result")
	}
}

// TestReplaced: an input that an older file has replaced is not unchanged,
// however it was replaced. What happens to a folder above the one that the user
// named does not count.
func TestReplaced(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" || runtime.GOOS == "js" {
		t.Skip("no change times")
	}
	for _, c := range []struct {
		name    string
		replace func(dir string) error
	}{
		{"nothing", func(string) error { return nil }},
		{"nothing below the folder above", func(dir string) error { return os.Chmod(dir, 0o700) }},
		{"written and dated back", func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/in/a", []byte("another"), 0o666), backdate(dir+"/in/a"))
		}},
		{"an older file moved there", func(dir string) error { return os.Rename(dir+"/old/a", dir+"/in/a") }},
		{"an older folder moved there", func(dir string) error {
			return errors.Join(os.Rename(dir+"/in", dir+"/was"), os.Rename(dir+"/old", dir+"/in"))
		}},
		{"a link that leads elsewhere", func(dir string) error {
			return errors.Join(os.Remove(dir+"/in/a"), os.Symlink("../old/a", dir+"/in/a"))
		}},
		{"a folder's link that leads elsewhere", func(dir string) error {
			return errors.Join(os.Rename(dir+"/in", dir+"/was"), os.Symlink("old", dir+"/in"))
		}},
	} {
		dir := t.TempDir()
		tree(t, dir, "in/a", "old/a")
		for _, name := range []string{"in/a", "in", "old/a", "old"} {
			if err := backdate(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		tick(t, dir)
		tree(t, dir, "out/a.up")
		j := Job{Input: filepath.Join(dir, "in", "a"), Output: filepath.Join(dir, "out", "a.up"), root: filepath.Join(dir, "in")}
		tick(t, dir)
		if err := c.replace(dir); err != nil {
			t.Fatal(err)
		}
		if got := testPlan(dir).done(j); got != strings.HasPrefix(c.name, "nothing") {
			t.Errorf("%s: done is %v", c.name, got)
		}
	}
}

// backdate makes a file an hour older.
func backdate(path string) error {
	past := time.Now().Add(-time.Hour)
	return os.Chtimes(path, past, past)
}

// tick waits for the file system's clock to advance.
func tick(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "clock")
	var first time.Time
	for {
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			t.Fatal(err)
		case first.IsZero():
			first = info.ModTime()
		case info.ModTime().After(first):
			return
		}
	}
}
