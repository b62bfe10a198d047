package hub_test

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/weights/hub"
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

// TestFloat32Alone: a part is pulled in float32 if the hub has nothing else, as
// for the UNet of the withdrawn copy.
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

// TestShardOrders: the words in the name of a float16 index have had three
// orders.
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
