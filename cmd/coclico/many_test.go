package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec"
)

// pictures makes a folder of small pictures, n of them below a second folder.
func pictures(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "photos")
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range n + 2 {
		img := image.NewNRGBA(image.Rect(0, 0, 20+i, 30))
		for j := range img.Pix {
			img.Pix[j] = uint8(j*(i+1)) | 0x80
		}
		path := filepath.Join(dir, "sub", string(rune('a'+i))+".png")
		if i >= n {
			path = filepath.Join(dir, string(rune('a'+i))+".png")
		}
		writePNG(t, path, img)
	}
	old(t, dir)
	return dir
}

func writePNG(t *testing.T, path string, img image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// old makes files a minute old, so that their results are newer by any file
// system's clock.
func old(t *testing.T, dir string) {
	t.Helper()
	past := time.Now().Add(-time.Minute)
	for path := range contents(t, dir) {
		if err := os.Chtimes(filepath.Join(dir, path), past, past); err != nil {
			t.Fatal(err)
		}
	}
}

// contents returns the files below a folder and what is in them.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		all[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func sameFiles(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, data := range want {
		if g, ok := got[name]; !ok {
			t.Errorf("%s is missing", name)
		} else if g != data {
			t.Errorf("%s has other bytes", name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s exists", name)
		}
	}
}

// TestEncodeManyMemory: a picture of a folder is announced with the copy that
// the codec makes of it.
func TestEncodeManyMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.png")
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 100, 100))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	r := &encodeRunner{encoding: &encoding{}, files: &files.IO{}}
	in, err := r.open(t.Context(), batch.Job{Input: path})
	if err != nil {
		t.Fatal(err)
	}
	const rows = 2 * 4 * 100
	if in.Memory != (4+3)*100*100+rows {
		t.Errorf("announced %d bytes", in.Memory)
	}
}

