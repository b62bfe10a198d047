package main

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec/archive"
)

// A meteredFS counts the bytes that are read of its files.
type meteredFS struct {
	fs.FS
	bytes *atomic.Int64
}

type meteredFile struct {
	fs.File
	io.ReaderAt
	bytes *atomic.Int64
}

func (m meteredFS) Open(name string) (fs.File, error) {
	f, err := m.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return meteredFile{f, f.(io.ReaderAt), m.bytes}, nil
}

func (m meteredFile) ReadAt(b []byte, at int64) (int, error) {
	m.bytes.Add(int64(len(b)))
	return m.ReaderAt.ReadAt(b, at)
}

// TestKnownRows: rows are found in any order and at any distance. A name is found
// without reading all that are before it.
func TestKnownRows(t *testing.T) {
	const rows = 10 * maxWalk
	var names []string
	for i := range rows {
		names = append(names, fmt.Sprintf("photos/%06d.jpg", 2*i))
	}
	dir := archiveOf(t, names...)
	var read atomic.Int64
	open := func() *knownRows {
		a, err := archive.OpenFS(meteredFS{os.DirFS(dir), &read})
		if err != nil {
			t.Fatal(err)
		}
		read.Store(0)
		return newKnownRows(a)
	}
	k := open()
	defer k.close()
	for range 2 {
		i := -1
		for _, step := range []int{rows / 2, 1, 2, 3, 2 * maxWalk, 1, 1, maxWalk + 2, 5, 4, 3 * rows, 1} {
			i += step
			name := fmt.Sprintf("photos/%06d.jpg", i)
			row := k.get(name)
			if known := i%2 == 0 && i < 2*rows; known != (row != nil) || known && (row.Name != name || string(row.Data) != name) {
				t.Errorf("%s: %+v", name, row)
			}
		}
	}
	one := open()
	defer one.close()
	if last := names[rows-1]; one.get(last) == nil {
		t.Errorf("%s is not found", last)
	}
	size := int64(0)
	for _, s := range one.archive.Manifest().Shards {
		size += s.Bytes
	}
	if n := read.Load(); n > size/2 {
		t.Errorf("%d bytes of %d are read to find one row", n, size)
	}
}

// TestSourceOrder: pictures in a tar file come before all on the disk, which then
// replace them.
func TestSourceOrder(t *testing.T) {
	dir := pictures(t, 1)
	path := filepath.Join(t.TempDir(), "x.tar")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := tar.NewWriter(f)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "b.png"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	src, err := findSources(&files.IO{}, "A", []string{dir + "/.", path})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for j, err := range src.jobs(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if j.Output == files.Member("A", "b.png") {
			got = append(got, filepath.Base(filepath.Dir(j.Input)))
		}
	}
	if !slices.Equal(got, []string{"x.tar", "photos"}) {
		t.Errorf("b.png is read from %q", got)
	}
}

// TestRemoveOrigin: an archive from which names are removed still tells how its
// rows were made.
func TestRemoveOrigin(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "A")
	w, err := archive.NewWriter(dir, &archive.Options{Origin: archive.Origin{Fingerprint: "0123abcd", Model: "m", Profile: "tuned", Params: "map size 8", Kernels: "k"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if err := w.Add(&archive.Row{Name: name, Data: []byte(name)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	succeed(t, "archive", "remove", dir, "a")
	got := succeed(t, "archive", "info", dir)
	if !strings.Contains(got, ": 1 row in 1 shard,") || !strings.Contains(got, `made:    model "m", profile tuned, map size 8; kernels k; `) {
		t.Errorf("info: %q", got)
	}
}

// TestOrigin: an archive records all flags with which its rows were made.
func TestOrigin(t *testing.T) {
	for want, args := range map[string][]string{
		"defaults": {"--jobs", "2", "--force"},
		`--background=#fff --candidates=2 --fit=whole --precision=fast --steps=4`: {"--steps", "4", "--candidates", "2", "--background", "#fff", "--precision", "fast", "--fit", "whole"},
		`--bytes=200 --color-guidance=0.5`:                                        {"--colour-guidance", ".5", "--bytes", "200"},
	} {
		dir := filepath.Join(t.TempDir(), "A")
		succeed(t, append([]string{"archive", "create", scenePath("forest"), "-o", dir}, args...)...)
		if got := succeed(t, "archive", "info", dir); !strings.Contains(got, ", profile tuned, "+want+"; kernels ") {
			t.Errorf("%v: %q lacks %q", args, got, want)
		}
	}
}

// TestOverlap: it is reported that an archive must be compacted before it is read, and
// is not taken for a damaged one.
func TestOverlap(t *testing.T) {
	var shards []archive.ShardInfo
	for i := range archive.MaxOverlap + 1 {
		shards = append(shards, archive.ShardInfo{Name: archive.ShardName(i), Rows: 1, First: "a", Last: "b", Bytes: 1, SHA256: strings.Repeat("0", 64)})
	}
	_, data, err := archive.NewManifest("0123abcd", shards)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, archive.ManifestName), data, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"ls", dir}, {"merge", dir, "--skip-damaged", "-o", filepath.Join(t.TempDir(), "B")}} {
		if r := coclico(t, append([]string{"archive"}, args...)...); r.status != process.Failed || r.stderr != "coclico: "+dir+": "+archive.ErrOverlap.Error()+"\n" {
			t.Errorf("%s: %+v", args[0], r)
		}
	}
}
