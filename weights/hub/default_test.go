package hub_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/weights/hub"
	"github.com/coclico/coclico/weights/hub/hubtest"
)

// TestDefaultModel: the default model's listing, with sizes in ten-thousandths,
// is pulled at the pinned revision, in float16.
func TestDefaultModel(t *testing.T) {
	f := newHub(t)
	f.Repo, f.Commit = "diffusers/stable-diffusion-2-1-unclip-i2i-l", "bbd5c2d3d6fe31bb59c1f0cd7ad8687e4ad659d4"
	c := client(f, t)
	r := hub.DefaultRepo()
	p, err := c.Plan(context.Background(), r, r.DefaultRevision(), hub.Everything)
	if err != nil {
		t.Fatal(err)
	}
	if p.Commit != f.Commit || p.Repo.String() != f.Repo {
		t.Errorf("the plan is for %s at %s", p.Repo, p.Commit)
	}
	sum := int64(0)
	for _, w := range p.Weights() {
		if !strings.HasSuffix(w.Path, ".fp16.safetensors") {
			t.Errorf("%s is not float16", w.Path)
		}
		sum += w.Size
	}
	if len(p.Weights()) != 5 || sum != 174_000+60_800+16_700+68_100+3_240 {
		t.Errorf("%d bytes of weights in %d files", sum, len(p.Weights()))
	}
	dir, err := c.Pull(context.Background(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, find := range []func() (string, string, error){
		func() (string, string, error) { return c.Cache.Default(r) },
		func() (string, string, error) { d, err := c.Cache.Folder(r, "main"); return d, f.Commit, err },
	} {
		if got, revision, err := find(); got != dir || revision != f.Commit || err != nil {
			t.Errorf("the cache has %s at %s (%v)", got, revision, err)
		}
	}
	for name, size := range map[string]int64{"unet": 1320, "image_encoder": 565, "vae": 610, "image_normalizer": 155} {
		if info, err := os.Stat(filepath.Join(dir, name, "config.json")); err != nil || info.Size() != size {
			t.Errorf("the configuration of %s: %v, %v", name, info, err)
		}
	}
}

// TestDefaultRevision: another revision of the default model, which Python has
// downloaded, serves where the pinned one is not in the cache.
func TestDefaultRevision(t *testing.T) {
	cache := hub.Cache(t.TempDir())
	r := hub.DefaultRepo()
	if _, _, err := cache.Default(r); !errors.Is(err, hub.ErrNotThere) {
		t.Errorf("error %v", err)
	}
	base := cache.Path(r)
	other := strings.Repeat("1", 40)
	if err := errors.Join(os.MkdirAll(filepath.Join(base, "snapshots", other), 0o777), os.MkdirAll(filepath.Join(base, "refs"), 0o777), os.WriteFile(filepath.Join(base, "refs", "main"), []byte(other), 0o666)); err != nil {
		t.Fatal(err)
	}
	if dir, revision, err := cache.Default(r); filepath.Base(dir) != other || revision != "main" || err != nil {
		t.Errorf("%s, %s, %v", dir, revision, err)
	}
	if err := os.Mkdir(filepath.Join(base, "snapshots", hub.DefaultCommit), 0o777); err != nil {
		t.Fatal(err)
	}
	if dir, revision, err := cache.Default(r); filepath.Base(dir) != hub.DefaultCommit || revision != hub.DefaultCommit || err != nil {
		t.Errorf("%s, %s, %v", dir, revision, err)
	}
}

// TestAliases: each of the three names knows the other two.
func TestAliases(t *testing.T) {
	names := []hub.Repo{hub.DefaultRepo(), hub.MirrorRepo(), hub.WithdrawnRepo()}
	for _, r := range names {
		others := r.Aliases()
		if len(others) != 2 || slices.Contains(others, r) || !slices.Contains(names, others[0]) || !slices.Contains(names, others[1]) {
			t.Errorf("%s: %v", r, others)
		}
	}
	if others := repo.Aliases(); others != nil || repo.DefaultRevision() != "main" {
		t.Errorf("%s: %v, %s", repo, others, repo.DefaultRevision())
	}
}

// TestFloat32Alone: a part that the hub has in float32 alone is pulled so, as
// the UNet of the withdrawn copy was.
func TestFloat32Alone(t *testing.T) {
	f := newHub(t)
	delete(f.Files, unet)
	_, dir := mustPull(t, client(f, t))
	got := readTree(t, dir)
	for _, name := range []string{"unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.fp16.safetensors"} {
		if !slices.Contains(got, name) {
			t.Errorf("no %s in %v", name, got)
		}
	}
}

// TestShardOrders: whoever writes an index in float16 puts its words in one of
// three orders.
func TestShardOrders(t *testing.T) {
	for _, index := range []string{"safetensors.index.fp16.json", "safetensors.fp16.index.json", "fp16.safetensors.index.json"} {
		f := newHub(t)
		whole := f.Files[unet]
		delete(f.Files, unet)
		shard := "unet/diffusion_pytorch_model.fp16-00001-of-00001.safetensors"
		f.Files[shard] = whole
		index = "unet/diffusion_pytorch_model." + index
		f.Files[index] = []byte(`{"weight_map":{"a":"` + path.Base(shard) + `"}}`)
		_, dir := mustPull(t, client(f, t))
		if got := readTree(t, dir); !slices.Contains(got, shard) || !slices.Contains(got, index) || slices.Contains(got, "unet/diffusion_pytorch_model.safetensors") {
			t.Errorf("%s: %v", index, got)
		}
	}
}

// TestStaleAddress: the second host refuses an address whose signature has
// expired, once before the first byte and once in the middle. The hub is asked
// for another, and the download resumes.
func TestStaleAddress(t *testing.T) {
	f := newHub(t)
	requests := 0
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if path != unet {
			return false
		}
		switch requests++; requests {
		case 1, 3:
			w.WriteHeader(http.StatusForbidden)
			return true
		case 2:
			return cutAfter(f, 100_000)(w, r, path)
		}
		return false
	}
	mustPull(t, client(f, t))
	if requests != 4 {
		t.Errorf("%d requests", requests)
	}
	if n := f.Sent(unet); n > unetSize+lost {
		t.Errorf("%d bytes sent of a file of %d", n, unetSize)
	}
}

// TestGated: the error says how to get access, on the model's own page.
func TestGated(t *testing.T) {
	f := newHub(t)
	code := http.StatusUnauthorized
	f.API = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Error-Code", "GatedRepo")
		w.WriteHeader(code)
	}
	page := f.URL() + "/someone/tiny-unclip"
	c := client(f, t)
	_, _, err := pull(c, hub.Everything)
	for _, words := range []string{"401", "gated", "log in on " + page, "HF_TOKEN"} {
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("error %v, not one with %q", err, words)
		}
	}
	code, c.Token = http.StatusForbidden, "hf_secret"
	_, _, err = pull(c, hub.Everything)
	for _, words := range []string{"403", "has no access", "ask for it on " + page} {
		if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v, not one with %q", err, words)
		}
	}
	if !hub.Refused(err) {
		t.Error("that is no refusal")
	}
}

