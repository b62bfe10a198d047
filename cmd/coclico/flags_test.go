package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/inspect"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/cmd/internal/terminal"
)

// TestValues: a wrong value is refused in one line that names the flag, its
// range and the command, and no function of the program.
func TestValues(t *testing.T) {
	for _, c := range []struct{ command, flag, value, says string }{
		{"encode", "--steps", "0", "must be a whole number from 1 to 1000"}, {"encode", "--steps", "1001", "must be a whole number from 1 to 1000"},
		{"decode", "--steps", "many", "must be a whole number from 1 to 1000"}, {"decode", "--steps", "1e2", "must be a whole number"},
		{"decode", "--steps", "99999999999999999999", "must be a whole number from 1 to 1000"},
		{"encode", "--strength", "1.5", "must be a number from 0 to 1"}, {"decode", "--strength", "nan", "must be a number from 0 to 1"},
		{"encode", "--guidance", "656", "must be a number from 0 to 655.35"}, {"decode", "--guidance", "inf", "must be a number from 0 to 1e+06"},
		{"decode", "--seed", "-1", "must be a whole number from 0 to 18446744073709551615"}, {"decode", "--noise-level", "1000", "must be a whole number from 0 to 999"},
		{"decode", "--size", "8192", "must be a whole number from 8 to 4096"}, {"decode", "--size", "1", "must be a whole number from 8 to 4096"}, {"decode", "--jpeg-quality", "101", "must be a whole number from 1 to 100"},
		{"decode", "--format", "gif", "must be png, jpg or webp"}, {"decode", "--precision", "double", "must be fast or exact"},
		{"decode", "--sampler", "euler", "must be model, ddim, dpm++2m, dpm++3m, dpm++2m-sde, unipc or unipc3"},
		{"decode", "--schedule", "beta", "must be model, linspace, leading, trailing, karras or exponential"},
		{"decode", "--guidance-rescale", "2", "must be a number from 0 to 1"},
		{"decode", "--guidance-interval", "0.5", "must be two numbers from 0 to 1"}, {"decode", "--guidance-interval", "0.8-0.2", "must be two numbers"},
		{"decode", "--apg", "2", "must be ETA from 0 to 1"}, {"decode", "--apg", "0,1", "must be ETA"}, {"decode", "--apg", "0,1,2,3", "must be ETA"},
		{"encode", "--map-size", "7", "must be an even number from 2 to 64"}, {"encode", "--color-bits", "9", "must be a whole number from 1 to 8"},
		{"encode", "--clip-bits", "17", "must be a whole number from 1 to 16"}, {"encode", "--bytes", "39", "must be a whole number from 40 to 4000"},
		{"encode", "--fit", "stretch", "must be crop or whole"}, {"encode", "--profile", "best", "must be tuned or paper"}, {"encode", "--jobs", "0", "must be a whole number from 1 to 1024"},
		{"encode", "--background", "pink", ""}, {"encode", "--json", "perhaps", "must be true or false"},
		{"info", "--size", "0", "must be a whole number from 1 to 4096"}, {"bench", "--runs", "0", "must be a whole number from 1 to 1000"},
		{"synth", "--config", "huge", "must be tiny, "}, {"pull", "--for", "fun", "must be both, encode, decode or search"},
	} {
		args := []string{c.command}
		if c.command == "encode" || c.command == "decode" {
			args = append(args, "x", "-o", "y")
		}
		args = append(args, c.flag+"="+c.value)
		fail(t, process.Usage, []string{"coclico: " + c.flag + " " + c.value + ": " + c.says, " (coclico " + c.command + " --help)\n"}, args...)
		if r := coclico(t, args...); strings.Contains(r.stderr, "strconv") || strings.Contains(r.stderr, "invalid argument") {
			t.Errorf("%v: %s", args, r.stderr)
		}
	}
	fail(t, process.Usage, []string{"unknown flag --stepps (coclico decode --help)"}, "decode", "x", "--stepps", "1")
	fail(t, process.Usage, []string{"unknown flag -z (coclico decode --help)"}, "decode", "x", "-z")
	fail(t, process.Usage, []string{"--output needs a value (coclico decode --help)"}, "decode", "x", "-o")
	file := filepath.Join(t.TempDir(), "a.coclico")
	fail(t, process.Usage, []string{"coclico: --strength 0.12345: a file holds thousandths"}, "encode", photo, "-o", file, "--strength", "0.12345")
	fail(t, process.Usage, []string{"coclico: --color-guidance 0.123: a file holds hundredths"}, "encode", photo, "-o", file, "--color-guidance", "0.123")
	succeed(t, "encode", photo, "-o", file)
	fail(t, process.Usage, []string{"--size 100: ", " a multiple of 8 from 8 to 4096 (coclico decode --help)"}, "decode", file, "-o", file+".png", "--size", "100") // as the model has it
}

