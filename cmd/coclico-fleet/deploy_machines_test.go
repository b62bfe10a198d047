//go:build linux

package main

import (
	"bytes"
	"crypto/x509"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
)

// TestSlurm runs the script with a program in coclico-fleet's place that prints
// its command line and environment.
func TestSlurm(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash: ", err)
	}
	script, err := filepath.Abs("deploy/slurm/array.sh")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	stub := "#!/bin/sh\nprintf '%s\\n' \"$GOMEMLIMIT\" \"$GOMAXPROCS\" \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "coclico-fleet"), []byte(stub), 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) ([]string, error) {
		cmd := exec.Command(bash, append([]string{script}, args...)...)
		cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "SLURM_CPUS_PER_TASK=3"}
		out, err := cmd.Output()
		return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"), err
	}
	lines, err := run("s3://archive/two words")
	if err != nil || len(lines) < 4 || lines[1] != "3" || !slices.Contains(lines, "s3://archive/two words") {
		t.Fatalf("script printed %q, error %v", lines, err)
	}
	accepted(t, lines[2:]...)
	if i := slices.Index(lines, "--shard"); i < 0 || lines[i+1] != "auto" {
		t.Errorf("the task's shard is not its index: %q", lines)
	}
	if _, err := run(); err == nil {
		t.Error("no destination: no error")
	}
	data, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	gib := regexp.MustCompile(`(?m)^#SBATCH --mem=(\d)G$`).FindSubmatch(data)
	if gib == nil || !bytes.Contains(data, []byte("\n#SBATCH --array=0-")) || !bytes.Contains(data, []byte("\n#SBATCH --signal=B:TERM@60\n")) {
		t.Error("the script asks for no memory, array or signal")
	} else if limit := int64(gib[1][0]-'0') << 30; goMemory(t, lines[0]) > limit*85/100 {
		t.Errorf("GOMEMLIMIT=%s with %s GiB", lines[0], gib[1])
	}
	if shellcheck, err := exec.LookPath("shellcheck"); err != nil {
		t.Log("shellcheck is not installed")
	} else if out, err := exec.Command(shellcheck, script).CombinedOutput(); err != nil {
		t.Errorf("shellcheck: %v\n%s", err, out)
	}
}

// TestSystemd: the command line, and the statuses that no restart mends.
func TestSystemd(t *testing.T) {
	const unit = "deploy/systemd/coclico-fleet-work.service"
	data, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && key[0] != '#' {
			values[key] = append(values[key], value)
		}
	}
	if len(values["ExecStart"]) != 1 {
		t.Fatalf("ExecStart is %q", values["ExecStart"])
	}
	words := strings.Fields(values["ExecStart"][0])
	if words[0] != "/usr/bin/coclico-fleet" {
		t.Errorf("program is %s", words[0])
	}
	accepted(t, words[1:]...)
	for key, want := range map[string]string{
		"RestartPreventExitStatus": "2 3 4", // process.Usage, statusRefused and statusFull
		"DynamicUser":              "yes",
		"NoNewPrivileges":          "yes",
		"ProtectSystem":            "strict",
		"ProtectHome":              "yes",
		"CapabilityBoundingSet":    "",
		"TimeoutStopSec":           "60",
	} {
		if got := values[key]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if process.Usage != 2 || statusRefused != 3 || statusFull != 4 {
		t.Error("the unit's statuses are not the program's")
	}
	verify(t, unit)
}

// verify has systemd read a unit, with a program that exists.
func verify(t *testing.T, unit string) {
	systemd, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not installed")
		return
	}
	data, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), filepath.Base(unit))
	data = bytes.ReplaceAll(data, []byte("/usr/bin/coclico-fleet"), []byte(self))
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(systemd, "verify", name).CombinedOutput()
	if err != nil || strings.Contains(string(out), name) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// A dockerfile is what the last stage of a Dockerfile says, and how its program
// is built.
type dockerfile struct {
	build      []string    // the go command
	copies     [][2]string // from the stage "build", to the image
	user       string
	entryPoint string
}

func readDockerfile(t *testing.T) *dockerfile {
	t.Helper()
	data, err := os.ReadFile("deploy/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	d := new(dockerfile)
	from := ""
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		switch words[0] {
		case "FROM":
			from = words[1]
		case "RUN":
			d.build = words[1:]
		case "COPY":
			if from == "scratch" {
				if len(words) != 4 || words[1] != "--from=build" {
					t.Fatalf("not understood: %s", line)
				}
				d.copies = append(d.copies, [2]string{words[2], words[3]})
			}
		case "USER":
			d.user = words[1]
		case "ENTRYPOINT":
			d.entryPoint = strings.Trim(words[1], `[]"`)
		}
	}
	if from != "scratch" || len(d.copies) != 2 || d.user != "65532:65532" {
		t.Fatalf("the Dockerfile says %+v", d)
	}
	return d
}

// TestImage assembles the image's root as the Dockerfile says and runs the
// program in it, as the image's user, who can write to no file there.
func TestImage(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	if os.Getuid() != 0 {
		t.Skip("a chroot needs root")
	}
	d := readDockerfile(t)
	root := t.TempDir()
	for _, c := range d.copies {
		to := filepath.Join(root, c[1])
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(c[0], "/out/") {
			buildImage(t, d, c[0], to)
			continue
		}
		data, err := os.ReadFile(c[0])
		if err != nil {
			t.Skipf("this machine's certificates are elsewhere than the image's: %v", err)
		}
		if !x509.NewCertPool().AppendCertsFromPEM(data) {
			t.Errorf("no certificate in %s", c[0])
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// Every folder above is for root alone in a test; in an image it is not.
	for dir := root; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) (string, error) {
		cmd := &exec.Cmd{Path: d.entryPoint, Args: append([]string{d.entryPoint}, args...), Dir: "/", Env: []string{"HF_HOME=/models"},
			SysProcAttr: &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run("--version"); err != nil || !strings.HasPrefix(out, "coclico-fleet version v-image linux/") {
		t.Errorf("--version: %q, error %v", out, err)
	}
	// Its root is not writable: a destination there is refused, not lost.
	if out, err := run("plan", "/usr", "/archive"); err == nil {
		t.Errorf("plan into the image: %q", out)
	}
	imageEncodes(t, root, run)
}

// buildImage does what the Dockerfile's RUN line says, but writes to a file of
// this test, and keeps paths in the program, so that it is linked of packages
// that are compiled already.
func buildImage(t *testing.T, d *dockerfile, out, to string) {
	t.Helper()
	line := strings.Join(d.build, " ")
	line = strings.ReplaceAll(line, "-C cmd/coclico-fleet -trimpath ", "")
	line = strings.ReplaceAll(line, "-o "+out+" ", "-o "+to+" ")
	line = strings.ReplaceAll(line, "$VERSION", "v-image")
	cmd := exec.Command("sh", "-c", line)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, text)
	}
}

// imageEncodes does a job in an image's root, with folders of the image's user as
// volumes.
func imageEncodes(t *testing.T, root string, run func(args ...string) (string, error)) {
	t.Helper()
	for _, dir := range []string{"/photos", "/out", "/tmp"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(root, dir), 65532, 65532); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 32, 32))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "photos", "a.png"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"plan", "/photos", "/out"}, {"work", "/out", "--shard", "0/1"}, {"merge", "/out"},
	} {
		if out, err := run(args...); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	shards, err := filepath.Glob(filepath.Join(root, "out", "*.parquet"))
	if err != nil || len(shards) != 1 {
		t.Errorf("the archive has the shards %q, error %v", shards, err)
	}
}
