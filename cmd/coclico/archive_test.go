package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/archive"
)

// archived returns the names in an archive and their files' bytes, or errors.
func archived(t *testing.T, dir string) map[string]string {
	t.Helper()
	a, err := archive.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	rows := map[string]string{}
	for r, err := range a.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		rows[r.Name] = string(r.Data) + r.Error
	}
	return rows
}

// TestArchive: an archive has what encode writes into a folder, and everything
// that reads it finds that there.
func TestArchive(t *testing.T) {
	dir := pictures(t, 3)
	base := filepath.Base(dir)
	out, a := t.TempDir(), filepath.Join(t.TempDir(), "A")
	succeed(t, "encode", dir, "-o", out)
	if got := succeed(t, "archive", "create", dir, "-o", a); !strings.HasPrefix(got, "5 encoded, in ") {
		t.Errorf("create: %q", got)
	}
	want := map[string]string{}
	for name, data := range contents(t, out) {
		want[filepath.ToSlash(strings.TrimSuffix(name, streamExt))] = data
	}
	if got := archived(t, a); !maps.Equal(got, want) {
		t.Fatalf("the archive has %q", slices.Collect(maps.Keys(got)))
	}
	if got := succeed(t, "archive", "create", dir, "-o", a); got != "0 encoded, 5 unchanged\n" {
		t.Errorf("create again: %q", got)
	}
	name := base + "/sub/b.png"
	if got := succeed(t, "archive", "ls", a, "b.png"); got != name+"\n" {
		t.Errorf("ls: %q", got)
	}
	var line rowLine
	if err := json.Unmarshal([]byte(succeed(t, "archive", "ls", a, base+"/sub/b*", "--json")), &line); err != nil || line.Name != name || line.Bytes != len(want[name]) || line.Width != 21 || line.Height != 30 {
		t.Errorf("ls --json: %+v, %v", line, err)
	}
	if got := succeed(t, "archive", "get", a, name, "-o", "-"); got != want[name] {
		t.Errorf("get: %q", got)
	}
	if got := succeed(t, "info", a+"::"+name); !strings.HasPrefix(got, a+"::"+name+": ") {
		t.Errorf("info: %q", got)
	}
	if got := succeed(t, "compare", a+"::"+name, filepath.Join(out, name+streamExt)); !strings.Contains(got, "cosine 1.0000") {
		t.Errorf("compare: %q", got)
	}
	painted := filepath.Join(t.TempDir(), "b.png")
	succeed(t, "decode", a+"::"+name, "-o", painted, "--steps", "2")
	many := t.TempDir()
	succeed(t, "decode", a+"::"+name, a+"::"+base+"/d.png", "-o", many, "--steps", "2")
	onlyFiles(t, many, "b.png.png", "d.png.png")
	if got := succeed(t, "info", a+"::"+name, a+"::"+base+"/d.png"); strings.Count(got, "\n") != 3 {
		t.Errorf("info of two: %q", got)
	}
	if got := succeed(t, "archive", "check", a); !strings.Contains(got, "5 rows: all as they were written") {
		t.Errorf("check: %q", got)
	}
	if got := succeed(t, "archive", "info", a); !strings.Contains(got, ": 5 rows in 1 shard,") || !strings.Contains(got, `model "built-in", profile tuned`) {
		t.Errorf("info: %q", got)
	}
	for _, bad := range [][]string{
		{"archive", "get", a, "nothing", "-o", "-"}, {"decode", a + "::nothing", "-o", painted}, {"archive", "ls", dir}, {"archive", "add", dir, "-o", filepath.Join(dir, "..", "none")},
		{"archive", "create", dir, "-o", filepath.Join(dir, "A")},
	} {
		fail(t, process.Failed, nil, bad...)
	}
	fail(t, process.Usage, []string{"--raw"}, "archive", "create", dir, "-o", a, "--raw")
	fail(t, process.Usage, []string{"-o"}, "archive", "create", dir)
}

