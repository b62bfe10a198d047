package pack

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/internal/files"
)

// tarOf returns a tar file of regular files, each with its name as contents, and
// a link.
func tarOf(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(name))}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, name)
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "link", Linkname: "/etc/passwd"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipOf(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, name)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestEntries: names are clean, those that lead outside are marked, and a file
// can be read when later ones have been.
func TestEntries(t *testing.T) {
	names := []string{"a.png", "./b.png", "/abs.png", "../out.png", "a/../../out.png", `x\y.png`, "a::b/c.png", ".."}
	want := []string{"a.png", "b.png", "abs.png", "outside", "outside", "x/y.png", "a::b/c.png", "outside"}
	for kind, data := range map[string][]byte{"tar": tarOf(t, names...), "zip": zipOf(t, names...)} {
		var got []string
		var all []Entry
		for e, err := range Entries(bytes.NewReader(data)) {
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			if e.Name == "link" {
				continue
			}
			all = append(all, e)
			if e.Outside {
				got = append(got, "outside")
			} else {
				got = append(got, e.Name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: names %q, want %q", kind, got, want)
		}
		for i, e := range all {
			f, err := e.Open(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			if data, err := io.ReadAll(f); err != nil || string(data) != names[i] || e.Size != int64(len(data)) {
				t.Errorf("%s: %q, %v", kind, data, err)
			}
			if got := string(e.Head(2)); got != names[i][:2] {
				t.Errorf("%s: head %q of %q", kind, got, names[i])
			}
			if got := string(e.Head(100)); got != names[i] {
				t.Errorf("%s: head %q of %q", kind, got, names[i])
			}
		}
	}
}

// TestLinks: what cannot be read is an entry that tells what it is.
func TestLinks(t *testing.T) {
	var tarred, zipped bytes.Buffer
	w, z := tar.NewWriter(&tarred), zip.NewWriter(&zipped)
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeReg, Name: "h/a.png"}, {Typeflag: tar.TypeLink, Name: "h/b.png", Linkname: "h/a.png"},
		{Typeflag: tar.TypeSymlink, Name: "./h/c.png", Linkname: "a.png"}, {Typeflag: tar.TypeDir, Name: "d.png"},
		{Typeflag: tar.TypeFifo, Name: "e.png"}, {Typeflag: tar.TypeCont, Name: "f.png"},
	} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	link := &zip.FileHeader{Name: "c.png"}
	link.SetMode(0o777 | fs.ModeSymlink)
	for _, h := range []*zip.FileHeader{{Name: "folder.png/"}, link, {Name: "d.png", Flags: 1}, {Name: "e.png", Method: 14}} {
		if _, err := z.CreateRaw(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		data []byte
		want []string
	}{
		{tarred.Bytes(), []string{"h/a.png: <nil>", "h/b.png: a link to h/a.png, ", "h/c.png: a link to a.png, ", "e.png: a device or a pipe, ", "f.png: <nil>"}},
		{zipped.Bytes(), []string{"c.png: a link, ", "d.png: encrypted: unpack ", "e.png: zip: unsupported compression algorithm (method 14): unpack "}},
	} {
		i := 0
		for e, err := range Entries(bytes.NewReader(c.data)) {
			if err != nil {
				t.Fatal(err)
			}
			_, err = e.Open(t.Context())
			if got := fmt.Sprintf("%s: %v", e.Name, err); i == len(c.want) || !strings.HasPrefix(got, c.want[i]) || len(e.Head(9)) > 0 {
				t.Errorf("entry %d: %q, want %q", i, got, c.want)
			}
			i++
		}
		if i < len(c.want) {
			t.Errorf("%d entries, want %q", i, c.want)
		}
	}
}

// TestChecksum: a file in a zip file that does not have its checksum cannot be read.
func TestChecksum(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.CreateHeader(&zip.FileHeader{Name: "a.png", Method: zip.Store})
	if err == nil {
		_, err = io.WriteString(f, "contents")
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	for e, err := range Entries(bytes.NewReader(bytes.Replace(b.Bytes(), []byte("contents"), []byte("c0ntents"), 1))) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Open(t.Context()); !errors.Is(err, zip.ErrChecksum) {
			t.Errorf("error %v", err)
		}
	}
}

// TestForeign: other ways of packing files are recognized, by what they begin
// with and by name.
func TestForeign(t *testing.T) {
	for program, data := range map[string]string{"xz": "\xfd7zXZ\x00\x00\x04", "bzip2": "BZh91AY&SY", "zstd": "\x28\xb5\x2f\xfd\x04\x00", "lz4": "\x04\x22\x4d\x18\x64\x40"} {
		for _, err := range Entries(strings.NewReader(data)) {
			if err == nil || !strings.Contains(err.Error(), "give what "+program+" -dc writes to standard input") {
				t.Errorf("%s: %v", program, err)
			}
		}
	}
	for _, err := range Entries(bytes.NewReader(tarOf(t, "BZhang/a.png"))) {
		if err != nil {
			t.Errorf("a tar file of a folder BZhang: %v", err)
		}
	}
	for name, want := range map[string]bool{"a.tar.xz": true, "A.TBZ2": true, "a.7z": true, "a.xz": false, "a.tar.gz": false, "a.tar": false, "a.zip": false} {
		if IsForeign(name) != want || want && IsPack(name) {
			t.Errorf("%s: foreign is not %v", name, want)
		}
	}
}

// TestSparse: nothing is read of a sparse file, whose holes may be of any size,
// and the files behind it can be read.
func TestSparse(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	const sparseMap = "1\n0\n1\n" // a byte at 0
	err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "GNUSparseFile.0/x.png", Size: tarBlock + 1, PAXRecords: map[string]string{
		"???.sparse.major": "1", "???.sparse.minor": "0", "???.sparse.name": "x.png", "???.sparse.realsize": "4611686018427387904",
	}})
	if err == nil {
		_, err = io.WriteString(w, sparseMap+strings.Repeat("\x00", tarBlock-len(sparseMap))+"x")
	}
	if err = errors.Join(err, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "y.png"}), w.Close()); err != nil {
		t.Fatal(err)
	}
	data := bytes.ReplaceAll(b.Bytes(), []byte("???.sparse"), []byte("GNU.sparse")) // which a tar.Writer leaves out
	var got []string
	for e, err := range Entries(bytes.NewReader(data)) {
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Open(t.Context())
		got = append(got, fmt.Sprintf("%s: %v", e.Name, err))
	}
	if want := []string{"x.png: " + errSparse.Error(), "y.png: <nil>"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestMemory: a file takes its size in memory and not much more while it is read.
func TestMemory(t *testing.T) {
	const size = 32 << 20
	var tarred, zipped bytes.Buffer
	w, z := tar.NewWriter(&tarred), zip.NewWriter(&zipped)
	f, err := z.Create("a.bmp")
	if err = errors.Join(err, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "a.bmp", Size: size})); err != nil {
		t.Fatal(err)
	}
	if _, err := io.MultiWriter(w, f).Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	for kind, data := range map[string][]byte{"tar": tarred.Bytes(), "zip": zipped.Bytes()} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for e, err := range Entries(bytes.NewReader(data)) {
			if err == nil {
				_, err = e.Open(t.Context())
			}
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > size+size/4 {
			t.Errorf("%s: %d bytes were allocated for a file of %d", kind, got, size)
		}
	}
}

