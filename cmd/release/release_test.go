package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// sample writes a program and a text, and returns them as the files of an
// archive. The files' own times and modes differ from call to call.
func sample(t *testing.T, written time.Time) []file {
	t.Helper()
	dir := t.TempDir()
	files := []file{{"coclico", filepath.Join(dir, "a"), 0o755}, {"man/man1/coclico.1", filepath.Join(dir, "b"), 0o644}}
	for _, f := range files {
		if err := os.WriteFile(f.path, []byte("this is "+f.name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(f.path, written, written); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestArchives checks that archives hold the files with the given names, modes
// and time, and that two archives of equal files are the same bytes.
func TestArchives(t *testing.T) {
	for name, write := range map[string]func(io.Writer, string, []file, time.Time) error{"tar": writeTar, "zip": writeZip} {
		t.Run(name, func(t *testing.T) {
			var first, second bytes.Buffer
			if err := write(&first, "dir", sample(t, noon), noon); err != nil {
				t.Fatal(err)
			}
			if err := write(&second, "dir", sample(t, noon.Add(time.Hour)), noon); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Error("equal files make different archives")
			}
			var got strings.Builder
			if name == "tar" {
				listTar(t, &got, first.Bytes())
			} else {
				listZip(t, &got, first.Bytes())
			}
			want := "dir/coclico -rwxr-xr-x 2026-11-28T12:00:00Z this is coclico\n" +
				"dir/man/man1/coclico.1 -rw-r--r-- 2026-11-28T12:00:00Z this is man/man1/coclico.1\n"
			if got.String() != want {
				t.Errorf("the archive holds\n%swant\n%s", got.String(), want)
			}
			if write(io.Discard, "dir", []file{{"x", filepath.Join(t.TempDir(), "missing"), 0o644}}, noon) == nil {
				t.Error("a missing file: no error")
			}
		})
	}
}

func listTar(t *testing.T, w *strings.Builder, data []byte) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	a := tar.NewReader(z)
	for {
		h, err := a.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Uname != "" {
			t.Errorf("%s has an owner", h.Name)
		}
		text, err := io.ReadAll(a)
		if err != nil {
			t.Fatal(err)
		}
		w.WriteString(h.Name + " " + h.FileInfo().Mode().String() + " " + h.ModTime.UTC().Format(time.RFC3339) + " " + string(text) + "\n")
	}
}

func listZip(t *testing.T, w *strings.Builder, data []byte) {
	t.Helper()
	a, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			t.Fatal(err)
		}
		w.WriteString(f.Name + " " + f.Mode().String() + " " + f.Modified.UTC().Format(time.RFC3339) + " " + string(text) + "\n")
	}
}

// TestSettings checks that the user's settings do not enter the program.
func TestSettings(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(settings, []byte("GOEXPERIMENT=arenas\nGOARM64=v9.0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"GOENV=" + settings, "GOAMD64=v3", "GOFIPS140=latest", "GOFLAGS=-race", "GOWORK=x", "CGO_ENABLED=1"} {
		name, value, _ := strings.Cut(s, "=")
		t.Setenv(name, value)
	}
	got, err := new(release).goCommand("darwin/arm64", "env", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT", "GOFIPS140", "GOFLAGS", "GOWORK", "CGO_ENABLED").Output()
	if want := "darwin\narm64\nv1\nv8.0\n\noff\n\noff\n0\n"; err != nil || string(got) != want {
		t.Errorf("the settings are %q, %v, want %q", got, describe(err), want)
	}
}

// compiler is a program in place of go, which fails for Windows. What it makes
// writes its manual pages into an empty folder.
const compiler = `#!/bin/sh
[ "$GOOS" = windows ] && exit 1
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\n[ "$1" != man ] || mkdir "$2"\n' >"$2"
chmod +x "$2"
`

// TestWhole checks that a release that fails leaves nothing, that the next one
// replaces what a killed one left and nothing else, and that none replaces another.
func TestWhole(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no shell")
	}
	bin, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(compiler), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join("..", ".."))
	t.Setenv("SOURCE_DATE_EPOCH", "0")
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	run := func(platforms ...string) (left []string, err error) {
		err = (&release{version: "v1.2.3", out: filepath.Join(dir, "dist") + string(filepath.Separator)}).run(platforms)
		names, e := filepath.Glob(filepath.Join(dir, "*", "*"))
		if e != nil {
			t.Fatal(e)
		}
		return names, err
	}
	if left, err := run("linux/amd64", "windows/amd64"); err == nil || len(left) != 0 {
		t.Errorf("a release that fails: error %v, and it leaves %v", err, left)
	}
	draft := filepath.Join(dir, ".dist.part")
	if err := os.MkdirAll(filepath.Join(draft, "mine"), 0o777); err != nil {
		t.Fatal(err)
	}
	if left, err := run("linux/amd64"); err == nil || !strings.Contains(err.Error(), draft+" is in the way") || len(left) != 1 {
		t.Errorf("a stranger's folder: error %v, and it leaves %v", err, left)
	}
	f, err := os.Create(filepath.Join(draft, ".coclico.lock")) // now it is a killed run's
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if left, err := run("linux/amd64"); err != nil || len(left) != 2 || filepath.Base(left[0]) != "SHA256SUMS" || filepath.Dir(left[0]) != filepath.Join(dir, "dist") {
		t.Errorf("error %v, and it leaves %v", err, left)
	}
	if _, err := run("linux/amd64"); err == nil || !strings.Contains(err.Error(), " exists: remove it") {
		t.Errorf("a folder that exists: error %v", err)
	}
}

// TestParse checks that what is no flag is an error.
func TestParse(t *testing.T) {
	r, platforms, err := parse([]string{"-version", "v1.2.3", "-targets", "linux/amd64,linux/arm64"})
	if err != nil || r.version != "v1.2.3" || r.out != "dist" || !r.sbom || len(platforms) != 2 {
		t.Errorf("%+v, %v, %v", r, platforms, err)
	}
	if _, _, err := parse([]string{"-version", "v1.2.3", "linux/amd64"}); err == nil || !strings.Contains(err.Error(), "-targets") {
		t.Errorf("an argument: %v", err)
	}
}

// TestBadReleases checks that a wrong version or platform is an error before
// anything is built.
func TestBadReleases(t *testing.T) {
	for _, c := range []struct{ version, platform, want string }{
		{"", "linux/amd64", "-version"},
		{"1.2.3", "linux/amd64", "-version"},
		{"v1.2.3 -X main.x=y", "linux/amd64", "-version"},
		{"v1.2", "linux/amd64", "-version"},
		{"v1.2.3", "plan9/amd64", "-targets"},
		{"v1.2.3", "", "-targets"},
		{"v1.2.3-rc.1", "linux/amd64", "root of the repository"}, // this is not
	} {
		err := (&release{version: c.version}).run([]string{c.platform})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("version %q for %q: error %v, want %s", c.version, c.platform, err, c.want)
		}
	}
}
