package files_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/files/filestest"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// TestNoFolder: a missing folder is reported as one, before the work.
func TestNoFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "a")
	err := files.Replace(files.OS{}, path, func(io.Writer) error {
		t.Error("the work was begun")
		return nil
	})
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, files.ErrBusy) || !strings.HasPrefix(err.Error(), path+": ") {
		t.Errorf("error %v", err)
	}
}

// only demands that a folder has one file, with this content.
func only(t *testing.T, dir, name, content string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != name {
		t.Fatalf("the folder has %v, want %s", entries, name)
	}
	if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != content {
		t.Errorf("%s is %q (%v), want %q", name, data, err, content)
	}
}

// TestOrder: a file is on the disk before it has its name, and its name before
// the writer returns.
func TestOrder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	var r filestest.Recorder
	if err := files.Replace(&r, filepath.Join(dir, "a"), text("new")); err != nil {
		t.Fatal(err)
	}
	if got, want := r.Ops(), []string{"create .a.part", "write .a.part", "sync .a.part", "rename .a.part to a", "sync folder dir"}; !slices.Equal(got, want) {
		t.Errorf("done:\n%q, want\n%q", got, want)
	}
	only(t, dir, "a", "new")
}

// TestFailures: whatever fails, the old file is as it was and nothing is beside
// it; the error is the operation's and names the file.
func TestFailures(t *testing.T) {
	for _, fail := range []string{"create .a.part", "write .a.part", "sync .a.part", "rename .a.part to a"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a")
		if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
			t.Fatal(err)
		}
		r := filestest.Recorder{Fail: fail}
		err := files.Replace(&r, path, func(w io.Writer) error {
			_ = text("new")(w) // an encoder that does not look
			return nil
		})
		if want := path + ": " + fail + " failed"; err == nil || err.Error() != want || !errors.As(err, new(files.WriteError)) {
			t.Errorf("%s: error %v, want %s", fail, err, want)
		}
		if fail == "create .a.part" {
			os.Remove(filepath.Join(dir, ".a.part")) // the recorder's, not the writer's
		}
		only(t, dir, "a", "old")
	}
	dir := t.TempDir()
	own := errors.New("of the work")
	if err := files.Replace(files.OS{}, filepath.Join(dir, "a"), func(io.Writer) error { return own }); err != own {
		t.Errorf("the work's error became %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("left: %v", entries)
	}
	if err := files.Replace(files.OS{}, dir, text("x")); err == nil || !strings.Contains(err.Error(), dir+": is a directory") {
		t.Errorf("onto a folder: %v", err)
	}
}

// A counter is a disk that counts the parts that are open.
type counter struct {
	files.OS
	open int
}

type countedPart struct {
	files.Part
	disk *counter
}

func (c *counter) Create(part string) (files.Part, error) {
	p, err := c.OS.Create(part)
	c.open++
	return countedPart{p, c}, err
}

func (c *counter) Rename(p files.Part, part, path string) error {
	return c.OS.Rename(p.(countedPart).Part, part, path)
}

func (c *counter) Discard(p files.Part, part string) {
	c.open--
	c.OS.Discard(p.(countedPart).Part, part)
}

func (p countedPart) Close() error {
	p.disk.open--
	return p.Part.Close()
}

// TestClosed: a file is closed, and with that its lock given up, whether it was
// written or not.
func TestClosed(t *testing.T) {
	var disk counter
	path := filepath.Join(t.TempDir(), "a")
	if err := files.Replace(&disk, path, text("a")); err != nil || disk.open != 0 {
		t.Errorf("error %v, %d files are open", err, disk.open)
	}
	own := errors.New("of the work")
	if err := files.Replace(&disk, path, func(io.Writer) error { return own }); err != own || disk.open != 0 {
		t.Errorf("error %v, %d files are open", err, disk.open)
	}
}

// TestInside: a folder is in itself and in those above it, whatever the beginning
// of its name.
func TestInside(t *testing.T) {
	dir := t.TempDir()
	for folder, want := range map[string]bool{"a": true, "a/b": true, "a/..b": true, "a/b/..": true, ".": false, "b": false, "ab": false, "a/../b": false, "../a": false} {
		if got := files.Inside(filepath.Join(dir, "x")+"/"+folder, filepath.Join(dir, "x", "a")); got != want {
			t.Errorf("%s is in a: %v", folder, got)
		}
	}
}