// TestEmpty: a flag without its text is an error, and not as if it was not there.
func TestEmpty(t *testing.T) {
	for _, args := range [][]string{
		{"serve", "--token-file", ""}, {"serve", "--archive="}, {"encode", "x", "-o", ""}, {"decode", "x", "-o", "y.png", "--model", ""}, {"search", "A", "--near", "x", "--sheet", ""},
	} {
		fail(t, process.Usage, []string{" is empty (coclico " + args[0] + " --help)"}, args...)
	}
}

// TestSpelling: flags have American names and take British ones.
func TestSpelling(t *testing.T) {
	a, b := succeed(t, "encode", photo, "-o", "-", "--raw", "--color-bits", "3"), succeed(t, "encode", photo, "-o", "-", "--raw", "--colour-bits", "3")
	if a != b || len(a) != 132 {
		t.Errorf("%d and %d bytes", len(a), len(b))
	}
	if text := succeed(t, "encode", "--help"); strings.Contains(text, "colour") || !strings.Contains(text, "--color-bits") {
		t.Errorf("help has British flags:\n%s", text)
	}
	fail(t, process.Usage, []string{"--color-bits 9: "}, "encode", photo, "-o", "-", "--colour-bits", "9")
}

// TestNoEffect: a flag that would change nothing is an error, which says why.
func TestNoEffect(t *testing.T) {
	for _, c := range []struct {
		flag, why string
		args      []string
	}{
		{"bytes", "--raw writes", []string{"encode", "x", "-o", "y", "--raw", "--bytes", "99"}},
		{"steps", "--raw writes", []string{"encode", "x", "-o", "y", "--raw", "--steps", "9"}},
		{"seed", "--raw writes", []string{"encode", "x", "-o", "y", "--raw", "--seed", "9"}},
		{"antialias", "always averages", []string{"encode", "x", "-o", "y", "--antialias"}},
		{"bytes", "one size", []string{"encode", "x", "-o", "y", "--profile", "paper", "--bytes", "99"}},
		{"color-guidance", "does not hold", []string{"encode", "x", "-o", "y", "--profile", "paper", "--color-guidance", "0.1"}},
		{"no-projection", "paper's profile", []string{"decode", "x", "-o", "y.png", "--raw", "--no-projection"}},
		{"map-size", "--bytes chooses", []string{"encode", "x", "-o", "y", "--bytes", "99", "--map-size", "16"}},
		{"jobs", "many files", []string{"encode", "x", "-o", "y", "--jobs", "2"}},
		{"jobs", "many files", []string{"decode", "x", "-o", "y.png", "--jobs", "2"}},
		{"format", "many files", []string{"decode", "x", "-o", "y.png", "--format", "jpg"}},
		{"force", "tar or zip", []string{"archive", "extract", "x", "-o", "y", "--force"}},
		{"force", "tar or zip", []string{"archive", "extract", "x", "-o", "-", "--force"}},
		{"negative-prompt", "turns guidance off", []string{"decode", "x", "-o", "y.png", "--guidance", "1", "--negative-prompt", "fog"}},
		{"keep-partial", "one file", []string{"decode", "x", "-o", "y/", "--keep-partial"}},
		{"preview", "one file", []string{"decode", "x", "z", "-o", "y", "--preview", "terminal"}},
		{"jpeg-quality", "not a JPEG", []string{"decode", "x", "-o", "y.png", "--jpeg-quality", "50"}},
		{"jpeg-quality", "not a JPEG", []string{"decode", "x", "-o", "y/", "--format", "webp", "--jpeg-quality", "50"}},
		{"apg", "turns guidance off", []string{"decode", "x", "-o", "y.png", "--guidance", "1.0", "--apg", "0"}},
		{"sampler", "none of the 20 steps", []string{"decode", "x", "-o", "y/", "--steps", "20", "--strength", "0", "--sampler", "ddim"}},
		{"map-size", "without --raw", []string{"decode", "x", "-o", "y.png", "--map-size", "16"}},
		{"color-bits", "without --raw", []string{"info", "x", "--color-bits", "3"}},
		{"clip-bits", "without --raw", []string{"compare", "x", "y", "--clip-bits", "3"}},
		{"any-model", "no model", []string{"decode", "x", "-o", "y.png", "--raw", "--any-model"}},
		{"size", "no file", []string{"info", "--machine", "--size", "9"}},
		{"model", "no file", []string{"info", "--machine", "--model", "x"}},
	} {
		fail(t, process.Usage, []string{"--" + c.flag + " has no effect: ", c.why}, c.args...)
	}
	fail(t, process.Usage, []string{"--raw writes the paper's profile"}, "encode", "x", "-o", "y", "--raw", "--profile", "tuned")
	fail(t, process.Usage, []string{"--fit whole"}, "encode", "x", "-o", "y", "--raw", "--fit", "whole")
	fail(t, process.Usage, []string{"--candidates 8: strength 0 runs none of the 20 steps"}, "encode", "x", "-o", "y", "--strength", "0", "--candidates", "8")
	fail(t, process.Usage, []string{"--keep-stream needs a PNG"}, "decode", "x", "-o", "y.jpg", "--keep-stream")
}

