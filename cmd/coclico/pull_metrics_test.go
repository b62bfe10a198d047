package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub/hubtest"
)

// TestPullMetrics pulls from hubs with one file each, since the test's hub has
// one repository.
func TestPullMetrics(t *testing.T) {
	atHome(t)
	dir := filepath.Join(t.TempDir(), "metrics")
	t.Setenv(catalog.MetricsVar, dir)
	checkpoint, err := os.ReadFile(testTensors + "plain.pth")
	if err != nil {
		t.Fatal(err)
	}
	vgg := filepath.Join(t.TempDir(), "vgg.safetensors")
	err = weights.WriteFile(vgg, func(w io.Writer) error {
		return weights.WriteTensors(w, []weights.Tensor{weights.NewTensor("features.0.bias", []float32{1, 2}, 2), weights.NewTensor("classifier.0.bias", make([]float32, 1000), 1000)})
	})
	trunk, err2 := os.ReadFile(vgg)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("musiq_koniq_ckpt-%.4x", sha256.Sum256(checkpoint))
	before := slices.Clone(metricFiles)
	t.Cleanup(func() { metricFiles = before })
	metricFiles[0].files = []metricFile{{name + ".pth", name, nil}}

	h := hubtest.New(t, map[string][]byte{"README.md": []byte("---\nlicense: cc-by-nc-sa-4.0\n---\n"), name + ".pth": checkpoint, "model.safetensors": trunk})
	t.Setenv("HF_ENDPOINT", h.URL())
	t.Setenv("HF_HUB_OFFLINE", "")
	h.Repo = metricFiles[0].repo.String()
	if r := coclico(t, "pull", "--metrics"); r.status != statusFailed || !strings.Contains(r.stderr, "timm/vgg16.tv_in1k") || !strings.Contains(r.stderr, "cc-by-nc-sa-4.0") {
		t.Errorf("from a hub without VGG16: %+v", r)
	}
	h.Repo = metricFiles[1].repo.String() // the first is there now, and not asked for
	if r := coclico(t, "pull", "--metrics", "--plan"); r.status != statusOK || !strings.Contains(r.stdout, "in all") {
		t.Errorf("the plan: %+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, "vgg16.safetensors")); err == nil {
		t.Error("a plan downloads")
	}
	if r := coclico(t, "pull", "--metrics"); r.status != statusOK || strings.TrimSpace(r.stdout) != dir {
		t.Errorf("%+v, want %s", r, dir)
	}
	for file, tensors := range map[string][]string{
		name + ".safetensors": {"base.weight", "bfloat.weight", "count", "half.weight", "view.weight"},
		"vgg16.safetensors":   {"features.0.bias"},
	} {
		s, err := weights.OpenFile(filepath.Join(dir, file))
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.Equal(s.Names(), tensors) {
			t.Errorf("%s has %v, want %v", file, s.Names(), tensors)
		}
		s.Close()
	}
	h.Repo = "nobody/asks"
	if r := coclico(t, "pull", "--metrics"); r.status != statusOK || strings.Contains(r.stderr, "download  ") {
		t.Errorf("pulled again: %+v", r)
	}

	// A file that is not what its name says.
	h.Repo = metricFiles[0].repo.String()
	h.Files[name+".pth"] = append(slices.Clone(checkpoint), 0)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	fail(t, statusFailed, []string{name + ".pth", "another file than its name says"}, "pull", "--metrics")
	fail(t, statusUsage, []string{"--for has no effect"}, "pull", "--metrics", "--for", "encode")
	fail(t, statusUsage, []string{"takes no x/y"}, "pull", "--metrics", "x/y")
}
