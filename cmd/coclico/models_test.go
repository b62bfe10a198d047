package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/weights/hub/hubtest"
)

// atHome gives the test a configuration and a cache of its own, and returns a
// model's folder.
func atHome(t *testing.T) (dir string) {
	t.Helper()
	home := t.TempDir()
	t.Setenv(catalog.ConfigVar, filepath.Join(home, "config.json"))
	t.Setenv("HF_HOME", filepath.Join(home, "hf"))
	t.Setenv(catalog.TextVar, filepath.Join(home, "text"))
	dir = filepath.Join(home, "tiny")
	if err := synth.Write(t.Context(), dir, "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// onHub starts a hub with a folder's files.
func onHub(t *testing.T, dir string) *hubtest.Hub {
	t.Helper()
	files := map[string][]byte{"README.md": []byte("---\nlicense: openrail++\n---\n"), "old.ckpt": make([]byte, 1000)}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[path], err = os.ReadFile(filepath.Join(dir, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h := hubtest.New(t, files)
	t.Setenv("HF_ENDPOINT", h.URL())
	t.Setenv("HF_HUB_OFFLINE", "")
	return h
}

func listed(t *testing.T) map[string]catalog.Description {
	t.Helper()
	var all []catalog.Description
	if err := json.Unmarshal([]byte(succeed(t, "models", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	by := map[string]catalog.Description{}
	for _, d := range all {
		by[d.Name] = d
	}
	return by
}

// TestPullAndUse is a new user's way to a model.
func TestPullAndUse(t *testing.T) {
	dir := atHome(t)
	h := onHub(t, dir)
	plan := succeed(t, "pull", hubtest.Repo, "--plan")
	for _, want := range []string{"6.68 MB", "to download", "unet/diffusion_pytorch_model.safetensors", "in all"} {
		if !strings.Contains(plan, want) {
			t.Errorf("the plan does not say %q:\n%s", want, plan)
		}
	}
	if strings.Contains(plan, "ckpt") || h.Gets("unet/diffusion_pytorch_model.safetensors") != 0 {
		t.Errorf("more than planned:\n%s", plan)
	}
	fail(t, process.Failed, []string{"coclico pull " + hubtest.Repo}, "decode", photo, "-o", "x.png", "--model", hubtest.Repo)
	r := coclico(t, "pull", hubtest.Repo)
	folder := strings.TrimSpace(r.stdout)
	if r.status != process.OK || filepath.Base(folder) != hubtest.Commit || !strings.Contains(r.stderr, "names the license openrail++") {
		t.Fatalf("status %d, stdout %q, stderr %q", r.status, r.stdout, r.stderr)
	}
	if r := coclico(t, "pull", hubtest.Repo); r.status != process.OK || strings.Contains(r.stderr, "openrail") || h.Gets("unet/diffusion_pytorch_model.safetensors") != 1 {
		t.Errorf("pulled again: %d, %q", r.status, r.stderr)
	}
	succeed(t, "models", "use", hubtest.Repo)
	d := listed(t)[hubtest.Repo]
	if !d.Default || d.License != "openrail++" || d.Path != folder || !d.Encodes || !d.Decodes || d.Kind != catalog.KindPulled {
		t.Errorf("%+v", d)
	}
	text := succeed(t, "models")
	if !strings.Contains(text, "* "+hubtest.Repo) || !strings.Contains(text, " "+d.ID+" ") {
		t.Errorf("models:\n%s", text)
	}
	file := filepath.Join(t.TempDir(), "a.coclico")
	byDefault, byName := file, file+"2"
	succeed(t, "encode", photo, "-o", byDefault)
	succeed(t, "encode", photo, "-o", byName, "--model", dir)
	a, _ := os.ReadFile(byDefault)
	b, _ := os.ReadFile(byName)
	if len(a) == 0 || string(a) != string(b) {
		t.Error("the default model is not the pulled one")
	}
	checked := succeed(t, "models", "check")
	for _, want := range []string{"unet, 688 tensors", "hashes of 19 files", "this machine"} {
		if !strings.Contains(checked, want) {
			t.Errorf("check does not say %q:\n%s", want, checked)
		}
	}
	fail(t, process.Usage, []string{"--yes"}, "models", "remove", hubtest.Repo)
	if r := coclico(t, "models", "remove", hubtest.Repo, "--yes"); r.status != process.OK || !strings.Contains(r.stderr, "default") {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("the pulled model still exists")
	}
	if all := listed(t); len(all) != 1 || !all[catalog.BuiltIn].Default {
		t.Errorf("%+v", all)
	}
}

func TestPullRefusals(t *testing.T) {
	dir := atHome(t)
	fail(t, process.Failed, []string{"HF_HUB_OFFLINE"}, "pull")
	h := onHub(t, dir)
	fail(t, process.Usage, []string{"not the name of a model"}, "pull", "../x")
	fail(t, process.Usage, []string{"--for fun: must be both, encode, decode or search"}, "pull", "--for", "fun")
	fail(t, process.Usage, []string{"--revision b", "a"}, "pull", hubtest.Repo+"@a", "--revision", "b")
	fail(t, process.Failed, []string{"no such model"}, "pull", "someone/else")
	h.API = func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	fail(t, process.Failed, []string{"401", "HF_TOKEN"}, "pull", hubtest.Repo)
	t.Setenv("HF_ENDPOINT", "huggingface.co")
	fail(t, process.Failed, []string{"HF_ENDPOINT"}, "pull", hubtest.Repo)
}

// TestFilesModel: a file is decoded with the model that it was made with, if
// this machine has it, unless another is asked for. It has one number
// everywhere.
func TestFilesModel(t *testing.T) {
	dir := atHome(t)
	file := filepath.Join(t.TempDir(), "a.coclico")
	succeed(t, "encode", photo, "-o", file, "--model", dir)
	id := regexp.MustCompile(`of model ([0-9a-f]{3}) `).FindStringSubmatch(succeed(t, "info", file))
	builtIn := listed(t)[catalog.BuiltIn].ID
	if len(id) != 2 || id[1] == builtIn {
		t.Fatalf("the file is of model %v, the built-in one is %s", id, builtIn)
	}
	fail(t, process.Failed, []string{file, "(" + id[1] + ")", "this machine has built-in " + builtIn + ";", "--model chooses"}, "decode", file, "-o", file+".png")
	succeed(t, "models", "add", "mine", dir)
	if mine := listed(t)["mine"].ID; mine != id[1] || !strings.Contains(succeed(t, "models"), mine) {
		t.Errorf("models has %s for %s", mine, id[1])
	}
	if text := succeed(t, "info", file); !strings.Contains(text, "of model "+id[1]+" (mine)") || strings.Contains(text, "not read") {
		t.Errorf("info with the file's model on this machine:\n%s", text)
	}
	decode := []string{"decode", file, "-o", file + ".png", "--steps", "1"}
	if r := coclico(t, decode...); r.status != process.OK || r.stderr != "coclico: "+file+": decoding with the model that it was made with, mine ("+id[1]+")\n" {
		t.Errorf("decode: status %d, %s", r.status, r.stderr)
	}
	a, _ := os.ReadFile(file + ".png")
	succeed(t, append(decode, "--model", "mine")...)
	if b, _ := os.ReadFile(file + ".png"); len(a) == 0 || !bytes.Equal(a, b) {
		t.Error("the file's model paints another picture when it is not named")
	}
	half := filepath.Join(t.TempDir(), "half")
	succeed(t, "models", "convert", dir, half, "--encoder-only")
	succeed(t, "models", "add", "half", half) // which comes before mine and cannot decode
	if r := coclico(t, decode...); r.status != process.OK || !strings.Contains(r.stderr, "mine ("+id[1]+")") {
		t.Errorf("decode beside half a model: status %d, %s", r.status, r.stderr)
	}
	out := filepath.Join(t.TempDir(), "out") + "/"
	other := filepath.Join(t.TempDir(), "b.coclico")
	succeed(t, "encode", photo, "-o", other)
	many := []string{"decode", file, other, "-o", out, "--steps", "1"}
	if r := coclico(t, many...); r.status != process.OK || !strings.HasPrefix(r.stdout, "2 decoded") || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "mine ("+id[1]+")") {
		t.Errorf("files of two models: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	if line := succeed(t, many...); line != "0 decoded, 2 unchanged\n" {
		t.Errorf("files of two models again: %s", line)
	}
	succeed(t, "encode", photo, "-o", file)
	fail(t, process.Failed, []string{file, "--model " + catalog.BuiltIn + " is of that kind"}, "decode", file, "-o", file+".png", "--model", "mine")
}

func TestModelsByName(t *testing.T) {
	dir := atHome(t)
	succeed(t, "models", "add", "mine", dir)
	succeed(t, "models", "use", "mine")
	if d := listed(t)["mine"]; !d.Default || d.Kind != catalog.KindNamed || d.Path != dir {
		t.Errorf("%+v", d)
	}
	fail(t, process.Failed, []string{"not a diffusers model folder"}, "models", "add", "other", t.TempDir())
	fail(t, process.Usage, []string{"cannot be the name of a folder"}, "models", "add", catalog.BuiltIn, dir)
	fail(t, process.Failed, []string{"does not delete"}, "models", "remove", dir, "--yes")
	fail(t, process.Failed, []string{"cannot be removed"}, "models", "remove", catalog.BuiltIn, "--yes")
	if r := coclico(t, "models", "remove", "mine"); r.status != process.OK {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error("a named folder was deleted")
	}
	fail(t, process.Failed, []string{"mine"}, "models", "use", "mine")
	if err := os.WriteFile(os.Getenv(catalog.ConfigVar), []byte(`{"model":"gone"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{"the default model gone", "coclico models use"}, "encode", photo, "-o", filepath.Join(t.TempDir(), "a.coclico"))
	fail(t, process.Failed, []string{"the default model gone", "coclico models use"}, "models", "check")
	t.Setenv(catalog.ModelVar, "lost")
	fail(t, process.Failed, []string{catalog.ModelVar, "lost"}, "models", "check")
	t.Setenv(catalog.ModelVar, "")
	if err := os.WriteFile(os.Getenv(catalog.ConfigVar), []byte(`{"modell":"x"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{"config.json", "correct it"}, "models")
}

func TestModelsCheckFinds(t *testing.T) {
	dir := atHome(t)
	if err := os.WriteFile(filepath.Join(dir, "vae", "config.json"), []byte(`{"latent_channels": 8}`), 0o666); err != nil {
		t.Fatal(err)
	}
	r := coclico(t, "models", "check", dir)
	if r.status != process.Failed || r.stderr != "" || !strings.Contains(r.stdout, "vae") || !strings.Contains(r.stdout, "WRONG") || !strings.Contains(r.stdout, "image_encoder, 56 tensors    ok") {
		t.Errorf("%+v", r)
	}
}

func TestModelsConvert(t *testing.T) {
	dir := atHome(t)
	out := filepath.Join(t.TempDir(), "small")
	text := succeed(t, "models", "convert", dir, out, "--constant-context")
	for _, want := range []string{"prompt_embeds", "text_encoder", "left out", "in all"} {
		if !strings.Contains(text, want) {
			t.Errorf("convert does not say %q:\n%s", want, text)
		}
	}
	fail(t, process.Failed, []string{"already exists"}, "models", "convert", dir, out)
	fail(t, process.Failed, []string{"not a folder"}, "models", "convert", catalog.BuiltIn, out+"2")
	fail(t, process.Usage, []string{"--encoder-only and --decoder-only exclude each other"}, "models", "convert", dir, out+"2", "--encoder-only", "--decoder-only")
	succeed(t, "models", "check", out)
	alone := filepath.Join(t.TempDir(), "alone")
	succeed(t, "models", "convert", dir, alone, "--encoder-only")
	if err := os.RemoveAll(filepath.Join(alone, "image_normalizer")); err != nil {
		t.Fatal(err)
	}
	succeed(t, "models", "check", alone)
	fail(t, process.Failed, []string{filepath.Join("nowhere", "out")}, "models", "convert", dir, filepath.Join(dir, "nowhere", "out"))
}

// TestModelsRemovePulled: all revisions of a model are deleted by its plain
// name, even if only a part of it has come.
func TestModelsRemovePulled(t *testing.T) {
	dir := atHome(t)
	cache := filepath.Join(os.Getenv("HF_HOME"), "hub", "models--someone--tiny-unclip")
	one, two := strings.Repeat("1", 40), strings.Repeat("2", 40)
	for _, commit := range []string{one, two} {
		if err := os.CopyFS(filepath.Join(cache, "snapshots", commit), os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	}
	succeed(t, "models", "use", hubtest.Repo+"@"+one)
	fail(t, process.Failed, []string{"coclico models remove " + hubtest.Repo}, "models", "remove", hubtest.Repo+"@"+one, "--yes")
	if _, err := os.Stat(filepath.Join(cache, "snapshots", two)); err != nil {
		t.Fatal("the other revision was deleted")
	}
	if r := coclico(t, "models", "remove", hubtest.Repo, "--yes"); r.status != process.OK || !strings.Contains(r.stderr, "default") {
		t.Errorf("%+v", r)
	}
	part := filepath.Join(cache, "blobs", one+".incomplete")
	if err := errors.Join(os.MkdirAll(filepath.Dir(part), 0o777), os.WriteFile(part, []byte("x"), 0o666)); err != nil {
		t.Fatal(err)
	}
	if r := coclico(t, "models", "remove", hubtest.Repo, "--yes"); r.status != process.OK || r.stderr != "" {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(cache); err == nil {
		t.Error("the model still exists")
	}
	fail(t, process.Failed, []string{hubtest.Repo}, "models", "remove", hubtest.Repo, "--yes")
}

// TestNoHome: without a home folder, only commands that need the cache or the
// configuration fail.
func TestNoHome(t *testing.T) {
	for _, name := range []string{"HOME", "USERPROFILE", "home", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "AppData", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", catalog.ConfigVar} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_TOKEN", "no token")
	if all := listed(t); len(all) != 1 {
		t.Errorf("%+v", all)
	}
	fail(t, process.Failed, []string{"HF_HOME"}, "pull")
	t.Setenv("HF_HOME", t.TempDir())
	fail(t, process.Failed, []string{"HF_TOKEN"}, "pull")
}