// TestManyFiles: a folder is encoded and decoded, with a bad file in it, and
// again.
func TestManyFiles(t *testing.T) {
	dir := pictures(t, 3)
	out, again := filepath.Join(t.TempDir(), "out"), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bad.jpg"), []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"encode", photo, dir + "/", "-o", out, "--jobs", "2"}
	r := coclico(t, args...)
	if r.status != process.Failed || !strings.HasPrefix(r.stdout, "6 encoded, in ") ||
		r.stderr != "coclico: "+filepath.Join(dir, "bad.jpg")+": not a picture that can be read ("+picture.Names()+")\ncoclico: 1 of 7 files failed, listed above\n" {
		t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	if err := os.Remove(filepath.Join(dir, "bad.jpg")); err != nil {
		t.Fatal(err)
	}
	streams := contents(t, out)
	single := filepath.Join(t.TempDir(), "a")
	checkLines(t, succeed(t, "encode", photo, "-o", single, "--json"), 1, 0, photo)
	if data, err := os.ReadFile(single); err != nil || streams["rocket.jpg.coclico"] != string(data) || len(streams) != 6 || streams["photos/sub/a.png.coclico"] == "" {
		t.Errorf("%d files, %v", len(streams), err)
	}
	if line := succeed(t, args...); line != "0 encoded, 6 unchanged\n1 other file passed over: 1 .txt\n" {
		t.Errorf("again: %s", line)
	}
	now := time.Now().Add(time.Minute) // a changed input
	if err := os.Chtimes(filepath.Join(dir, "sub", "b.png"), now, now); err != nil {
		t.Fatal(err)
	}
	checkLines(t, succeed(t, append(args, "--json")...), 6, 1, filepath.Join(dir, "sub", "b.png"))
	sameFiles(t, contents(t, out), streams)
	for _, other := range [][]string{{"--map-size", "6"}, {"--fit", "whole"}, {"--steps", "5"}, {"--model", tinyModel(t)}, {"--raw"}, {}} {
		if line := succeed(t, append(args, other...)...); !strings.HasPrefix(line, "6 encoded, in ") {
			t.Errorf("with %v: %s", other, line)
		}
	}
	sameFiles(t, contents(t, out), streams)

	old(t, out)
	decode := []string{"decode", filepath.Join(out, "photos"), "-o", again, "--steps", "1", "--size", "16"}
	if line := succeed(t, decode...); !strings.HasPrefix(line, "5 decoded, in ") {
		t.Errorf("decode: %s", line)
	}
	if line := succeed(t, decode...); line != "0 decoded, 5 unchanged\n" {
		t.Errorf("decode again: %s", line)
	}
	if line := succeed(t, append(decode, "--seed", "2")...); !strings.HasPrefix(line, "5 decoded, in ") {
		t.Errorf("decode otherwise: %s", line)
	}
	if line := succeed(t, append(decode, "--seed", "2", "--force")...); !strings.HasPrefix(line, "5 decoded, in ") {
		t.Errorf("decode by force: %s", line)
	}
	if got := contents(t, again); len(got) != 5 || !strings.HasPrefix(got["photos/sub/a.png.png"], "\x89PNG") {
		t.Errorf("%d pictures", len(got))
	}
	asJPEG := []string{"decode", out, "-o", again, "--steps", "1", "--size", "16", "--format", "jpg", "--jpeg-quality"}
	old(t, out)
	for _, c := range [][2]string{{"50", "6 decoded, in "}, {"50", "0 decoded, 6 unchanged"}, {"90", "6 decoded, in "}} {
		if line := succeed(t, append(asJPEG, c[0])...); !strings.HasPrefix(line, c[1]) {
			t.Errorf("decode to JPEG of quality %s: %s", c[0], line)
		}
	}
}

// TestCutResults: a truncated result is made again.
func TestCutResults(t *testing.T) {
	dir, out, again := pictures(t, 2), t.TempDir(), t.TempDir()
	encode := []string{"encode", dir, "-o", out}
	decode := []string{"decode", out, "-o", again, "--steps", "1", "--size", "16"}
	succeed(t, encode...)
	cut := func(root, ending string) {
		t.Helper()
		for path, data := range contents(t, root) {
			if strings.HasSuffix(path, ending) {
				path = filepath.Join(root, path)
				if err := os.Truncate(path, int64(len(data))*3/4); err != nil {
					t.Fatal(err)
				}
				later := time.Now().Add(time.Minute)
				if err := os.Chtimes(path, later, later); err != nil {
					t.Fatal(err)
				}
				return
			}
		}
		t.Fatalf("no %s in %s", ending, root)
	}
	cut(out, streamExt)
	if line := succeed(t, encode...); !strings.HasPrefix(line, "1 encoded, ") {
		t.Errorf("a cut file: %s", line)
	}
	old(t, out)
	succeed(t, decode...)
	cut(again, ".png")
	if line := succeed(t, decode...); !strings.HasPrefix(line, "1 decoded, ") {
		t.Errorf("a cut picture: %s", line)
	}
}

// TestTooManySteps: a file with more steps than the model has is one bad file
// among others.
func TestTooManySteps(t *testing.T) {
	in, again := t.TempDir(), t.TempDir()
	bad := filepath.Join(in, "a.coclico")
	c, err := codec.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sampling := codec.DefaultSampling(codec.Paper)
	sampling.Steps = 1010 // which the command refuses to write
	data, err := c.Encode(t.Context(), image.NewGray(image.Rect(0, 0, 9, 9)), &codec.EncodeOptions{Sampling: &sampling})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, data, 0o666); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Usage, []string{"--steps 1001: must be a whole number from 1 to 1000"}, "encode", photo, "-o", filepath.Join(in, "c.coclico"), "--steps", "1001")
	succeed(t, "encode", photo, "-o", filepath.Join(in, "b.coclico"), "--steps", "1")
	r := coclico(t, "decode", in, "-o", again, "--size", "16")
	if r.status != process.Failed || !strings.HasPrefix(r.stdout, "1 decoded, ") || !strings.Contains(r.stderr, bad+": unsupported: file of 1010 steps") {
		t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	fail(t, process.Usage, []string{"steps 1010"}, "decode", filepath.Join(in, "b.coclico"), "-o", filepath.Join(again, "c.png"), "--steps", "1010")
}

