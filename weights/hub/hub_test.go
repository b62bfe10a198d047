package hub_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coclico/coclico/weights/hub"
	"github.com/coclico/coclico/weights/hub/hubtest"
)

func newHub(t *testing.T) *hubtest.Hub { return hubtest.New(t, hubtest.Model()) }

// client returns a client with a cache of its own that hardly pauses. It waits
// for a busy machine as long as for the hub: a request that was given up would be
// made twice, which tests count.
func client(f *hubtest.Hub, t *testing.T) *hub.Client {
	return &hub.Client{Endpoint: f.URL(), Cache: hub.Cache(t.TempDir()), Transport: &http.Transport{},
		Stall: time.Minute, Pause: func(int) time.Duration { return time.Millisecond }}
}

var repo = hub.Repo{Owner: "someone", Name: "tiny-unclip"}

const (
	unet     = "unet/diffusion_pytorch_model.fp16.safetensors"
	unetSize = 174_000
)

func pull(c *hub.Client, use hub.Use) (*hub.Plan, string, error) {
	p, err := c.Plan(context.Background(), repo, "main", use)
	if err != nil {
		return nil, "", err
	}
	dir, err := c.Pull(context.Background(), p, nil)
	return p, dir, err
}

func mustPull(t *testing.T, c *hub.Client) (*hub.Plan, string) {
	t.Helper()
	p, dir, err := pull(c, hub.Everything)
	if err != nil {
		t.Fatal(err)
	}
	return p, dir
}

// want lists the files that a pull of everything downloads.
var want = []string{
	"README.md", "feature_extractor/preprocessor_config.json", "image_encoder/config.json", "image_encoder/model.fp16.safetensors",
	"image_noising_scheduler/scheduler_config.json", "image_normalizer/config.json", "image_normalizer/diffusion_pytorch_model.fp16.safetensors",
	"model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json", "text_encoder/model.fp16.safetensors",
	"tokenizer/added_tokens.json", "tokenizer/merges.txt", "tokenizer/special_tokens_map.json", "tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json", "tokenizer/vocab.json",
	"unet/config.json", unet, "vae/config.json", "vae/diffusion_pytorch_model.fp16.safetensors",
}

func readTree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func TestPull(t *testing.T) {
	f := newHub(t)
	f.Token = "hf_secret"
	if _, _, err := pull(client(f, t), hub.Everything); err == nil || !strings.Contains(err.Error(), "HF_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
	for _, noSymlinks := range []bool{false, true} {
		c := client(f, t)
		c.Token, c.NoSymlinks = f.Token, noSymlinks
		p, dir := mustPull(t, c)
		if got := readTree(t, dir); !slices.Equal(got, want) {
			t.Errorf("snapshot has %v, not %v", got, want)
		}
		if wantDir := filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "snapshots", hubtest.Commit); dir != wantDir {
			t.Errorf("folder %s, not %s", dir, wantDir)
		}
		for _, name := range want {
			got, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || !bytes.Equal(got, f.Files[name]) {
				t.Errorf("%s: other bytes (%v)", name, err)
			}
			blob := filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "blobs", hubtest.BlobName(name, f.Files[name]))
			if _, err := os.Stat(blob); err != nil {
				t.Errorf("%s: no blob of its hash: %v", name, err)
			}
			if target, err := os.Readlink(filepath.Join(dir, name)); !noSymlinks && (err != nil || filepath.IsAbs(target)) {
				t.Errorf("%s: links to %q (%v)", name, target, err)
			}
		}
		ref, err := os.ReadFile(filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "refs", "main"))
		if err != nil || string(ref) != hubtest.Commit {
			t.Errorf("refs/main is %q (%v)", ref, err)
		}
		if p.Left() <= 0 || p.Size() < p.Left() {
			t.Errorf("the plan has %d bytes, %d of them missing", p.Size(), p.Left())
		}
		if found, err := c.Cache.Folder(repo, "main"); err != nil || found != dir {
			t.Errorf("the cache finds %q (%v)", found, err)
		}
		checks, err := hub.Verify(context.Background(), dir, nil)
		if err != nil || len(checks) != len(want) {
			t.Fatalf("%d files verified (%v)", len(checks), err)
		}
		for _, check := range checks {
			if !check.Known || !check.Right {
				t.Errorf("%+v", check)
			}
		}
		before := f.Gets(unet)
		p, _ = mustPull(t, c)
		if p.Left() != 0 || f.Gets(unet) != before {
			t.Errorf("a second pull gets %d bytes", p.Left())
		}
	}
}

