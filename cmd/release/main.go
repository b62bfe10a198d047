// Command release builds the archives of a release, one for each platform, and
// their checksums:
//
//	go run ./cmd/release -version v1.2.3 [-o dist]
//
// An archive holds the program with its version stamped, LICENSE, NOTICE and the
// licenses that it names, README.md, manual pages, shell completions and a bill
// of materials (CycloneDX). The same commit, version and compiler make the same
// bytes. The settings of go env -w do not count for that, a proxy for modules
// included, which must be in the environment instead.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/weights"
)

// targets are the platforms of a release, as GOOS/GOARCH.
var targets = []string{"linux/amd64", "linux/arm64", "darwin/arm64", "darwin/amd64", "windows/amd64", "freebsd/amd64"}

// host is the platform of this machine.
const host = runtime.GOOS + "/" + runtime.GOARCH

// cyclonedx is the program that writes bills of materials.
const cyclonedx = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"

func main() {
	log.SetFlags(0)
	log.SetPrefix("release: ")
	r, platforms, err := parse(os.Args[1:])
	if err == nil {
		err = r.run(platforms)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// parse returns what the command line asks for.
func parse(args []string) (r *release, platforms []string, err error) {
	r = new(release)
	flags := flag.NewFlagSet("release", flag.ExitOnError)
	flags.StringVar(&r.version, "version", "", "version, such as v1.2.3")
	flags.StringVar(&r.out, "o", "dist", "folder for the archives, which must not exist")
	only := flags.String("targets", strings.Join(targets, ","), "platforms")
	flags.BoolVar(&r.sbom, "sbom", true, "add a bill of materials; its program comes from the module proxy")
	_ = flags.Parse(args) // which exits
	if flags.NArg() > 0 {
		return nil, nil, fmt.Errorf("%q is not a flag: platforms are named by -targets", flags.Arg(0))
	}
	return r, strings.Split(*only, ","), nil
}

// A release is one run of the program.
type release struct {
	version string
	out     string // a folder, which has this name once it is complete
	sbom    bool
	time    time.Time // of every file
	temp    string
}

var versionSyntax = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)

func (r *release) run(platforms []string) error {
	if !versionSyntax.MatchString(r.version) {
		return fmt.Errorf("-version %q: want a semantic version such as v1.2.3", r.version)
	}
	for _, p := range platforms {
		if !slices.Contains(targets, p) {
			return fmt.Errorf("-targets: %q is none of %s", p, strings.Join(targets, ", "))
		}
	}
	if _, err := os.Stat("go.mod"); err != nil {
		return errors.New("run it in the root of the repository")
	}
	if _, err := os.Lstat(r.out); err == nil || r.out == "" {
		return fmt.Errorf("-o %q exists: remove it, or name another folder", r.out)
	}
	var err error
	if r.time, err = commitTime(); err != nil {
		return err
	}
	if r.temp, err = os.MkdirTemp("", "coclico-release-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.temp)
	return r.write(platforms)
}

// write writes the folder r.out. It has this name once it is complete: a run that
// fails or is killed leaves no half of a release.
func (r *release) write(platforms []string) error {
	common, err := r.common()
	if err != nil {
		return err
	}
	draft, err := weights.CreateDraftFolder(r.out)
	if err != nil {
		return weights.NewFileError(r.out, err)
	}
	if err := r.fill(draft.Dir, platforms, common); err != nil {
		return errors.Join(err, draft.Discard())
	}
	return draft.Place()
}

// fill writes the archives and their checksums into a folder.
func (r *release) fill(folder string, platforms []string, common []file) error {
	var sums strings.Builder
	slices.Sort(platforms)
	for _, p := range platforms {
		name, err := r.archive(folder, p, common)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), name)
		fmt.Printf("%s, %d bytes\n", name, len(data))
	}
	return files.Replace(files.OS{}, filepath.Join(folder, "SHA256SUMS"), func(w io.Writer) error {
		_, err := io.WriteString(w, sums.String())
		return err
	})
}