// TestRefused: a hub that does not have a model, in contrast to one that is not
// there or busy.
func TestRefused(t *testing.T) {
	f := newHub(t)
	for code, want := range map[int]bool{401: true, 403: true, 404: true, 410: true, 451: true, 407: false, 429: false, 503: false} {
		f.API = func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
		if _, _, err := pull(client(f, t), hub.Everything); err == nil || hub.Refused(err) != want {
			t.Errorf("%d: Refused is %v for %v", code, !want, err)
		}
	}
	c := client(f, t)
	c.Offline = true
	if _, _, err := pull(c, hub.Everything); err == nil || hub.Refused(err) {
		t.Errorf("offline: %v", err)
	}
}

// TestPins: a listing that promises other bytes under a known name is refused
// before they are downloaded, and the right ones are pulled.
func TestPins(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	c.Pins = hub.Pins{hubtest.Commit: {unet: strings.Repeat("ab", 32)}}
	if _, _, err := pull(c, hub.Everything); err == nil || !strings.Contains(err.Error(), unet) || !strings.Contains(err.Error(), "another file") || f.Gets(unet) != 0 {
		t.Errorf("error %v, %d requests", err, f.Gets(unet))
	}
	c.Pins[hubtest.Commit][unet] = hubtest.BlobName(unet, f.Files[unet])
	p, _ := mustPull(t, c)
	if c.Pins.Covers(p) {
		t.Error("one pin covers all weights")
	}
	for _, w := range p.Weights() {
		c.Pins[hubtest.Commit][w.Path] = w.Hash
	}
	if !c.Pins.Covers(p) {
		t.Error("a pin for each file of weights does not cover them")
	}
	c.Pins = hub.Pins{strings.Repeat("2", 40): {unet: strings.Repeat("ab", 32)}} // of another commit
	mustPull(t, c)
}

// TestPlanShowsLicense: the terms are known before any weights are downloaded.
func TestPlanShowsLicense(t *testing.T) {
	f := newHub(t)
	p, err := client(f, t).Plan(context.Background(), repo, "main", hub.Everything)
	if err != nil {
		t.Fatal(err)
	}
	if p.License.Name != "openrail++" || !slices.Contains(p.License.Text, "Misuse and Malicious Use") || f.Gets(unet) != 0 {
		t.Errorf("%+v", p.License)
	}
	delete(f.Files, "README.md")
	p, err = client(f, t).Plan(context.Background(), repo, "main", hub.Everything)
	if err != nil || p.License.Name != "openrail++" || p.License.Text != nil {
		t.Errorf("without a card: %+v, %v", p, err)
	}
}