// TestArchiveChanges: what is new or changed is encoded, with other parameters
// everything; a bad picture is a row with its error until it can be read.
func TestArchiveChanges(t *testing.T) {
	dir := pictures(t, 2)
	a := filepath.Join(t.TempDir(), "A")
	bad := filepath.Join(dir, "bad.png")
	if err := os.WriteFile(bad, []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r := coclico(t, "archive", "create", dir, "-o", a)
		if r.status != process.Failed || !strings.Contains(r.stderr, "bad.png: not a picture") || !strings.Contains(r.stderr, "1 of 5 files failed") {
			t.Errorf("a bad picture: %+v", r)
		}
	}
	name := filepath.Base(dir) + "/bad.png"
	if got := archived(t, a)[name]; !strings.HasPrefix(got, "not a picture") {
		t.Errorf("its row: %q", got)
	}
	fail(t, process.Failed, []string{"could not be read when it was archived"}, "archive", "get", a, name, "-o", "-")
	data, err := os.ReadFile(filepath.Join(dir, "c.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if got := succeed(t, "archive", "create", dir, "-o", a); !strings.HasPrefix(got, "1 encoded, 4 unchanged") {
		t.Errorf("repaired: %q", got)
	}
	if rows := archived(t, a); rows[name] != rows[filepath.Base(dir)+"/c.png"] {
		t.Error("the repaired picture has another file")
	}
	if got := succeed(t, "archive", "create", dir, "-o", a, "--map-size", "4"); !strings.HasPrefix(got, "5 encoded, in ") {
		t.Errorf("other parameters: %q", got)
	}
	if got := succeed(t, "archive", "add", dir, "-o", a, "--map-size", "4", "--force"); !strings.HasPrefix(got, "5 encoded, in ") {
		t.Errorf("--force: %q", got)
	}
	if got := succeed(t, "archive", "remove", a, "bad.png"); got != "1 removed\n" {
		t.Errorf("remove: %q", got)
	}
	want := archived(t, a)
	if _, there := want[name]; there || len(want) != 4 {
		t.Errorf("%d rows after remove", len(want))
	}
	succeed(t, "archive", "compact", a)
	if got := archived(t, a); !maps.Equal(got, want) {
		t.Error("compact has changed the rows")
	}
	b, c := filepath.Join(t.TempDir(), "B"), filepath.Join(t.TempDir(), "C")
	succeed(t, "archive", "create", bad, "-o", b)
	succeed(t, "archive", "merge", a, b, "-o", c)
	want["bad.png"] = archived(t, b)["bad.png"]
	if got := archived(t, c); !maps.Equal(got, want) || len(got) != 5 {
		t.Errorf("merged: %d rows", len(got))
	}
	fail(t, process.Usage, []string{"is one of the archives"}, "archive", "merge", a, b, "-o", b)
}

// TestArchiveKeeps: a picture in the archive outlives its source's damage, with
// other parameters and --force too.
func TestArchiveKeeps(t *testing.T) {
	dir := pictures(t, 1)
	a := filepath.Join(t.TempDir(), "A")
	succeed(t, "archive", "create", dir, "-o", a)
	want := archived(t, a)
	if err := os.Truncate(filepath.Join(dir, "b.png"), 0); err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"--map-size=4", "--force"} {
		r := coclico(t, "archive", "create", dir, "-o", a, more)
		if r.status != process.Failed || !strings.Contains(r.stderr, "b.png: ") || !strings.Contains(r.stderr, ": keeps 1 picture whose source could not be read\n") {
			t.Errorf("%+v", r)
		}
		name := filepath.Base(dir) + "/b.png"
		if got := archived(t, a); len(got) != len(want) || got[name] != want[name] {
			t.Errorf("%s: the row is %q", more, got[name])
		}
	}
}

