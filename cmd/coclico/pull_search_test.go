package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/vit"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub/hubtest"
)

// visionSize is the number of bytes of the tower that is not needed.
const visionSize = 1 << 20

// writeCLIP writes a CLIP whose text tower is small, with the given number of
// dimensions, and whose vision tower is larger.
func writeCLIP(t *testing.T, dir string, dimensions int) {
	t.Helper()
	config := fmt.Appendf(nil, `{"model_type": "clip", "projection_dim": %d, "text_config": {"model_type": "clip_text_model", "hidden_size": 32, "intermediate_size": 64,
		"num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": 600, "eos_token_id": 2}}`, dimensions)
	cfg, err := vit.ParseTextEmbedConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	s := weights.Recorder()
	vit.NewTextEmbedder(s.Scope(), cfg)
	specs := append(s.Requested(), weights.Spec{Name: "logit_scale"}, weights.Spec{Name: "vision_model.a.weight", Shape: []int{visionSize / 2}},
		weights.Spec{Name: "text_model.embeddings.position_ids", DType: weights.I64, Shape: []int{1, 77}})
	tiny := filepath.Join(t.TempDir(), "tiny")
	err = errors.Join(
		synth.Write(t.Context(), tiny, "tiny", 1, nil),
		os.CopyFS(dir, os.DirFS(filepath.Join(tiny, "tokenizer"))),
		os.WriteFile(filepath.Join(dir, "config.json"), config, 0o666),
		weights.WriteFile(filepath.Join(dir, catalog.TextWeights), func(w io.Writer) error { return weights.WriteSynthetic(w, specs, 1) }),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// textHub starts a hub with a CLIP, and sets the folder of the text tower.
func textHub(t *testing.T) (h *hubtest.Hub, dir string) {
	t.Helper()
	atHome(t)
	clip := t.TempDir()
	writeCLIP(t, clip, 24)
	h = onHub(t, clip)
	h.Repo = catalog.TextRepo().String()
	h.Files["README.md"] = []byte("---\nlicense: mit\n---\n")
	dir = filepath.Join(t.TempDir(), "text")
	t.Setenv(catalog.TextVar, dir)
	return h, dir
}

func TestPullSearch(t *testing.T) {
	h, dir := textHub(t)
	plan := succeed(t, "pull", "--for", "search", "--plan")
	for _, want := range []string{h.Repo + " at main", "model.safetensors (in part)", "into " + dir} {
		if !strings.Contains(plan, want) {
			t.Errorf("the plan does not say %q:\n%s", want, plan)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a plan downloads")
	}
	r := coclico(t, "pull", "--for", "search")
	if r.status != process.OK || strings.TrimSpace(r.stdout) != dir || !strings.Contains(r.stderr, "names the license mit") {
		t.Fatalf("%+v", r)
	}
	store, err := weights.OpenFile(filepath.Join(dir, catalog.TextWeights))
	if err != nil {
		t.Fatal(err)
	}
	if names := store.Names(); len(names) != 37 || slices.ContainsFunc(names, func(name string) bool { return !strings.HasPrefix(name, "text_") || strings.HasSuffix(name, "_ids") }) {
		t.Errorf("%d tensors: %v", len(names), names)
	}
	store.Close()
	for _, name := range []string{"config.json", "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "README.md"} {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(data, h.Files[name]) {
			t.Errorf("%s is not the hub's: %v", name, err)
		}
	}
	whole := h.Files[catalog.TextWeights]
	if n := h.Sent(catalog.TextWeights); n > int64(len(whole))/8 { // and the headers of two plans
		t.Errorf("%d bytes came of %d", n, len(whole))
	}
	var from textSource
	data, err := os.ReadFile(filepath.Join(dir, textRecord))
	if err = errors.Join(err, json.Unmarshal(data, &from)); err != nil {
		t.Fatal(err)
	}
	sum, err := fileSum(t.Context(), filepath.Join(dir, catalog.TextWeights))
	want := textSource{h.Repo, hubtest.Commit, catalog.TextWeights, hubtest.BlobName(catalog.TextWeights, whole), from.Header, sum}
	if from != want || len(from.Header) != 64 || err != nil {
		t.Errorf("the record is %+v, want %+v; %v", from, want, err)
	}

	n := asked(&h.API) // again, without the hub
	if r := coclico(t, "pull", "--for", "search"); r.status != process.OK || strings.TrimSpace(r.stdout) != dir || !strings.Contains(r.stderr, "nothing is downloaded") || *n != 0 {
		t.Errorf("again: %+v, %d requests", r, *n)
	}
	if text := succeed(t, "models"); !strings.Contains(text, dir) {
		t.Errorf("coclico models does not have it:\n%s", text)
	}

	// A bit that has flipped is noticed, and the file pulled again.
	h.API = nil
	bad, err := os.ReadFile(filepath.Join(dir, catalog.TextWeights))
	if err != nil {
		t.Fatal(err)
	}
	bad[len(bad)-2] ^= 1
	if err := os.WriteFile(filepath.Join(dir, catalog.TextWeights), bad, 0o666); err != nil {
		t.Fatal(err)
	}
	if r := coclico(t, "pull", "--for", "search"); r.status != process.OK || !strings.Contains(r.stderr, "pulled again") {
		t.Errorf("damaged: %+v", r)
	}
	if again, err := fileSum(t.Context(), filepath.Join(dir, catalog.TextWeights)); again != sum {
		t.Errorf("after that its hash is %s, want %s; %v", again, sum, err)
	}
	fail(t, process.Usage, []string{"--revision has no effect"}, "pull", "--for", "search", "--revision", "main")
	fail(t, process.Usage, []string{"takes no x/y"}, "pull", "--for", "search", "x/y")
}

// TestPullSearchCached: a whole model in the hub's cache is enough.
func TestPullSearchCached(t *testing.T) {
	h, _ := textHub(t)
	n := asked(&h.API)
	repo := catalog.TextRepo()
	dir := filepath.Join(os.Getenv("HF_HOME"), "hub", "models--"+repo.Owner+"--"+repo.Name, "snapshots", strings.Repeat("a", 40))
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	writeCLIP(t, dir, 24)
	if r := coclico(t, "pull", "--for", "search"); r.status != process.OK || strings.TrimSpace(r.stdout) != dir || *n != 0 {
		t.Errorf("%+v, %d requests", r, *n)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"model_type": "t5"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{"config.json", "t5"}, "pull", "--for", "search")
	if err := os.Remove(filepath.Join(dir, "merges.txt")); err != nil {
		t.Fatal(err)
	}
	fail(t, process.Failed, []string{"404"}, "pull", "--for", "search")
}

// TestPullSearchRefusals: what came is not kept if it is not a text tower, and
// kept if only the connection failed.
func TestPullSearchRefusals(t *testing.T) {
	h, dir := textHub(t)
	good := h.Files["config.json"]
	h.Files["config.json"] = bytes.Replace(good, []byte("64"), []byte("128"), 1)
	r := coclico(t, "pull", "--for", "search")
	if _, err := os.Stat(filepath.Join(dir, catalog.TextWeights)); r.status != process.Failed || !strings.Contains(r.stderr, "of another shape") || err == nil {
		t.Errorf("another shape: %+v", r)
	}
	h.Files["config.json"] = good
	begun := false
	h.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if strings.HasPrefix(r.Header.Get("Range"), "bytes=0-") || strings.HasPrefix(r.Header.Get("Range"), "bytes=8-") {
			return false
		}
		begun = true
		w.WriteHeader(http.StatusNotFound)
		return true
	}
	if r := coclico(t, "pull", "--for", "search"); r.status != process.Failed || !begun || !strings.Contains(r.stderr, "What has come is kept") {
		t.Errorf("a broken hub: %+v", r)
	}
	h.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		r.Header.Del("Range")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(h.Files[path]))
		return true
	}
	fail(t, process.Failed, []string{"does not send parts"}, "pull", "--for", "search")
	h.Serve = nil
	if r := coclico(t, "pull", "--for", "search"); r.status != process.OK {
		t.Errorf("a mended hub: %+v", r)
	}

	// Values that are not numbers.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	data := h.Files[catalog.TextWeights]
	copy(data[len(data)-visionSize-2:], []byte{0, 0x7e}) // the projection's last
	if r := coclico(t, "pull", "--for", "search"); r.status != process.Failed || !strings.Contains(r.stderr, catalog.TextWeights) {
		t.Errorf("not numbers: %+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, catalog.TextWeights)); err == nil {
		t.Error("they are kept")
	}
	t.Setenv("HF_HUB_OFFLINE", "1")
	fail(t, process.Failed, []string{"HF_HUB_OFFLINE"}, "pull", "--for", "search")
}
