package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/files/filestest"
	"github.com/coclico/coclico/cmd/internal/inspect"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/model/synth"
)

// A result is the outcome of a run of the program.
type result struct {
	status         int
	stdout, stderr string
}

func coclico(t *testing.T, args ...string) result {
	t.Helper()
	return coclicoIn(t, t.Context(), nil, args...)
}

func coclicoIn(t *testing.T, ctx context.Context, stdin []byte, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	status := run(ctx, args, bytes.NewReader(stdin), &out, &err)
	return result{status, out.String(), err.String()}
}

// succeed runs the program, which must succeed in silence.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	r := coclico(t, args...)
	if r.status != process.OK || r.stderr != "" {
		t.Fatalf("coclico %v: status %d, stderr %q", args, r.status, r.stderr)
	}
	return r.stdout
}

// fail runs the program, which must complain in one line with all of what.
func fail(t *testing.T, status int, what []string, args ...string) {
	t.Helper()
	r := coclico(t, args...)
	if r.status != status {
		t.Errorf("coclico %v: status %d, want %d", args, r.status, status)
	}
	if strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "coclico: ") || len(r.stderr) > 700 {
		t.Errorf("coclico %v: stderr is not one line: %q", args, r.stderr)
	}
	for _, w := range what {
		if !strings.Contains(r.stderr, w) {
			t.Errorf("coclico %v: stderr %q lacks %q", args, r.stderr, w)
		}
	}
	if r.stdout != "" {
		t.Errorf("coclico %v: stdout %q", args, r.stdout)
	}
}

// onlyFiles requires that a folder has these files and no others.
func onlyFiles(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("%s has %q, want %q", dir, got, names)
	}
}

func tinyModel(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny")
	if err := synth.Write(context.Background(), dir, "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

const photo = "../../codec/testdata/photos/rocket.jpg"

func TestEncodeDecode(t *testing.T) {
	dir := t.TempDir()
	file, picture := filepath.Join(dir, "a.coclico"), filepath.Join(dir, "a.png")
	succeed(t, "encode", photo, "-o", file)
	data, err := os.ReadFile(file)
	if err != nil || len(data) > 118 {
		t.Fatalf("a photo became %d bytes (%v)", len(data), err)
	}
	if raw := succeed(t, "encode", photo, "-o", "-", "--raw"); len(raw) != 120 {
		t.Errorf("a photo has %d raw bytes", len(raw))
	}
	succeed(t, "decode", file, "-o", picture, "--steps", "2")
	f, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if cfg, err := png.DecodeConfig(f); err != nil || cfg.Width != 128 || cfg.Height != 128 {
		t.Errorf("decoded to %v (%v)", cfg, err)
	}
	onlyFiles(t, dir, "a.coclico", "a.png")

	jpg := filepath.Join(dir, "b.jpg")
	succeed(t, "decode", file, "-o", jpg, "--steps", "1", "--size", "64", "--precision", "exact", "--guidance", "0", "--strength", "1", "--seed", "3")
	if data, err := os.ReadFile(jpg); err != nil || !bytes.HasPrefix(data, []byte("\xff\xd8")) {
		t.Errorf("%s is no JPEG (%v)", jpg, err)
	}
}

// TestSynced: a single result is on the disk before it has its name, whichever
// command writes it.
func TestSynced(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
	}{
		{"a.coclico", []string{"encode", photo}}, {"a.png", []string{"decode", filepath.Join(dir, "a.coclico"), "--steps", "1", "--size", "16"}},
	} {
		disk := new(filestest.Recorder)
		screen := terminal.New(io.Discard, io.Discard, os.Getenv)
		cmd := rootCmd(files.New(nil, screen.Out).OnDisk(disk), screen, new(bool))
		cmd.SetArgs(append(c.args, "-o", filepath.Join(dir, c.name)))
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		part := "." + c.name + ".part"
		want := []string{"create " + part, "write " + part, "sync " + part, "rename " + part + " to " + c.name, "sync folder dir"}
		if got := disk.Ops(); !slices.Equal(got, want) {
			t.Errorf("%s does:\n%q, want\n%q", c.args[0], got, want)
		}
	}
}

// TestLink: a link that is named as output stays a link.
func TestLink(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "a.coclico"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.coclico", link); err != nil {
		t.Skip(err)
	}
	succeed(t, "encode", photo, "-o", link)
	if data, err := os.ReadFile(file); err != nil || len(data) < 100 {
		t.Errorf("%d bytes behind the link (%v)", len(data), err)
	}
	if target, err := os.Readlink(link); err != nil || target != "a.coclico" {
		t.Errorf("the link is %q (%v)", target, err)
	}
	onlyFiles(t, dir, "a.coclico", "link")
}