// TestArchivePacks: tar and zip files, from standard input too, and back.
func TestArchivePacks(t *testing.T) {
	dir := pictures(t, 3)
	want := map[string]string{}
	for name, data := range contents(t, dir) {
		want[filepath.ToSlash(name)] = data
	}
	folder := filepath.Join(t.TempDir(), "F")
	succeed(t, "archive", "create", dir+"/.", "-o", folder)
	var tarred, zipped bytes.Buffer
	tw, zw := tar.NewWriter(&tarred), zip.NewWriter(&zipped)
	addFile := func(name, data string) {
		w, err := zw.Create(name)
		if err == nil {
			_, err = io.WriteString(w, data)
		}
		err = errors.Join(err, tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), ModTime: time.Unix(1700000000, 0)}))
		if _, e := io.WriteString(tw, data); errors.Join(err, e) != nil {
			t.Fatal(err, e)
		}
	}
	for name, data := range want {
		addFile("./"+name, data)
		addFile(strings.TrimSuffix(name, ".png")+".json", "{}") // as in a WebDataset
	}
	addFile("../out.png", want["sub/a.png"])
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	in := t.TempDir()
	for name, data := range map[string][]byte{"x.tar": tarred.Bytes(), "x.zip": zipped.Bytes()} {
		if err := os.WriteFile(filepath.Join(in, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	sources := map[string][]byte{filepath.Join(in, "x.tar"): nil, filepath.Join(in, "x.zip"): nil, "-": tarred.Bytes(), "-z": zipped.Bytes()}
	for source, stdin := range sources {
		a := filepath.Join(t.TempDir(), "A")
		r := coclicoIn(t, t.Context(), stdin, "archive", "create", strings.TrimSuffix(source, "z"), "-o", a)
		if r.status != process.OK || !strings.Contains(r.stdout, "5 encoded, in ") || !strings.Contains(r.stdout, "6 other files passed over: 5 .json, 1 .png") {
			t.Errorf("%s: %+v", source, r)
		}
		r = coclicoIn(t, t.Context(), stdin, "archive", "create", strings.TrimSuffix(source, "z"), "-o", a, "--json")
		if n := strings.Count(r.stdout, `"status":"passed over"`); r.status != process.OK || n != 6 {
			t.Errorf("%s: %d names passed over: %+v", source, n, r)
		}
		if got := archived(t, a); !maps.Equal(got, archived(t, folder)) {
			t.Errorf("%s: %q", source, slices.Collect(maps.Keys(got)))
		}
	}
	out := t.TempDir()
	succeed(t, "archive", "extract", folder, "-o", filepath.Join(out, "f"))
	got := map[string]string{}
	for name, data := range contents(t, filepath.Join(out, "f")) {
		got[strings.TrimSuffix(filepath.ToSlash(name), streamExt)] = data
	}
	if !maps.Equal(got, archived(t, folder)) {
		t.Error("extract to a folder")
	}
	succeed(t, "archive", "extract", folder, "sub/", "-o", filepath.Join(out, "x.zip"))
	z, err := zip.OpenReader(filepath.Join(out, "x.zip"))
	if err != nil || len(z.File) != 3 || z.File[0].Name != "sub/a.png"+streamExt {
		t.Fatalf("extract to a zip file: %v", err)
	}
	z.Close()
	r := tar.NewReader(strings.NewReader(succeed(t, "archive", "extract", folder, "-o", "-")))
	for i := range 6 {
		h, err := r.Next()
		if i == 5 {
			if err != io.EOF {
				t.Errorf("tar: %v", err)
			}
			break
		}
		data, readErr := io.ReadAll(r)
		if err != nil || readErr != nil || archived(t, folder)[strings.TrimSuffix(h.Name, streamExt)] != string(data) {
			t.Fatalf("tar: %v, %v", err, readErr)
		}
	}
	fail(t, process.Failed, []string{"not a tar or zip file"}, "archive", "create", junk(t), "-o", filepath.Join(out, "J"))
	if _, err := os.Stat(filepath.Join(out, "J")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is no tar file has left an archive behind (%v)", err)
	}
}

func junk(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "x.tar")
	if err := os.WriteFile(path, bytes.Repeat([]byte("junk "), 500), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPackNames: of two pictures of one name in a tar file the later counts, also
// when the archive has it already; a name that no archive can hold is the
// failure of its picture alone.
func TestPackNames(t *testing.T) {
	files := contents(t, pictures(t, 2))
	var tarred bytes.Buffer
	w := tar.NewWriter(&tarred)
	for i, name := range []string{"a.png", "a.png", strings.Repeat("x", archive.MaxName) + ".png", "c.png"} {
		data := files["c.png"]
		if i == 1 {
			data = files[filepath.Join("sub", "a.png")]
		}
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), ModTime: time.Unix(1700000000+int64(i), 0)})
		if _, e := io.WriteString(w, data); errors.Join(err, e) != nil {
			t.Fatal(err, e)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	a := filepath.Join(t.TempDir(), "A")
	var want map[string]string
	for i := range 3 {
		r := coclicoIn(t, t.Context(), tarred.Bytes(), "archive", "create", "-", "-o", a)
		if r.status != process.Failed || !strings.Contains(r.stderr, "a name of more than 4096 bytes") || !strings.Contains(r.stderr, "1 of 4 files failed") {
			t.Fatalf("run %d: %+v", i, r)
		}
		got := archived(t, a)
		if i == 0 {
			want = got
		}
		if len(got) != 2 || got["a.png"] == got["c.png"] || !maps.Equal(got, want) {
			t.Errorf("run %d: %q", i, got)
		}
	}
}

// TestEachRowChanged: each row is read once while another process rewrites the
// archive.
func TestEachRowChanged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "A")
	opt := &archive.Options{Origin: archive.Origin{Fingerprint: "0123abcd"}, ShardRows: 2}
	w, err := archive.NewWriter(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		if err := w.Add(&archive.Row{Name: name, Data: []byte("file " + name)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := ""
	err = eachRow(t.Context(), &terminal.Screen{Err: io.Discard}, new(rowBar), dir, nil, func(r *archive.Row) error {
		if got += r.Name; r.Name != "a" && r.Name != "d" {
			return nil
		}
		w, err := archive.NewWriter(dir, opt)
		if err != nil {
			return err
		}
		return errors.Join(w.Compact(t.Context(), nil), w.Close())
	})
	if err != nil || got != "abcdef" {
		t.Errorf("rows %q, %v", got, err)
	}
}

// TestExtractDamaged: the shards that can be read are extracted, to a tar file
// too, which is whole.
func TestExtractDamaged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "A")
	w, err := archive.NewWriter(dir, &archive.Options{Origin: archive.Origin{Fingerprint: "0123abcd"}, ShardRows: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		if err := w.Add(&archive.Row{Name: name, Data: []byte("file " + name)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "part-00000000.parquet"), 100); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.tar")
	r := coclico(t, "archive", "extract", dir, "-o", out)
	if r.status != process.Failed || r.stdout != "2 extracted\n" || !strings.Contains(r.stderr, "part-00000000.parquet: invalid archive: cut short") || !strings.Contains(r.stderr, "1 of 2 shards could not be read") {
		t.Errorf("%+v", r)
	}
	r = coclico(t, "archive", "info", dir)
	if r.status != process.Failed || !strings.Contains(r.stdout, ": 4 rows in 2 shards") || !strings.Contains(r.stdout, "made:") || !strings.Contains(r.stderr, "part-00000000.parquet: invalid archive: cut short") || !strings.Contains(r.stderr, "1 of 2 shards could not be read") {
		t.Errorf("%+v", r)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for tr := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got += h.Name + " "
	}
	if got != "c.coclico d.coclico " {
		t.Errorf("the tar file has %s", got)
	}
	to := filepath.Join(t.TempDir(), "to")
	fail(t, process.Failed, []string{"part-00000000.parquet: invalid archive: cut short"}, "archive", "merge", dir, "-o", to)
	r = coclico(t, "archive", "merge", dir, "-o", to, "--skip-damaged")
	if r.status != process.Failed || !strings.HasSuffix(r.stdout, ": 2 rows in 1 shard\n") || !strings.Contains(r.stderr, "part-00000000.parquet: invalid archive: cut short") || !strings.Contains(r.stderr, "1 shard could not be read") {
		t.Errorf("%+v", r)
	}
	if names := succeed(t, "archive", "ls", to); names != "c\nd\n" {
		t.Errorf("what is left of a damaged archive: %q", names)
	}
	if err := os.Remove(filepath.Join(dir, "part-00000000.parquet")); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{"part-00000000.parquet: invalid archive: the manifest lists it"}, "archive", "get", dir, "a", "-o", "-")
}

// TestPackKeeps: a picture that cannot be read does not replace the one of its
// name that the same run has read, on the disk or in a tar file. What is hidden on
// a disk is hidden in a tar file, too.
func TestPackKeeps(t *testing.T) {
	dir := t.TempDir()
	data := contents(t, pictures(t, 1))["c.png"]
	var tarred bytes.Buffer
	w := tar.NewWriter(&tarred)
	for i, text := range []string{data, data[:150], data, data} {
		name := []string{"a.png", "a.png", "b.png", "d/.thumbs/c.png"}[i]
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(text)), ModTime: time.Unix(1700000000+int64(i), 0)})
		if _, e := io.WriteString(w, text); errors.Join(err, e) != nil {
			t.Fatal(err, e)
		}
	}
	bad := filepath.Join(dir, "b.png")
	if err := errors.Join(w.Close(), os.WriteFile(bad, []byte(data[:150]), 0o666)); err != nil {
		t.Fatal(err)
	}
	a := filepath.Join(dir, "A")
	for i := range 3 {
		r := coclicoIn(t, t.Context(), tarred.Bytes(), "archive", "create", "-", bad, "-o", a)
		if r.status != process.Failed || !strings.Contains(r.stderr, "keeps 2 pictures") || !strings.Contains(r.stdout, "1 hidden name passed over") {
			t.Fatalf("run %d: %+v", i, r)
		}
		if got := archived(t, a); len(got) != 2 || len(got["a.png"]) < 40 || got["a.png"] != got["b.png"] {
			t.Errorf("run %d: %q", i, got)
		}
	}
}