// commitTime returns $SOURCE_DATE_EPOCH if it is set, and otherwise the time of
// the commit that is checked out.
func commitTime() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := exec.Command("git", "log", "-1", "--format=%ct").Output()
		if err != nil {
			return time.Time{}, fmt.Errorf("git log: %w; SOURCE_DATE_EPOCH specifies a time without git", err)
		}
		text = strings.TrimSpace(string(out))
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("time of the release: %w", err)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// licenses are the folders with the licenses of what the program contains, which
// NOTICE names.
var licenses = []string{"bench/iqa/licenses", "cmd/internal/picture/heif/licenses"}

// common returns the files that all archives have: texts of the repository, and
// what the program for this machine writes about itself.
func (r *release) common() ([]file, error) {
	var files []file
	for _, name := range []string{"LICENSE", "NOTICE", "README.md"} {
		files = append(files, file{name, name, 0o644})
	}
	for _, dir := range licenses {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			files = append(files, file{filepath.ToSlash(path), path, 0o644})
		}
	}
	self := filepath.Join(r.temp, "self")
	if err := r.build(self, host); err != nil {
		return nil, err
	}
	pages := filepath.Join(r.temp, "man1")
	if _, err := r.command(self, "man", pages).Output(); err != nil {
		return nil, describe(err)
	}
	entries, err := os.ReadDir(pages)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		files = append(files, file{"man/man1/" + e.Name(), filepath.Join(pages, e.Name()), 0o644})
	}
	for _, c := range []struct{ shell, name string }{
		{"bash", "coclico.bash"}, {"zsh", "_coclico"}, {"fish", "coclico.fish"}, {"powershell", "coclico.ps1"},
	} {
		script, err := r.command(self, "completion", c.shell).Output()
		if err != nil {
			return nil, describe(err)
		}
		path := filepath.Join(r.temp, c.name)
		if err := os.WriteFile(path, script, 0o666); err != nil {
			return nil, err
		}
		files = append(files, file{"completions/" + c.name, path, 0o644})
	}
	return files, nil
}

// archive builds the program for a platform and writes its archive into a
// folder. It returns the archive's name.
func (r *release) archive(folder, platform string, common []file) (string, error) {
	goos, goarch, _ := strings.Cut(platform, "/")
	program, extension, write := "coclico", ".tar.gz", writeTar
	if goos == "windows" {
		program, extension, write = "coclico.exe", ".zip", writeZip
	}
	dir := strings.Join([]string{"coclico", r.version, goos, goarch}, "_")
	binary := filepath.Join(r.temp, dir)
	if err := r.build(binary, platform); err != nil {
		return "", err
	}
	contents := append([]file{{program, binary, 0o755}}, common...)
	if r.sbom {
		bill := binary + ".json"
		cmd := r.goCommand(host, "run", cyclonedx, "bin", "-json", "-noserial", "-notimestamp", "-version", r.version, "-output", bill, binary)
		if _, err := cmd.Output(); err != nil {
			return "", describe(err)
		}
		contents = append(contents, file{"sbom.cdx.json", bill, 0o644})
	}
	name := dir + extension
	return name, files.Replace(files.OS{}, filepath.Join(folder, name), func(w io.Writer) error { return write(w, dir, contents, r.time) })
}

// build compiles the program. Paths and the state of the checkout do not enter
// it.
func (r *release) build(out, platform string) error {
	cmd := r.goCommand(platform, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.stamp="+r.version, "-o", out, "./cmd/coclico")
	_, err := cmd.Output()
	return describe(err)
}

// goCommand returns a command of the go tool for a platform. Whatever settings of
// the user's would enter the program have their defaults, and GOENV is off since
// an empty variable does not hide one of go env -w.
func (r *release) goCommand(platform string, args ...string) *exec.Cmd {
	goos, goarch, _ := strings.Cut(platform, "/")
	cmd := r.command("go", args...)
	cmd.Env = append(cmd.Env, "GOENV=off", "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch,
		"GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off")
	return cmd
}

// command returns a command for which the time is that of the release.
func (r *release) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.time.Unix()))
	return cmd
}

// describe adds to the error of a command what the command printed.
func describe(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