// TestReplacedPicture: a picture in whose place an older one was moved is encoded
// again, and so is one that was changed and dated back.
func TestReplacedPicture(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "js" {
		t.Skip("no change times")
	}
	dir, older, out := pictures(t, 2), pictures(t, 3), t.TempDir()
	encode := []string{"encode", dir + "/.", "-o", out}
	succeed(t, encode...)
	if line := succeed(t, encode...); line != "0 encoded, 4 unchanged\n" {
		t.Errorf("again: %s", line)
	}
	was := contents(t, out)
	if err := os.Rename(filepath.Join(older, "sub", "c.png"), filepath.Join(dir, "sub", "a.png")); err != nil {
		t.Fatal(err)
	}
	if line := succeed(t, encode...); !strings.HasPrefix(line, "1 encoded, 3 unchanged") {
		t.Errorf("with an older picture in a picture's place: %s", line)
	}
	if now := contents(t, out); now["sub/a.png.coclico"] == was["sub/a.png.coclico"] || now["sub/b.png.coclico"] != was["sub/b.png.coclico"] {
		t.Error("the file is that of the picture before")
	}
	edit(t, filepath.Join(dir, "c.png"), func([]byte) []byte {
		data, err := os.ReadFile(photo)
		if err != nil {
			t.Fatal(err)
		}
		return data
	})
	old(t, dir)
	if line := succeed(t, encode...); !strings.Contains(line, " encoded") || contents(t, out)["c.png.coclico"] == was["c.png.coclico"] {
		t.Errorf("with a picture that was dated back: %s", line)
	}
}

// TestLongNames: pictures whose names leave no room for an ending are encoded,
// decoded, and known again.
func TestLongNames(t *testing.T) {
	in, out, again := t.TempDir(), t.TempDir(), t.TempDir()
	for _, n := range []int{250, 254, 255} {
		writePNG(t, filepath.Join(in, strings.Repeat("n", n-4)+".png"), image.NewGray(image.Rect(0, 0, 8, n)))
	}
	old(t, in)
	for i, want := range []string{"3 encoded", "0 encoded, 3 unchanged"} {
		if line := succeed(t, "encode", in+"/.", "-o", out); !strings.HasPrefix(line, want) {
			t.Errorf("run %d: %s", i, line)
		}
	}
	decode := []string{"decode", out + "/.", "-o", again, "--steps", "1", "--size", "16"}
	for i, want := range []string{"3 decoded", "0 decoded, 3 unchanged"} {
		if line := succeed(t, decode...); !strings.HasPrefix(line, want) {
			t.Errorf("run %d: %s", i, line)
		}
	}
	longest := filepath.Join(in, strings.Repeat("o", 255))
	succeed(t, "encode", photo, "-o", longest)
	if data, err := os.ReadFile(longest); err != nil || len(data) == 0 {
		t.Errorf("a single file: %d bytes, %v", len(data), err)
	}
}

// TestSeedZero: seed 0 is a seed like any other, also if the file has one.
func TestSeedZero(t *testing.T) {
	dir := t.TempDir()
	plain, said := filepath.Join(dir, "plain"), filepath.Join(dir, "said")
	succeed(t, "encode", photo, "-o", plain, "--steps", "2")
	succeed(t, "encode", photo, "-o", said, "--steps", "2", "--seed", "7")
	var pixels [3]string
	for i, args := range [][]string{{plain}, {said, "--seed", "0"}, {said}} {
		out := filepath.Join(dir, "out.png")
		succeed(t, append(append([]string{"decode"}, args...), "-o", out, "--size", "16")...)
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		rgba := image.NewRGBA(img.Bounds())
		draw.Draw(rgba, rgba.Rect, img, image.Point{}, draw.Src)
		pixels[i] = string(rgba.Pix)
	}
	if pixels[0] != pixels[1] || pixels[0] == pixels[2] {
		t.Error("--seed 0 is not the seed 0")
	}
}

// checkLines demands a line of JSON for each file, all of them unchanged except
// one, and for each file that was passed over.
func checkLines(t *testing.T, lines string, n, passed int, done string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(lines))
	for i := 0; ; i++ {
		var l fileLine
		if err := d.Decode(&l); err == io.EOF && i == n+passed {
			return
		} else if err != nil {
			t.Fatalf("line %d of %d: %v", i, n+passed, err)
		}
		if i >= n {
			if l.Status != statusPassed || l.Input == "" || l.Output != "" {
				t.Errorf("%+v", l)
			}
			continue
		}
		if want := l.Input == done; want != (l.Status == batch.Done) || want != (l.Bytes > 0) || !want && l.Status != batch.Unchanged {
			t.Errorf("%+v", l)
		}
	}
}