// TestOutputs: nothing is written into the archive that is read, and no folder is
// named like a file that holds others.
func TestOutputs(t *testing.T) {
	photo, err := filepath.Abs(photo)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	succeed(t, "archive", "create", photo, "-o", "A")
	name, _, _ := strings.Cut(succeed(t, "archive", "ls", "A"), "\n")
	before := contents(t, "A")
	for _, args := range [][]string{
		{"archive", "get", "A", name, "-o", "A/_manifest.json"}, {"archive", "extract", "A", "-o", "A"}, {"archive", "extract", "A", "-o", "A/x.tar"},
		{"decode", "A::" + name, "-o", "A/p.png"}, {"search", "A", "--near", name, "--sheet", "A/sheet.png"},
	} {
		fail(t, process.Failed, []string{"is in the folder A, which is being read"}, args...)
	}
	if after := contents(t, "A"); !maps.Equal(after, before) {
		t.Errorf("the archive has %d files, and had %d", len(after), len(before))
	}
	fail(t, process.Usage, []string{"x.tar.xz: must be a folder; a tar or zip file ends in .tar, "}, "archive", "extract", "A", "-o", "x.tar.xz")
	fail(t, process.Usage, []string{"x.zip: must be a folder"}, "archive", "create", photo, "-o", "x.zip")
	fail(t, process.Usage, []string{"x.tgz: must be a folder"}, "archive", "merge", "A", "-o", "x.tgz")
	if err := os.WriteFile("-", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if tarred := succeed(t, "archive", "extract", "A", "-o", "-"); !strings.HasPrefix(tarred, name) {
		t.Errorf("with a file of the name -: %.99q", tarred)
	}
}

// TestPackAndFolder: of a picture in a folder and one of its name in a tar file
// the former counts, however often the command is repeated. Links in a tar file
// are failures.
func TestPackAndFolder(t *testing.T) {
	dir := pictures(t, 1)
	base := filepath.Base(dir)
	folder := filepath.Join(t.TempDir(), "F")
	succeed(t, "archive", "create", dir, "-o", folder)
	want := archived(t, folder)
	var tarred bytes.Buffer
	w := tar.NewWriter(&tarred)
	data := contents(t, dir)["c.png"]
	err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: base + "/b.png", Size: int64(len(data)), ModTime: time.Unix(1700000000, 0)})
	_, e := io.WriteString(w, data)
	err = errors.Join(err, e, w.WriteHeader(&tar.Header{Typeflag: tar.TypeLink, Name: "z.png", Linkname: base + "/b.png"}), w.Close())
	if err != nil {
		t.Fatal(err)
	}
	a := filepath.Join(t.TempDir(), "A")
	for i := range 4 {
		r := coclicoIn(t, t.Context(), tarred.Bytes(), "archive", "create", "-", dir, "-o", a)
		if r.status != process.Failed || !strings.Contains(r.stderr, "standard input/z.png: a link to "+base+"/b.png, ") || !strings.Contains(r.stderr, "1 of 5 files failed") {
			t.Fatalf("run %d: %+v", i, r)
		}
		got := archived(t, a)
		if delete(got, "z.png"); !maps.Equal(got, want) {
			t.Errorf("run %d: another picture", i)
		}
	}
}

