package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/weights/hub"
)

// asked makes a hub's API refuse every request, and counts them.
func asked(api *http.HandlerFunc) *int {
	n := new(int)
	*api = func(w http.ResponseWriter, r *http.Request) {
		*n++
		w.WriteHeader(http.StatusNotFound)
	}
	return n
}

// TestPullDefault: without a name the default model is pulled at its pinned
// revision, its license is shown by its card, and what came is printed for
// people to report.
func TestPullDefault(t *testing.T) {
	dir := atHome(t)
	h := onHub(t, dir)
	h.Repo, h.Commit = hub.DefaultRepo().String(), hub.DefaultCommit
	h.Files["README.md"] = []byte("---\nlicense: openrail++\n---\n# A model\n- **License:** [CreativeML Open RAIL++-M](https://example.com/L)\n## Misuse\n" + strings.Repeat("It is not for spam. ", 9) + "\n")
	r := coclico(t, "pull")
	folder := strings.TrimSpace(r.stdout)
	if r.status != process.OK || filepath.Base(folder) != hub.DefaultCommit {
		t.Fatalf("%+v", r)
	}
	for _, want := range []string{
		hub.DefaultRepo().String() + " at " + hub.DefaultCommit,
		h.URL() + "/" + h.Repo + ", names the license openrail++", "    - License: CreativeML Open RAIL++-M (https://example.com/L)", "    Misuse\n    It is not for spam.",
		"f5b79a450d673c7b48dbe373d465f16a60a81a8851923ed5dc8b26b63574264f  vae/diffusion_pytorch_model.safetensors", "fingerprint 3cf88017", "report these lines",
	} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("pull does not say %q:\n%s", want, r.stderr)
		}
	}
	if strings.Contains(r.stderr, "stabilityai/stable-diffusion-2/") {
		t.Error("a link into the withdrawn family")
	}
	for line := range strings.Lines(r.stderr) {
		if strings.HasPrefix(line, "    ") && len(line) > 81 {
			t.Errorf("the license is not wrapped: %q", line)
		}
	}
	if d := listed(t)[h.Repo]; d.Path != folder || d.License != "openrail++" {
		t.Errorf("%+v", d)
	}
	succeed(t, "models", "use", h.Repo)
	if d := listed(t)[h.Repo]; !d.Default {
		t.Errorf("%+v", d)
	}
	if r := coclico(t, "pull"); r.status != process.OK || strings.TrimSpace(r.stdout) != folder || strings.Contains(r.stderr, "report") {
		t.Errorf("pulled again: %+v", r)
	}
}

// TestPullNames: if the hub does not have the model, the error says which does.
func TestPullNames(t *testing.T) {
	h := onHub(t, atHome(t))
	fail(t, process.Failed, []string{h.URL()[len("http://"):], "404", "unofficial mirror", "coclico pull " + hub.MirrorRepo().String()}, "pull")
	fail(t, process.Failed, []string{"404", "the same model is " + hub.DefaultRepo().String()}, "pull", hub.WithdrawnRepo().String())
	fail(t, process.Failed, []string{"404", "the same model is " + hub.DefaultRepo().String()}, "pull", hub.MirrorRepo().String())
	if r := coclico(t, "pull", "someone/else"); strings.Contains(r.stderr, "mirror") || strings.Contains(r.stderr, "same model") {
		t.Errorf("%+v", r)
	}
	h.API = func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }
	t.Setenv("HF_HUB_OFFLINE", "1")
	if r := coclico(t, "pull"); r.status != process.Failed || strings.Contains(r.stderr, "mirror") {
		t.Errorf("a hub that cannot be asked: %+v", r)
	}
}