// child starts the test binary as the program and sends it a signal when it has
// reported so many files.
func child(t *testing.T, sig os.Signal, dir string, n int, args ...string) (stderr string, err error) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), childVar+"=1")
	var b bytes.Buffer
	cmd.Stderr = &b
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		if i == n-1 {
			time.Sleep(3 * time.Millisecond) // into the next file
			_ = cmd.Process.Signal(sig)
		}
	}
	err = cmd.Wait()
	return b.String(), err
}

// TestKilled: a run that was killed and started again leaves the same bytes as
// one that was not.
func TestKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals")
	}
	dir := pictures(t, 10)
	streams := t.TempDir()
	succeed(t, "encode", dir, "-o", streams)
	old(t, streams)
	whole, killed := t.TempDir(), t.TempDir()
	args := func(out string) []string {
		return []string{"decode", streams, "-o", out, "--steps", "3", "--json", "--keep-stream"}
	}
	if _, err := child(t, os.Kill, whole, -1, args(whole)...); err != nil {
		t.Fatal(err)
	}
	want := contents(t, whole)
	for _, n := range []int{1, 3} {
		if _, err := child(t, os.Kill, killed, n, args(killed)...); err == nil {
			t.Error("the child was not killed")
		}
		for name, data := range contents(t, killed) {
			if want[name] != data && !strings.HasSuffix(name, ".part") {
				t.Errorf("%s is not whole", name)
			}
		}
	}
	if _, err := child(t, os.Kill, killed, -1, args(killed)...); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, contents(t, killed), want)
}