// archiveOf makes an archive of rows, each with its name as file, and returns its
// folder.
func archiveOf(t *testing.T, names ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "A")
	w, err := archive.NewWriter(dir, &archive.Options{Origin: archive.Origin{Fingerprint: "00000000"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := w.Add(&archive.Row{Name: name, Data: []byte(name)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestExtractNames: a name that no file can have, and names of one file, are
// failures of their own, in a folder and in a tar file.
func TestExtractNames(t *testing.T) {
	a := archiveOf(t, "a\x00b", "./b", "a/../b", "b", "c/")
	for _, out := range []string{filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "x.tar"), filepath.Join(t.TempDir(), "x.zip")} {
		r := coclico(t, "archive", "extract", a, "-o", out)
		if r.status != process.Failed || r.stdout != "1 extracted\n" || !strings.Contains(r.stderr, "with a NUL") || strings.Count(r.stderr, "the shortest name of the file b,") != 2 || !strings.Contains(r.stderr, "4 failed") {
			t.Errorf("%s: %+v", out, r)
		}
		if filepath.Base(out) != "out" {
			continue
		}
		if got := contents(t, out); len(got) != 1 || got["b"+streamExt] != "b" {
			t.Errorf("%q", got)
		}
	}
}

// TestGlobs: a name that looks like a pattern stands for itself, and a pattern
// that matches nothing is an error, which does not keep the others.
func TestGlobs(t *testing.T) {
	a := archiveOf(t, "a1.jpg", "a[1].jpg", "b/a[1].jpg", "b/a2.jpg", "c[.jpg", "d\uFFFDff/e.jpg") // the last is not UTF-8
	for _, c := range []struct{ glob, want string }{
		{"a[1].jpg", "a[1].jpg"}, {"a[0-9].jpg", "a1.jpg b/a2.jpg"}, {`a\[*`, "a[1].jpg b/a[1].jpg"}, {"c[.jpg", "c[.jpg"}, {"b/", "b/a2.jpg b/a[1].jpg"},
		{"d\xff/e.jpg", "d\uFFFDff/e.jpg"}, {"d\xff/", "d\uFFFDff/e.jpg"}, {"d\xff/*", "d\uFFFDff/e.jpg"}, {"d\uFFFDff/?.jpg", "d\uFFFDff/e.jpg"},
	} {
		if got := strings.Join(strings.Fields(succeed(t, "archive", "ls", a, c.glob)), " "); got != c.want {
			t.Errorf("%s: %s", c.glob, got)
		}
	}
	fail(t, process.Usage, []string{"d[.jpg: not a pattern"}, "archive", "ls", a, "d[.jpg")
	fail(t, process.Failed, []string{"no name matches nothing"}, "archive", "ls", a, "nothing")
	out := filepath.Join(t.TempDir(), "x.tar")
	for _, c := range []struct {
		args []string
		out  string
	}{
		{[]string{"archive", "extract", a, "b/", "none", "-o", out}, "2 extracted\n"}, {[]string{"archive", "remove", a, "none", "a[1].jpg"}, "1 removed\n"},
	} {
		if r := coclico(t, c.args...); r.status != process.Failed || r.stdout != c.out || !strings.Contains(r.stderr, ": no name matches none\n") {
			t.Errorf("%q: %+v", c.args, r)
		}
	}
	if _, err := os.Stat(out); err != nil {
		t.Error(err)
	}
	if got := succeed(t, "archive", "ls", a); got != "a1.jpg\nb/a2.jpg\nb/a[1].jpg\nc[.jpg\nd\uFFFDff/e.jpg\n" {
		t.Errorf("after remove: %q", got)
	}
}

// TestExtractInside: an archive of a stranger writes nothing outside the folder.
func TestExtractInside(t *testing.T) {
	a := archiveOf(t, "../up", "/root", "a/../../up", "link/x", "ok", "c\uFFFDff")
	parent := t.TempDir()
	out := filepath.Join(parent, "out")
	if err := os.Mkdir(out, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(parent, filepath.Join(out, "link")); err != nil {
		t.Skip(err)
	}
	r := coclico(t, "archive", "extract", a, "-o", out)
	if r.status != process.Failed || strings.Count(r.stderr, "\n") != 5 || !strings.Contains(r.stderr, "4 failed") {
		t.Errorf("%+v", r)
	}
	onlyFiles(t, parent, "out")
	if err := os.Remove(filepath.Join(out, "link")); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, out); got["ok"+streamExt] != "ok" || len(got) < 2 {
		t.Errorf("%q", got)
	}
	if runtime.GOOS == "linux" && contents(t, out)["c\xff"+streamExt] == "" {
		t.Error("a name that is not UTF-8 was not restored")
	}
}

// TestOddNames: names that are not UTF-8, and pictures that would have one name.
func TestOddNames(t *testing.T) {
	dir := pictures(t, 1)
	if err := os.Rename(filepath.Join(dir, "b.png"), filepath.Join(dir, "b\xff.png")); err != nil {
		t.Skip(err)
	}
	a := filepath.Join(t.TempDir(), "A")
	succeed(t, "archive", "create", dir+"/.", "-o", a)
	if got := archived(t, a); got["b\uFFFDff.png"] == "" || len(got) != 3 {
		t.Errorf("%q", slices.Collect(maps.Keys(got)))
	}
	if got := succeed(t, "archive", "create", dir+"/.", "-o", a); got != "0 encoded, 3 unchanged\n" {
		t.Errorf("again: %q", got)
	}
	succeed(t, "archive", "get", a, "b\xff.png", "-o", filepath.Join(t.TempDir(), "b"))
	var line rowLine
	if err := json.Unmarshal([]byte(succeed(t, "archive", "ls", a, "b*", "--json")), &line); err != nil || string(line.NameBytes) != "b\xff.png" {
		t.Errorf("%+v, %v", line, err)
	}
	other := t.TempDir()
	if err := os.Rename(filepath.Join(dir, "sub"), filepath.Join(other, filepath.Base(dir))); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{"would both have the names"}, "archive", "create", dir, filepath.Join(other, filepath.Base(dir)), "-o", a)
	succeed(t, "archive", "create", dir+"/.", other+"/"+filepath.Base(dir), "-o", a)
	if err := os.Mkdir(filepath.Join(dir, filepath.Base(dir)), 0o777); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{"would both have the names"}, "archive", "create", dir+"/.", other+"/"+filepath.Base(dir), "-o", a)
}

// TestArchiveKilled kills archive create after some pictures, at random moments
// after that, and interrupts it. The same command makes the archive whole.
func TestArchiveKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	dir := pictures(t, 22) // many more than are read ahead: the sixth is not near the end
	whole := filepath.Join(t.TempDir(), "A")
	succeed(t, "archive", "create", dir, "-o", whole)
	want := archived(t, whole)
	for _, sig := range []os.Signal{os.Kill, os.Kill, os.Interrupt} {
		a := filepath.Join(t.TempDir(), "A")
		args := []string{"archive", "create", dir, "-o", a, "--json"}
		if _, err := child(t, sig, a, 1+r.IntN(6), args...); err == nil {
			t.Error("the child was not killed")
		}
		for name, data := range archived(t, a) {
			if want[name] != data {
				t.Errorf("%s is not what it should be", name)
			}
		}
		if n := len(archived(t, a)); sig == os.Interrupt && n == 0 {
			t.Error("an interrupted run has kept nothing")
		}
		succeed(t, args...)
		if got := archived(t, a); !maps.Equal(got, want) {
			t.Errorf("%v: %d rows, want %d", sig, len(got), len(want))
		}
	}
}