func TestPullOfHalves(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	_, dir, err := pull(c, hub.Encoding)
	if err != nil {
		t.Fatal(err)
	}
	got := readTree(t, dir)
	for _, name := range got {
		if part, _, ok := strings.Cut(name, "/"); ok && part != "image_encoder" && part != "feature_extractor" && part != "image_normalizer" {
			t.Errorf("encoding gets %s", name)
		}
	}
	p, err := c.Plan(context.Background(), repo, "main", hub.Decoding)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range p.Files {
		if strings.HasPrefix(item.Path, "image_encoder/") {
			t.Errorf("decoding gets %s", item.Path)
		}
	}
}

// TestCached: weights that Python has downloaded in another precision are used.
func TestCached(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	name := "vae/diffusion_pytorch_model.safetensors"
	blob := filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "blobs", hubtest.BlobName(name, f.Files[name]))
	if err := errors.Join(os.MkdirAll(filepath.Dir(blob), 0o777), os.WriteFile(blob, f.Files[name], 0o666)); err != nil {
		t.Fatal(err)
	}
	_, dir := mustPull(t, c)
	if got := readTree(t, dir); !slices.Contains(got, name) || f.Gets("vae/diffusion_pytorch_model.fp16.safetensors") != 0 {
		t.Errorf("the VAE was downloaded although the cache had it: %v", got)
	}
}

func TestShards(t *testing.T) {
	f := newHub(t)
	whole := f.Files[unet]
	delete(f.Files, unet)
	f.Files["unet/diffusion_pytorch_model-00001-of-00002.safetensors"] = whole[:100_000]
	f.Files["unet/diffusion_pytorch_model-00002-of-00002.safetensors"] = whole[100_000:]
	delete(f.Files, "unet/diffusion_pytorch_model.safetensors")
	index := "unet/diffusion_pytorch_model.safetensors.index.json"
	f.Files[index] = []byte(`{"weight_map":{"a":"diffusion_pytorch_model-00001-of-00002.safetensors","b":"diffusion_pytorch_model-00002-of-00002.safetensors"}}`)
	_, dir := mustPull(t, client(f, t))
	got := readTree(t, dir)
	for _, name := range []string{index, "unet/diffusion_pytorch_model-00001-of-00002.safetensors", "unet/diffusion_pytorch_model-00002-of-00002.safetensors"} {
		if !slices.Contains(got, name) {
			t.Errorf("no %s", name)
		}
	}
	f.Files[index] = []byte(`{"weight_map":{"a":"../../model.safetensors"}}`)
	if _, _, err := pull(client(f, t), hub.Everything); err == nil {
		t.Error("an index that leads out of its folder is accepted")
	}
}

// TestOddNames: files that no model needs do not keep it from being pulled,
// whatever they are called.
func TestOddNames(t *testing.T) {
	f := newHub(t)
	for _, name := range []string{"samples/what is this?.png", "12:30.png", "a.", "license", "License", "a\u202e.png", "a\u009b2J.png"} {
		f.Files[name] = []byte("x")
	}
	mustPull(t, client(f, t))
	// Two that are needed, and are one file where the case does not count.
	delete(f.Files, unet)
	delete(f.Files, "unet/diffusion_pytorch_model.safetensors")
	f.Files["unet/a.safetensors"], f.Files["unet/A.safetensors"] = []byte("x"), []byte("y")
	f.Files["unet/diffusion_pytorch_model.safetensors.index.json"] = []byte(`{"weight_map":{"a":"a.safetensors","b":"A.safetensors"}}`)
	if _, _, err := pull(client(f, t), hub.Everything); err == nil || !strings.Contains(err.Error(), "unet/A.safetensors and unet/a.safetensors are one file on some systems") {
		t.Errorf("error %v", err)
	}
	// One that is needed, and would rewrite the terminal.
	f.Files["unet/diffusion_pytorch_model.safetensors.index.json"] = []byte(`{"weight_map":{"a":"a\u009b2J\u202e.safetensors"}}`)
	if _, _, err := pull(client(f, t), hub.Everything); err == nil || !strings.Contains(err.Error(), `"a\u009b2J\u202e.safetensors", which is not the name`) {
		t.Errorf("error %v", err)
	}
}

// TestMirror: some listings have only names.
func TestMirror(t *testing.T) {
	f := newHub(t)
	f.API = func(w http.ResponseWriter, r *http.Request) {
		r.URL.RawQuery = ""
		f.ServeListing(w, r)
	}
	c := client(f, t)
	p, dir := mustPull(t, c)
	if got := readTree(t, dir); !slices.Equal(got, want) {
		t.Errorf("snapshot has %v", got)
	}
	if p.Size() < 300_000 {
		t.Errorf("the plan has %d bytes", p.Size())
	}
}