// TestNamedLikePicture: encode does not replace a picture by the way, which a
// swapped command line would ask for.
func TestNamedLikePicture(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.jpg", "b.PNG", "c.webp"} {
		path := filepath.Join(dir, name)
		succeed(t, "encode", photo, "-o", path) // it does not exist
		if err := os.WriteFile(path, []byte("precious"), 0o666); err != nil {
			t.Fatal(err)
		}
		fail(t, process.Failed, []string{path + ": exists", "--force"}, "encode", photo, "-o", path)
		if data, err := os.ReadFile(path); err != nil || string(data) != "precious" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		succeed(t, "encode", photo, "-o", path, "--force")
		if data, err := os.ReadFile(path); err != nil || string(data) == "precious" {
			t.Errorf("%s is not replaced by force (%v)", name, err)
		}
	}
	other := filepath.Join(dir, "d.coclico")
	succeed(t, "encode", photo, "-o", other)
	succeed(t, "encode", photo, "-o", other) // a file of encode's own kind is replaced
}

// TestVersion: the version by all of its names.
func TestVersion(t *testing.T) {
	want := succeed(t, "version")
	if !strings.HasPrefix(want, "coclico ") || !strings.Contains(want, runtime.Version()) || strings.Count(want, "\n") != 1 {
		t.Errorf("version is %q", want)
	}
	for _, flag := range []string{"--version", "-v"} {
		if got := succeed(t, flag); got != want {
			t.Errorf("%s prints %q, version %q", flag, got, want)
		}
	}
}

// TestHelpColumns: no line of help is wider than 80 columns.
func TestHelpColumns(t *testing.T) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		for _, line := range strings.Split(succeed(t, args...), "\n") {
			if n := len([]rune(line)); n > 80 {
				t.Errorf("%v: %d columns: %s", args, n, line)
			}
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(rootCmd(nil, terminal.New(nil, nil, os.Getenv), new(bool)))
}

// TestHelpOfRaw: only a command that writes raw bits offers them.
func TestHelpOfRaw(t *testing.T) {
	for _, c := range []struct {
		args  []string
		offer bool
	}{{[]string{"encode"}, true}, {[]string{"archive", "create"}, false}, {[]string{"archive", "add"}, false}} {
		_, flags, _ := strings.Cut(succeed(t, append(c.args, "--help")...), "Flags:")
		if strings.Contains(flags, "--raw") != c.offer || !strings.Contains(flags, "--clip-bits") {
			t.Errorf("%v --help:\n%s", c.args, flags)
		}
	}
	fail(t, process.Usage, []string{"--raw: an archive holds files"}, "archive", "create", photo, "-o", t.TempDir()+"/a", "--raw")
}

// TestHelpOfRawModel: raw bits are decoded without --model too, with the default
// model, and the help says so.
func TestHelpOfRawModel(t *testing.T) {
	bits := filepath.Join(t.TempDir(), "bits")
	succeed(t, "encode", photo, "-o", bits, "--raw")
	given := succeed(t, "decode", bits, "--raw", "--steps", "2", "--model", "built-in", "-o", "-")
	if succeed(t, "decode", bits, "--raw", "--steps", "2", "-o", "-") != given {
		t.Error("the default model paints another picture")
	}
	help := strings.Join(strings.Fields(succeed(t, "decode", "--help")), " ")
	if !strings.Contains(help, "They name no model: give --model unless they were made with the default one.") {
		t.Error(help)
	}
}

// TestBuiltInHelp: whoever asks what the program does learns what the built-in
// model knows, and where the real one is.
func TestBuiltInHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"encode", "--help"}, {"decode", "--help"}} {
		if text := succeed(t, args...); !strings.Contains(text, "procedural landscapes only") || !strings.Contains(text, "coclico pull") {
			t.Errorf("%v:\n%s", args, text)
		}
	}
}

