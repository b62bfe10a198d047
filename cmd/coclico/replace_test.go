package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
)

// kept runs a command that must fail, saying what, and leave a file as it was.
func kept(t *testing.T, file string, status int, what string, args ...string) {
	t.Helper()
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	fail(t, status, []string{file, what}, args...)
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, before) {
		t.Errorf("coclico %v: %s has changed (%v)", args, file, err)
	}
}

// TestReplace: what is likely to be a slip replaces nobody's file.
func TestReplace(t *testing.T) {
	data, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	picture, packed, a := write("a.jpg"), write("a.zip"), sceneArchive(t)
	name := sceneNames[0] + ".png"

	kept(t, picture, process.Failed, "--force", "archive", "get", a, name, "-o", picture)
	kept(t, packed, process.Failed, "--force", "archive", "extract", a, "-o", packed)
	kept(t, picture, process.Failed, "own result", "search", a, "--picture", picture, "--sheet", picture)
	other := write("a.jpg.coclico")
	kept(t, other, process.Failed, "what "+picture+" becomes", "encode", picture, other, "-o", dir)

	succeed(t, "archive", "get", a, name, "-o", picture, "--force")
	if got, err := os.ReadFile(picture); err != nil || len(got) > 200 {
		t.Errorf("get --force: %d bytes (%v)", len(got), err)
	}
	os.Remove(packed)
	succeed(t, "archive", "extract", a, sceneNames[0]+".png", "-o", packed)
	succeed(t, "archive", "extract", a, sceneNames[0]+".png", "-o", packed, "--force")
}

// TestFolders: a folder that holds something else is not written into, and a name
// that can be no folder's makes none.
func TestFolders(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("mine.txt", []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{"mine.txt", "a folder of its own"}, "archive", "create", "mine.txt", "-o", ".")
	fail(t, process.Usage, []string{"empty"}, "synth", "")
	fail(t, process.Failed, []string{"mine.txt"}, "synth", "mine.txt")
	for _, args := range [][]string{{"synth", "-"}, {"man", "-"}, {"evaluate", ".", "-o", "-"}, {"archive", "merge", ".", "-o", "-"}} {
		fail(t, process.Usage, []string{"-: must be a folder"}, args...)
	}
	onlyFiles(t, ".", "mine.txt")

	photos := pictures(t, 0)
	for _, name := range []string{"table.csv", "Report.html", "rate-dists.svg", "pictures/thumbhash/mine.png", "records.jsonl"} {
		out := t.TempDir()
		path := filepath.Join(out, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(`{"my":"only copy"}`), 0o666)); err != nil {
			t.Fatal(err)
		}
		top, _, _ := strings.Cut(name, "/")
		fail(t, process.Failed, []string{filepath.Join(out, top) + ": ", "choose another folder"}, "evaluate", photos, "-o", out, "--rows", "thumbhash", "--size", "64")
		if data, err := os.ReadFile(path); err != nil || string(data) != `{"my":"only copy"}` {
			t.Errorf("%s became %q (%v)", name, data, err)
		}
		onlyFiles(t, out, top)
	}
}

// TestArchiveForFolder: an archive where files are wanted is not passed over.
func TestArchiveForFolder(t *testing.T) {
	a := sceneArchive(t)
	for _, args := range [][]string{{"info", a}, {"decode", a, "-o", t.TempDir()}} {
		r := coclico(t, args...)
		if r.status != process.Failed || !strings.Contains(r.stderr, "is an archive: "+a+"::NAME") {
			t.Errorf("coclico %v: status %d, %q", args, r.status, r.stderr)
		}
	}
	fail(t, process.Usage, []string{"did you mean ls"}, "archive", "list")
}

// TestSearchMin: the least score may be 0.
func TestSearchMin(t *testing.T) {
	a := sceneArchive(t)
	all := strings.Count(succeed(t, "search", a, "--picture", scenePath(sceneNames[0])), "\n")
	some := succeed(t, "search", a, "--picture", scenePath(sceneNames[0]), "--min", "0")
	if n := strings.Count(some, "\n"); n == 0 || n >= all || strings.Contains(some, "-0.") {
		t.Errorf("--min 0 has %d hits of %d:\n%s", n, all, some)
	}
}
