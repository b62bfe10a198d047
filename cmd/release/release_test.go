package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
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
