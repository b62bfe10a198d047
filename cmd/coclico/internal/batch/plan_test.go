package batch

import (
	"os"
	"path/filepath"
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
		{inputs: "empty", out: "out", says: "empty: no texts in this folder"},
		{inputs: "nothing", out: "out", says: "nothing: no such file"},
	} {
		jobs, err := testPlan(c.out).Jobs(t.Context(), strings.Fields(c.inputs))
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
	if _, err := onto.Jobs(t.Context(), []string{"a.txt"}); err == nil || !strings.Contains(err.Error(), "own result") {
		t.Errorf("a file onto itself: error %v", err)
	}
	if _, err := os.Stat("out"); err == nil {
		t.Error("planning has made the output folder")
	}
}

// TestDone: a result is taken for done if it is newer, not empty, and says so.
func TestDone(t *testing.T) {
	dir := t.TempDir()
	tree(t, dir, "a", "a.up")
	j := Job{filepath.Join(dir, "a"), filepath.Join(dir, "a.up")}
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
	}{{-time.Hour, 0, true}, {0, 0, false}, {0, -time.Second, false}} {
		at(j.Input, c.in)
		at(j.Output, c.out)
		if got := p.done(j); got != c.want {
			t.Errorf("input %v, result %v: done is %v", c.in, c.out, got)
		}
	}
	at(j.Input, -time.Hour)
	at(j.Output, 0)
	p.Same = func(in, out string) bool { return in != j.Input || out != j.Output }
	if p.done(j) {
		t.Error("done although the result is another one")
	}
	p.Same = nil
	if err := os.Truncate(j.Output, 0); err != nil {
		t.Fatal(err)
	}
	at(j.Output, 0)
	if p.done(j) {
		t.Error("an empty file is taken for a result")
	}
	if p.done(Job{j.Input, dir}) {
		t.Error("a folder is taken for a result")
	}
}