// TestTooLarge: a file that is larger than what is kept in memory is an error
// when it is opened, and the files behind it can be read.
func TestTooLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 257 MiB")
	}
	pr, pw := io.Pipe()
	go func() {
		w := tar.NewWriter(pw)
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "large.png", Size: maxFile + 1})
		block := make([]byte, 1<<20)
		for n := int64(maxFile + 1); n > 0 && err == nil; n -= int64(len(block)) {
			_, err = w.Write(block[:min(n, int64(len(block)))])
		}
		if err == nil {
			err = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "small.png"})
		}
		if err == nil {
			err = w.Close()
		}
		pw.CloseWithError(err)
	}()
	var opened []string
	for e, err := range Entries(pr) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Open(t.Context()); err != nil {
			opened = append(opened, e.Name+": "+err.Error())
		} else {
			opened = append(opened, e.Name)
		}
	}
	if want := []string{"large.png: " + errTooLarge.Error(), "small.png"}; !slices.Equal(opened, want) {
		t.Errorf("%q, want %q", opened, want)
	}
}

// TestDirectory: a zip file's directory has a limit, and what is read of its
// files has none.
func TestDirectory(t *testing.T) {
	names := slices.Repeat([]string{"name.png"}, 2000)
	f := files.InMemory(zipOf(t, names...))
	if _, err := openZip(f, 64<<10); err == nil || !strings.Contains(err.Error(), "divide it") {
		t.Errorf("error %v", err)
	}
	z, err := openZip(f, 256<<10)
	if err != nil || len(z.File) != len(names) {
		t.Fatal(err)
	}
	for range 5 { // together more than the limit
		for _, file := range z.File {
			if open, _ := fromZip(file); open == nil {
				t.Fatal("no file")
			} else if _, err := open(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestPipe: a zip file from a pipe has a limit, one on the disk has none.
func TestPipe(t *testing.T) {
	data := zipOf(t, "name.png")
	limit := int64(len(data))
	pipe := func() io.Reader { return struct{ io.Reader }{bytes.NewReader(data)} }
	if f, err := zipFile(pipe(), pipe(), limit); err != nil {
		t.Error(err)
	} else if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes of %d, error %v", len(got), limit, err)
	}
	if _, err := zipFile(pipe(), pipe(), limit-1); err == nil || !strings.Contains(err.Error(), "from a pipe: its directory is at the end") {
		t.Errorf("one byte too many: error %v", err)
	}
	disk := files.InMemory(data)
	if f, err := zipFile(disk, pipe(), limit-1); err != nil || f != disk {
		t.Errorf("a file: %v, %v", f, err)
	}
}

// TestDamaged: a file cut short is an error, not an end.
func TestDamaged(t *testing.T) {
	for kind, data := range map[string][]byte{"tar": tarOf(t, strings.Repeat("a", 90)), "zip": zipOf(t, "a")} {
		for _, n := range []int{1, 50, min(560, len(data)-10)} {
			var last error
			for _, err := range Entries(bytes.NewReader(data[:n])) {
				last = err
			}
			if last == nil {
				t.Errorf("%s: %d bytes of %d are no error", kind, n, len(data))
			}
		}
	}
}

// TestGzipChecksum: contents that differ from their checksum are an error, what
// follows it is not.
func TestGzipChecksum(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(tarOf(t, "a")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	wrong := bytes.Clone(whole)
	wrong[len(wrong)-6] ^= 1 // of the CRC
	for _, c := range []struct {
		data []byte
		want error
	}{{whole, nil}, {wrong, gzip.ErrChecksum}, {whole[:len(whole)-3], io.ErrUnexpectedEOF}, {append(whole, make([]byte, 512)...), nil}, {append(whole, 0, 0, 0), nil}, {slices.Concat(whole, whole), nil}, {slices.Concat(whole, wrong), gzip.ErrChecksum}} {
		var last error
		for _, err := range Entries(bytes.NewReader(c.data)) {
			last = err
		}
		if !errors.Is(last, c.want) {
			t.Errorf("%d bytes of %d: error %v, want %v", len(c.data), len(whole), last, c.want)
		}
	}
}

// TestCutTar: a tar file that ends behind a file, or behind what is skipped, has
// no end and is an error, whatever the file ends in. One block of zeros is an end.
func TestCutTar(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{{Typeflag: tar.TypeReg, Name: "zeros", Size: 4000}, {Typeflag: 'Z', Name: "of some vendor", Size: 3000}} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	first := tarBlock + 8*tarBlock
	for _, c := range []struct {
		n  int
		ok bool
	}{{0, false}, {first, false}, {len(whole) - 2*tarBlock, false}, {len(whole) - tarBlock, true}, {len(whole), true}} {
		var last error
		for _, err := range Entries(bytes.NewReader(whole[:c.n])) {
			last = err
		}
		if (last == nil) != c.ok || !c.ok && last != errCut {
			t.Errorf("%d bytes of %d: error %v", c.n, len(whole), last)
		}
	}
}

// TestWriters: what is written is read.
func TestWriters(t *testing.T) {
	when := time.Unix(1700000000, 0)
	for kind, open := range map[string]func(io.Writer) Writer{"tar": NewTar, "gzip": NewGzip, "zip": NewZip} {
		var b bytes.Buffer
		w := open(&b)
		for _, name := range []string{"a", "dir/b"} {
			if err := w.Add(name, []byte("contents of "+name), when); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for e, err := range Entries(&b) {
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			got = append(got, e.Name+": "+string(e.Head(100)))
			if !e.Time.Equal(when) {
				t.Errorf("%s: time %v", kind, e.Time)
			}
		}
		if want := []string{"a: contents of a", "dir/b: contents of dir/b"}; !slices.Equal(got, want) {
			t.Errorf("%s: %q", kind, got)
		}
	}
}