// TestPullKept: a pull says that the same command resumes it if that may help and
// there is something to resume.
func TestPullKept(t *testing.T) {
	h := onHub(t, atHome(t))
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"three bytes too many": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(h.Files[r.URL.Path[1:]])+3))
		},
		"a circle": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) },
		"a file": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		},
	} {
		h.Serve = func(w http.ResponseWriter, r *http.Request, _ string) bool {
			answer(w, r)
			return true
		}
		r := coclico(t, "pull", h.Repo)
		if r.status != process.Failed || strings.Contains(r.stderr, "is kept") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	var said strings.Builder
	p := puller{screen: terminal.New(nil, &said, os.Getenv)}
	p.kept(t.Context(), io.ErrUnexpectedEOF, 0)
	p.kept(t.Context(), io.ErrUnexpectedEOF, 1)
	if strings.Count(said.String(), "is kept") != 1 {
		t.Error(said.String())
	}
}

// TestPullVariables: every variable that the hub's client reads is in the README
// and in the help.
func TestPullVariables(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	help := coclico(t, "pull", "--help").stdout
	if _, err := hub.FromEnv(func(name string) string {
		if !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("README.md does not name %s", name)
		}
		if !strings.Contains(help, name) {
			t.Errorf("pull --help does not name %s", name)
		}
		return ""
	}); err != nil {
		t.Fatal(err)
	}
}

// cached puts a synthetic model in the cache under a name of the hub.
func cached(t *testing.T, repo hub.Repo, seed int64) string {
	t.Helper()
	dir := filepath.Join(os.Getenv("HF_HOME"), "hub", "models--"+repo.Owner+"--"+repo.Name, "snapshots", strings.Repeat("a", 40))
	if err := synth.Write(t.Context(), dir, "tiny", seed, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPullElsewhere: a model that the cache has under any of its names is found
// under each of them, and not downloaded again.
func TestPullElsewhere(t *testing.T) {
	h := onHub(t, atHome(t))
	n := asked(&h.API)
	withdrawn := hub.WithdrawnRepo()
	dir := cached(t, withdrawn, 1)
	for _, name := range []string{"", hub.DefaultRepo().String(), hub.MirrorRepo().String()} {
		args := []string{"pull"}
		if name != "" {
			args = append(args, name)
		}
		r := coclico(t, args...)
		if r.status != process.OK || strings.TrimSpace(r.stdout) != dir || !strings.Contains(r.stderr, "as "+withdrawn.String()) || *n != 0 {
			t.Errorf("%v: %+v, %d requests", args, r, *n)
		}
	}
	succeed(t, "models", "use", hub.DefaultRepo().String())
	if d := listed(t)[withdrawn.String()]; !d.Default || d.Path != dir {
		t.Errorf("%+v", d)
	}
	fail(t, process.Failed, []string{"404"}, "pull", "--revision", "main")
	fail(t, process.Failed, []string{"404"}, "pull", withdrawn.String())
	fail(t, process.Failed, []string{"the same model is, as " + withdrawn.String()}, "models", "remove", hub.DefaultRepo().String(), "--yes")
	if _, err := os.Stat(dir); err != nil {
		t.Error("the model was deleted under another of its names")
	}
	// A copy without a part that the use needs is not enough.
	if err := os.RemoveAll(filepath.Join(dir, "unet")); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{"404"}, "pull")
	if r := coclico(t, "pull", "--for", "encode"); r.status != process.OK || strings.TrimSpace(r.stdout) != dir {
		t.Errorf("%+v", r)
	}
}

// TestFingerprintDecides: two copies that should be the same model and have
// different fingerprints are not mistaken for each other.
func TestFingerprintDecides(t *testing.T) {
	atHome(t)
	one := cached(t, hub.WithdrawnRepo(), 1)
	two := cached(t, hub.MirrorRepo(), 2)
	fail(t, process.Failed, []string{"different", "3cf88017", "name one of them"}, "models", "use", hub.DefaultRepo().String())
	succeed(t, "models", "use", hub.MirrorRepo().String())
	if d := listed(t)[hub.MirrorRepo().String()]; !d.Default || d.Path != two {
		t.Errorf("%+v", d)
	}
	if err := errors.Join(os.RemoveAll(two), os.CopyFS(two, os.DirFS(one))); err != nil {
		t.Fatal(err)
	}
	succeed(t, "models", "use", hub.DefaultRepo().String())
}