// TestCompletion: shells complete models, choices and the files that a command
// takes.
func TestCompletion(t *testing.T) {
	dir := atHome(t)
	succeed(t, "models", "add", "mine", dir)
	for _, c := range []struct {
		args string
		want []string
	}{
		{"encode --model ", []string{"built-in", "mine"}}, {"decode --model m", []string{"mine"}}, {"verify --model b", []string{"built-in"}},
		{"synth --config ", []string{"tiny", "unclip-l"}}, {"pull --for ", []string{"both", "encode", "decode", "search"}}, {"decode --format ", []string{"png", "jpg", "webp"}},
		{"decode --sampler ", []string{"model", "dpm++2m-sde", "unipc3"}}, {"decode --schedule k", []string{"karras"}},
		{"encode ", []string{"png", "jpg", "tif", ":8"}}, {"decode ", []string{"coclico", ":8"}}, {"info ", []string{"coclico", "png", ":8"}},
		{"decode --precision e", []string{"exact"}}, {"decode --preview ", []string{"terminal", "sixel", "kitty", "iterm2", "blocks", ":0"}}, {"encode --fit ", []string{"crop", "whole"}}, {"encode --profile ", []string{"tuned", "paper"}},
		{"models use ", []string{"built-in", "mine"}}, {"models check m", []string{"mine"}}, {"models remove ", []string{"mine"}}, {"models convert m", []string{"mine"}},
	} {
		args := append([]string{"__complete"}, strings.Split(c.args, " ")...)
		got := strings.Split(coclico(t, args...).stdout, "\n")
		for _, w := range c.want {
			found := false
			for _, line := range got {
				found = found || line == w
			}
			if !found {
				t.Errorf("%s is completed to %q, without %s", c.args, got, w)
			}
		}
	}
}

// TestOddBytes: a name that is not UTF-8 survives in JSON.
func TestOddBytes(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "caf\xe9.jpg")
	data, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Skip(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	check := func(text string) {
		t.Helper()
		var l fileLine
		if err := json.Unmarshal([]byte(text), &l); err != nil || string(l.InputBytes) != name || !strings.HasSuffix(string(l.OutputBytes), "caf\xe9.jpg.coclico") || l.Input == "" {
			t.Errorf("%s (%v)", text, err)
		}
	}
	check(succeed(t, "encode", dir, "-o", out, "--json"))
	check(succeed(t, "encode", name, "-o", filepath.Join(dir, "caf\xe9.jpg.coclico"), "--json"))
	file := filepath.Join(dir, "caf\xe9.jpg.coclico")
	var d inspect.Description
	if err := json.Unmarshal([]byte(succeed(t, "info", file, "--json")), &d); err != nil || string(d.FileBytes) != file {
		t.Errorf("%q (%v)", d.FileBytes, err)
	}
	var c inspect.Comparison
	if err := json.Unmarshal([]byte(succeed(t, "compare", file, file, "--json")), &c); err != nil || c.FilesBytes == nil || string(c.FilesBytes[1]) != file {
		t.Errorf("%+v (%v)", c, err)
	}
	if text := succeed(t, "info", photo, "--json"); strings.Contains(text, "file_bytes") {
		t.Errorf("of a name that is UTF-8: %s", text)
	}
}

// TestPicturesStandForFiles: info and compare take what encode takes, and are
// then about the file that it would write.
func TestPicturesStandForFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.coclico")
	succeed(t, "encode", photo, "-o", file)
	describe := func(args ...string) (d inspect.Description) {
		t.Helper()
		if err := json.Unmarshal([]byte(succeed(t, append([]string{"info", "--json"}, args...)...)), &d); err != nil {
			t.Fatal(err)
		}
		d.File = ""
		return d
	}
	a, _ := json.Marshal(describe(file))
	if b, _ := json.Marshal(describe(photo)); !bytes.Equal(a, b) {
		t.Errorf("info of a picture and its file:\n%s\n%s", b, a)
	}
	var c inspect.Comparison
	if err := json.Unmarshal([]byte(succeed(t, "compare", photo, file, "--json")), &c); err != nil || c.Cosine < 0.9999 || c.ColorScore != 0 || c.Bytes[0] != c.Bytes[1] {
		t.Errorf("a picture and its file: %+v (%v)", c, err)
	}
	if text := succeed(t, "compare", photo, "../../codec/testdata/photos/coffee.jpg", "--raw"); !strings.Contains(text, "of 768 bits differ") || !strings.Contains(text, "bytes:       120 and 120") {
		t.Errorf("two pictures as raw bits:\n%s", text)
	}
	data, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	if r := coclicoIn(t, t.Context(), data, "compare", "-", file); r.status != process.OK || !strings.Contains(r.stdout, "cosine 1.0000") {
		t.Errorf("a picture on standard input: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	bad := filepath.Join(t.TempDir(), "bad.png")
	if err := os.WriteFile(bad, pngHeader(9, 9), 0o666); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{bad + ": ", "PNG"}, "info", bad)
}