// TestInterruptedMany: a signal leaves whole files only, and the run reports how
// to resume and ends with the signal's status.
func TestInterruptedMany(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals")
	}
	dir := pictures(t, 6)
	streams := t.TempDir()
	succeed(t, "encode", dir, "-o", streams)
	for sig, status := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		if signal.Ignored(sig) {
			continue // the tests run under nohup, which the program heeds
		}
		out := t.TempDir()
		args := []string{"decode", streams, "-o", out, "--steps", "20", "--json"}
		stderr, err := child(t, sig, out, 3, args...)
		exit, ok := err.(*exec.ExitError)
		if !ok || exit.ExitCode() != status || !strings.Contains(stderr, "of 8 files decoded, all of them whole; the same command resumes") {
			t.Errorf("%v: %v, stderr %q", sig, err, stderr)
		}
		got := contents(t, out)
		if len(got) < 3 || len(got) > 5 {
			t.Errorf("%v: %d files after the third", sig, len(got))
		}
		for name, data := range got {
			if _, err := png.Decode(strings.NewReader(data)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestForeignPicture: among many, a photo is not replaced by the picture that is
// painted from it.
func TestForeignPicture(t *testing.T) {
	dir := t.TempDir()
	for _, format := range []string{"png", "jpg", "webp"} {
		there := filepath.Join(dir, "rocket."+format)
		data, err := os.ReadFile(photo)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(there, data, 0o666); err != nil {
			t.Fatal(err)
		}
		succeed(t, "encode", there, "-o", filepath.Join(dir, "rocket.coclico"))
		args := []string{"decode", filepath.Join(dir, "rocket.coclico"), "-o", dir + "/", "--format", format, "--steps", "1", "--size", "16"}
		r := coclico(t, args...)
		if now, err := os.ReadFile(there); r.status != process.Failed || !strings.Contains(r.stderr, there+": exists") || !bytes.Equal(now, data) {
			t.Errorf("%s: status %d, %s%v", format, r.status, r.stderr, err)
		}
		for range 2 { // then it is one of decode's
			if line := succeed(t, append(args, "--force")...); !strings.HasPrefix(line, "1 decoded") {
				t.Errorf("%s by force: %s", format, line)
			}
		}
		if line := succeed(t, args...); !strings.HasPrefix(line, "0 decoded, 1 unchanged") {
			t.Errorf("%s again: %s", format, line)
		}
		if line := succeed(t, append(args, "--guidance", "3")...); !strings.HasPrefix(line, "1 decoded") {
			t.Errorf("%s with other parameters: %s", format, line)
		}
		if err := os.WriteFile(there, data, 0o666); err != nil {
			t.Fatal(err)
		}
		succeed(t, "decode", filepath.Join(dir, "rocket.coclico"), "-o", there, "--steps", "1", "--size", "16") // named, it is replaced
		if now, err := os.ReadFile(there); err != nil || bytes.Equal(now, data) {
			t.Errorf("%s: a single output is not replaced (%v)", format, err)
		}
	}
}

// TestShapes: one pixel, a panorama and a column are pictures like any other.
func TestShapes(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string]image.Point{"pixel": {1, 1}, "panorama": {500, 100}, "column": {1, 300}} {
		path := filepath.Join(dir, name+".png")
		img := image.NewNRGBA(image.Rectangle{Max: size})
		for x := range size.X {
			img.Set(x, 0, color.NRGBA{uint8(x), 200, 7, 128})
		}
		writePNG(t, path, img)
		succeed(t, "encode", path, "-o", filepath.Join(dir, name))
		succeed(t, "decode", filepath.Join(dir, name), "-o", filepath.Join(dir, name+".webp"), "--steps", "1", "--size", "8")
		if name == "column" {
			fail(t, process.Failed, []string{path, "6 times"}, "encode", path, "-o", filepath.Join(dir, name), "--fit", "whole")
			continue
		}
		succeed(t, "encode", path, "-o", filepath.Join(dir, name), "--fit", "whole")
		succeed(t, "decode", filepath.Join(dir, name), "-o", filepath.Join(dir, name+".jpg"), "--steps", "1", "--size", "40")
	}
}

// TestLargerBudget: a file that a larger budget would make better is made again.
func TestLargerBudget(t *testing.T) {
	dir, out := pictures(t, 4), t.TempDir()
	for _, c := range [][2]string{{"110", "6 encoded, in "}, {"110", "0 encoded, 6 unchanged"}, {"115", "6 encoded, in "}, {"114", "6 encoded, in "}} {
		if line := succeed(t, "encode", dir+"/.", "-o", out, "--bytes", c[0]); !strings.HasPrefix(line, c[1]) {
			t.Errorf("%s bytes: %s", c[0], line)
		}
	}
}

// TestDash: - is standard input and output even where there is a folder or
// a file of that name, and a picture is not lost if it has the name under which
// its result is written.
func TestDash(t *testing.T) {
	dir := t.TempDir()
	data, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	photo, err := filepath.Abs(photo)
	if err != nil {
		t.Fatal(err)
	}
	part := filepath.Join(dir, ".y.coclico.part")
	if err := os.WriteFile(part, data, 0o666); err != nil {
		t.Fatal(err)
	}
	says := []string{"has the name under which ", " is written: rename it"}
	fail(t, process.Failed, says, "encode", part, "-o", filepath.Join(dir, "y.coclico"))
	if now, err := os.ReadFile(part); err != nil || !bytes.Equal(now, data) {
		t.Errorf("the picture is gone (%v)", err)
	}
	if runtime.GOOS != "windows" && runtime.GOOS != "js" {
		link, to := filepath.Join(dir, "link.png"), filepath.Join(t.TempDir(), "to.coclico")
		err := errors.Join(os.Symlink(part, link), os.WriteFile(filepath.Join(dir, "y.coclico"), nil, 0o666), os.Symlink(filepath.Join(dir, "y.coclico"), to))
		if err != nil {
			t.Fatal(err)
		}
		fail(t, process.Failed, says, "encode", link, "-o", filepath.Join(dir, "y.coclico"))
		fail(t, process.Failed, says, "encode", part, "-o", to)
	}
	t.Chdir(dir)
	file := succeed(t, "encode", photo, "-o", "-")
	for _, make := range []func() error{
		func() error { return os.Mkdir("-", 0o777) },
		func() error { return errors.Join(os.Remove("-"), os.WriteFile("-", data, 0o666)) },
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		if got := succeed(t, "encode", photo, "-o", "-"); got != file {
			t.Errorf("standard output got %d bytes", len(got))
		}
		if r := coclicoIn(t, t.Context(), []byte(file), "info", "-"); r.status != process.OK || !strings.Contains(r.stdout, "CLIP vector") {
			t.Errorf("info: %+v", r)
		}
	}
	if got := succeed(t, "encode", "./-", "-o", "-"); got != file {
		t.Errorf("standard output got %d bytes of ./-", len(got))
	}
}