// TestOntoItself: a picture is not replaced by its stream, nor a stream by its
// picture, under any name.
func TestOntoItself(t *testing.T) {
	dir := t.TempDir()
	data, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	file, link := filepath.Join(dir, "a.png"), filepath.Join(dir, "link.png")
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.png", link); err != nil {
		t.Skip(err)
	}
	for _, names := range [][2]string{{file, file}, {file, dir + "/./a.png"}, {file, link}, {link, file}} {
		for _, command := range []string{"encode", "decode"} {
			fail(t, process.Failed, []string{names[0], "own result"}, command, names[0], "-o", names[1])
		}
	}
	if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, data) {
		t.Errorf("the picture has changed (%v)", err)
	}
}

// TestStandardStreams: - is standard input and output.
func TestStandardStreams(t *testing.T) {
	data, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	enc := coclicoIn(t, t.Context(), data, "encode", "-", "-o", "-")
	if enc.status != process.OK || len(enc.stdout) < 100 || enc.stderr != "" {
		t.Fatalf("encode: status %d, %d bytes, stderr %q", enc.status, len(enc.stdout), enc.stderr)
	}
	dec := coclicoIn(t, t.Context(), []byte(enc.stdout), "decode", "-", "-o", "-", "--steps", "1", "--size", "16")
	if _, err := png.Decode(strings.NewReader(dec.stdout)); dec.status != process.OK || err != nil {
		t.Errorf("decode: status %d, %v, stderr %q", dec.status, err, dec.stderr)
	}
}

func TestModelVariable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.coclico")
	t.Setenv(modelVar, tinyModel(t))
	succeed(t, "encode", photo, "-o", file, "--map-size", "16", "--color-bits", "3", "--clip-bits", "4", "--raw")
	info, err := os.Stat(file)
	if want := int64(32*4+16*16*3*3/2) / 8; err != nil || info.Size() != want {
		t.Errorf("%v, want %d bytes", info, want)
	}
	t.Setenv(modelVar, filepath.Join(dir, "nowhere"))
	fail(t, process.Failed, []string{"nowhere: no such file"}, "encode", photo, "-o", file)
}

func TestInfo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.coclico")
	succeed(t, "encode", photo, "-o", file)
	text := succeed(t, "info", file)
	for _, want := range []string{"of 960 bits", "bits per pixel at 128 x 128", "header 2.0", "tuned profile, of model ", "20 steps, guidance 12, strength 0.88, seed 0", "768 dimensions", "8 x 8"} {
		if !strings.Contains(text, want) {
			t.Errorf("info does not print %q:\n%s", want, text)
		}
	}
	var info inspect.Description
	if err := json.Unmarshal([]byte(succeed(t, "info", "--json", file)), &info); err != nil {
		t.Fatal(err)
	}
	if info.Bytes > 122 || info.Bits != 960 || len(info.Clip.Codes) != 768 || len(info.Color.Y) != 8 || len(info.Color.U) != 4 || len(info.Color.RGB) != 8 {
		t.Errorf("info --json is %+v", info)
	}
	succeed(t, "encode", photo, "-o", file, "--profile", "paper")
	if text := succeed(t, "info", file); !strings.Contains(text, "of 960 bits") || !strings.Contains(text, "paper profile, of model ") || !strings.Contains(text, "header 2.0") {
		t.Errorf("info of the paper's profile:\n%s", text)
	}
	machine := succeed(t, "info", "--machine")
	if !strings.Contains(machine, "generic") || !strings.Contains(machine, "best available") && os.Getenv("COCLICO_KERNELS") == "" {
		t.Errorf("info --machine:\n%s", machine)
	}
	var list []kernelInfo
	if err := json.Unmarshal([]byte(succeed(t, "info", "--machine", "--json")), &list); err != nil || len(list) == 0 {
		t.Errorf("info --machine --json: %v %v", list, err)
	}
}