// TestOnePart: what a killed run left is overwritten, what another process is
// writing is left alone, and a link in the way keeps its target.
func TestOnePart(t *testing.T) {
	dir := t.TempDir()
	path, part := filepath.Join(dir, "a"), filepath.Join(dir, ".a.part")
	if err := os.WriteFile(part, []byte("left by a killed run"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := files.Replace(files.OS{}, path, text("a")); err != nil {
		t.Fatal(err)
	}
	only(t, dir, "a", "a")
	if runtime.GOOS == "windows" {
		return
	}
	other, err := files.OS{}.Create(part)
	if err != nil {
		t.Fatal(err)
	}
	if err := files.Replace(files.OS{}, path, text("b")); !errors.Is(err, files.ErrBusy) {
		t.Errorf("while another process writes: %v", err)
	}
	files.OS{}.Discard(other, part)
	only(t, dir, "a", "a")
	if err := os.Symlink("a", part); err != nil {
		t.Fatal(err)
	}
	if err := files.Replace(files.OS{}, path, text("b")); err == nil || !strings.Contains(err.Error(), ".a.part is in the way") {
		t.Errorf("through a link: %v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "a" {
		t.Errorf("the link's target is %q (%v)", data, err)
	}
}

// TestLongNames: every name that the file system takes can be written, and
// results of such names get names that fit.
func TestLongNames(t *testing.T) {
	for n := 245; n <= 255; n++ {
		dir, name := t.TempDir(), strings.Repeat("n", n)
		if err := files.Replace(files.OS{}, filepath.Join(dir, name), text("x")); err != nil {
			t.Errorf("%d bytes: %v", n, err)
			continue
		}
		only(t, dir, name, "x")
	}
	seen := map[string]string{}
	for n := 230; n <= 255; n++ {
		for _, name := range []string{strings.Repeat("n", n-4) + ".jpg", strings.Repeat("絵", (n-4)/3) + ".jpg", strings.Repeat("\xff", n-4) + ".jpg", "x." + strings.Repeat("e", n-2)} {
			name += ".coclico"
			fit := files.Fit(name)
			if len(fit) > 255 || filepath.Ext(fit) != ".coclico" || utf8.ValidString(name) && !utf8.ValidString(fit) || len(name) <= 255 && fit != name {
				t.Errorf("%s (%d bytes) becomes %s (%d bytes)", name, len(name), fit, len(fit))
			}
			if other, ok := seen[fit]; ok && other != name {
				t.Errorf("%s and %s become one", name, other)
			}
			seen[fit] = name
		}
	}
	for ending, kept := range map[string]bool{"." + strings.Repeat("e", 15): true, "." + strings.Repeat("e", 16): false, "." + strings.Repeat("e", 300): false} {
		if fit := files.Fit(strings.Repeat("n", 255) + ending); len(fit) != 255 || strings.HasSuffix(fit, ending) != kept {
			t.Errorf("an ending of %d bytes: %s", len(ending), fit)
		}
	}
	name := "a" + strings.Repeat("b", 300)
	if fit := files.Fit(name); len(fit) != 255 || files.Fit(strings.Clone(name)) != fit {
		t.Errorf("without an ending: %s", fit)
	}
}

// TestNamed: an error names the file once, as the user did.
func TestNamed(t *testing.T) {
	_, err := os.Open("nothing")
	if got := files.Named("./nothing", fmt.Errorf("reading: %w", err)); got.Error() != "./nothing: no such file or directory" || !errors.Is(got, os.ErrNotExist) {
		t.Errorf("%v", got)
	}
	if got := files.Named("-", io.ErrUnexpectedEOF); got.Error() != "standard input: unexpected EOF" {
		t.Errorf("%v", got)
	}
}

// TestRoom: asking a folder for room leaves nothing in it, and only a full disk is
// called full.
func TestRoom(t *testing.T) {
	dir := t.TempDir()
	if err := files.Room(dir); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		t.Errorf("left %v, %v", left, err)
	}
	none := filepath.Join(dir, "none")
	if err := files.Room(none); !errors.Is(err, os.ErrNotExist) || errors.Is(err, files.ErrFull) || !strings.HasPrefix(err.Error(), none) {
		t.Errorf("error %v", err)
	}
}

// TestProbe: a folder that cannot be written is known before the work.
func TestProbe(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{"file", "file/out"} {
		if err := files.Probe(filepath.Join(dir, out)); err == nil || !strings.HasPrefix(err.Error(), dir) {
			t.Errorf("%s: error %v", out, err)
		}
	}
	if err := files.Probe(filepath.Join(dir, "new", "out")); err != nil {
		t.Error(err)
	}
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("nothing is read-only here")
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o777)
	for _, out := range []string{"", "another"} {
		if err := files.Probe(filepath.Join(dir, out)); !errors.Is(err, os.ErrPermission) {
			t.Errorf("read-only: error %v", err)
		}
	}
}