// TestSynthVerify: a folder that synth wrote passes verify, and one of another
// seed does not.
func TestSynthVerify(t *testing.T) {
	cases := "../../vit/testdata/vision.safetensors"
	right, wrong := filepath.Join(t.TempDir(), "new", "right"), filepath.Join(t.TempDir(), "wrong")
	succeed(t, "synth", right, "--config", "tiny", "--seed", "1")
	succeed(t, "synth", wrong, "--config", "tiny", "--seed", "1")
	succeed(t, "synth", wrong, "--config", "tiny", "--seed", "2", "--force")
	out := succeed(t, "verify", "--model", right, cases)
	if !strings.Contains(out, "mid/vision_model.encoder.layers.0") || !strings.Contains(out, "all in bounds") {
		t.Errorf("verify says\n%s", out)
	}
	r := coclico(t, "verify", "--model", wrong, "--precision", "fast", cases)
	if r.status != process.Failed || r.stderr != "" || !strings.Contains(r.stdout, "OUT OF BOUNDS") {
		t.Errorf("verify of other weights: status %d, stderr %q\n%s", r.status, r.stderr, r.stdout)
	}
}

// TestSynthOverModel: a model is overwritten with --force only.
func TestSynthOverModel(t *testing.T) {
	dir := t.TempDir() // an empty folder will do
	succeed(t, "synth", dir)
	precious := filepath.Join(dir, "unet", "diffusion_pytorch_model.safetensors")
	if err := os.WriteFile(precious, []byte("trained"), 0o666); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{dir, "--force"}, "synth", dir)
	if data, err := os.ReadFile(precious); err != nil || string(data) != "trained" {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestVersionAndHelp(t *testing.T) {
	out := succeed(t, "version")
	if !strings.HasPrefix(out, "coclico ") || strings.Count(out, "\n") != 1 || !strings.Contains(out, runtime.GOOS+"/"+runtime.GOARCH) {
		t.Errorf("version is %q", out)
	}
	for _, flag := range []string{"--version", "-v"} {
		if got := succeed(t, flag); got != out {
			t.Errorf("%s prints %q, the command %q", flag, got, out)
		}
	}
	for _, args := range [][]string{{}, {"--help"}, {"encode", "--help"}, {"decode", "-h"}, {"info", "-h"}, {"compare", "-h"}, {"synth", "-h"}, {"verify", "-h"}, {"bench", "-h"}} {
		if out := succeed(t, args...); !strings.Contains(out, "Usage:") {
			t.Errorf("%v: no usage", args)
		}
	}
}

// TestEveryCommand: every command has help with an example, a manual page and a
// place in the shells' completions.
func TestEveryCommand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "man1")
	succeed(t, "man", dir)
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		page, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"))
		if err != nil || !strings.Contains(string(page), ".TH") {
			t.Errorf("%s has no manual page (%v)", cmd.CommandPath(), err)
		}
		if cmd.Example == "" && cmd.Runnable() {
			t.Errorf("%s --help has no example", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(rootCmd(nil, terminal.New(io.Discard, io.Discard, os.Getenv), new(bool)))
	page, err := os.ReadFile(filepath.Join(dir, "coclico-archive-extract.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n\\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIfolder\\fR\n", "* and ?", "\\e[ is a [.\n", // the text's own characters, not a markup's
		"\n.EX\n  coclico archive extract A \\-o out/\n  coclico archive extract A \\(aq*.png\\(aq \\-o pngs.tar\n.EE\n",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page of archive extract lacks %q:\n%s", want, page)
		}
	}
	if got, want := manText("One\n.two\n\nThree:\n  a\n\n  b\n\nfour"), "One\n\\&.two\n.PP\nThree:\n.EX\n  a\n\n  b\n.EE\n.PP\nfour\n"; got != want {
		t.Errorf("a text is %q, want %q", got, want)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := succeed(t, "completion", shell); !strings.Contains(out, "coclico") {
			t.Errorf("completion %s:\n%s", shell, out)
		}
	}
	for _, c := range [][]string{{"enc", "encode\t"}, {"completion", "zs", "zsh\n"}, {"help", "models", "conv", "convert\t"}} {
		n := len(c) - 1
		if r := coclico(t, append([]string{"__complete"}, c[:n]...)...); !strings.HasPrefix(r.stdout, c[n]) {
			t.Errorf("%v is completed to %q", c[:n], r.stdout)
		}
	}
}

// TestHelp: help describes the commands that exist, and no others.
func TestHelp(t *testing.T) {
	for _, c := range [][]string{{"coclico [command]"}, {"encode", "coclico encode PICTURE"}, {"models", "convert", "coclico models convert"}, {"help", "coclico help"}, {"completion", "coclico completion SHELL"}} {
		n := len(c) - 1
		out := succeed(t, append([]string{"help"}, c[:n]...)...)
		if !strings.Contains(out, c[n]) || !strings.Contains(out, "--help") {
			t.Errorf("help %v:\n%s", c[:n], out)
		}
	}
	for _, c := range [][]string{
		{"help", "bogus", `unknown command "bogus" for "coclico" (coclico --help)`}, {"help", "models", "bogus", `unknown command "bogus"`}, {"help", "encode", "bogus", `unknown command "bogus"`},
		{"completion", "zhs", "completion zhs: must be bash, zsh, fish or powershell"}, {"completion", "completion takes one SHELL"}, {"completion", "zsh", "fish", "completion takes one SHELL"},
		{"enc", `unknown command "enc" for "coclico"; did you mean bench or encode`},
	} {
		n := len(c) - 1
		fail(t, process.Usage, c[n:], c[:n]...)
	}
}

// TestInterruptedInput: Ctrl-C also ends a run that waits for standard input.
func TestInterruptedInput(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"encode", "-", "-o", filepath.Join(dir, "a")}, {"decode", "-", "-o", filepath.Join(dir, "a.png")}, {"info", "-"}} {
		silent, writer := io.Pipe()
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, stop)
		status := run(ctx, args, silent, io.Discard, io.Discard)
		stop()
		writer.Close()
		if status != process.Interrupted {
			t.Errorf("%v: status %d", args, status)
		}
	}
	onlyFiles(t, dir)
}

// TestInterrupt: Ctrl-C leaves no file behind.
func TestInterrupt(t *testing.T) {
	dir, model := t.TempDir(), tinyModel(t)
	file := filepath.Join(t.TempDir(), "a.coclico")
	succeed(t, "encode", photo, "-o", file, "--model", model)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	time.AfterFunc(100*time.Millisecond, stop)
	start := time.Now()
	r := coclicoIn(t, ctx, nil, "decode", file, "-o", filepath.Join(dir, "a.png"), "--steps", "1000", "--model", model)
	if r.status != process.Interrupted || r.stderr != "coclico: interrupted\n" {
		t.Errorf("status %d, stderr %q", r.status, r.stderr)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %v to stop", d)
	}
	onlyFiles(t, dir)
}
