package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/bench/iqa"
	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub/hubtest"
)

// pthOf returns a file of torch.save with float32 tensors by the law of package
// weights.
func pthOf(t *testing.T, specs []weights.Spec) []byte {
	t.Helper()
	var b, pickle bytes.Buffer
	z := zip.NewWriter(&b)
	store := func(name string, data []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "net/" + name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	text := func(s string) {
		pickle.WriteByte('X')
		pickle.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
		pickle.WriteString(s)
	}
	numbers := func(values ...int) {
		for _, v := range values {
			pickle.WriteByte('J')
			pickle.Write(binary.LittleEndian.AppendUint32(nil, uint32(v)))
		}
	}
	tuple := func(values []int) {
		pickle.WriteByte('(')
		numbers(values...)
		pickle.WriteByte('t')
	}
	pickle.WriteString("\x80\x02}")
	for i, spec := range specs {
		x := weights.SynthTensor(spec.Name, spec.Shape, 1).Float32s()
		var data []byte
		for _, v := range x {
			data, _ = binary.Append(data, binary.LittleEndian, v)
		}
		key := fmt.Sprint(i)
		store("data/"+key, data)
		stride := make([]int, len(spec.Shape))
		step := 1
		for k, d := range slices.Backward(spec.Shape) {
			stride[k] = step
			step *= d
		}
		text(spec.Name)
		pickle.WriteString("ctorch._utils\n_rebuild_tensor_v2\n((")
		text("storage")
		pickle.WriteString("ctorch\nFloatStorage\n")
		text(key)
		text("cpu")
		numbers(len(x))
		pickle.WriteString("tQ")
		numbers(0)
		tuple(spec.Shape)
		tuple(stride)
		pickle.WriteString("\x89ccollections\nOrderedDict\n)RtRs")
	}
	pickle.WriteByte('.')
	store("data.pkl", pickle.Bytes())
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// affine are the tensors of linear layers or convolutions.
func affine(shapes map[string][]int) (specs []weights.Spec) {
	for name, shape := range shapes {
		specs = append(specs, weights.Spec{Name: name + ".weight", Shape: shape}, weights.Spec{Name: name + ".bias", Shape: shape[:1]})
	}
	return specs
}

// metricHubs replaces the sources by hubs and a server of this machine with
// small files, and returns the hubs by the names of their repositories.
func metricHubs(t *testing.T) map[string]*hubtest.Hub {
	t.Helper()
	checkpoint, err := os.ReadFile(testTensors + "plain.pth")
	if err != nil {
		t.Fatal(err)
	}
	vgg := filepath.Join(t.TempDir(), "vgg.safetensors")
	err = weights.WriteFile(vgg, func(w io.Writer) error {
		return weights.WriteTensors(t.Context(), w, []weights.Tensor{weights.NewTensor("features.0.bias", []float32{1, 2}, 2), weights.NewTensor("classifier.0.bias", make([]float32, 1000), 1000)}, nil)
	})
	trunk, err2 := os.ReadFile(vgg)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	content := map[string][]byte{
		"vgg16": trunk,
		"sac+logos+ava1-l14-linearMSE": pthOf(t, affine(map[string][]int{
			"layers.0": {1024, 768}, "layers.2": {128, 1024}, "layers.4": {64, 128}, "layers.6": {16, 64}, "layers.7": {1, 16}})),
		"alexnet-owt-7be5be79": pthOf(t, affine(map[string][]int{
			"features.0": {64, 3, 11, 11}, "features.3": {192, 64, 5, 5}, "features.6": {384, 192, 3, 3}, "features.8": {256, 384, 3, 3}, "features.10": {256, 256, 3, 3},
			"classifier.1": {10, 10}})),
	}
	mux, hubs, before := http.NewServeMux(), map[string]*hubtest.Hub{}, metricSources
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(func() { metricSources = before })
	metricSources = slices.Clone(before)
	for i := range metricSources {
		s := &metricSources[i]
		s.files = slices.Clone(s.files)
		files := map[string][]byte{"README.md": []byte("---\nlicense: cc-by-nc-sa-4.0\n---\n")}
		for k := range s.files {
			f := &s.files[k]
			data, ok := content[f.name]
			if !ok {
				data = checkpoint
				stem, _, _ := strings.Cut(f.name, "-")
				f.name = fmt.Sprintf("%s-%.4x", stem, sha256.Sum256(data))
				f.path = f.name + ".pth"
			}
			if f.hash != "" {
				f.hash, f.size = fmt.Sprintf("%x", sha256.Sum256(data)), int64(len(data))
			}
			files[f.path] = data
		}
		if s.address != "" {
			s.address = server.URL + "/elsewhere/"
			for name, data := range files {
				mux.HandleFunc("/elsewhere/"+name, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(data) })
			}
			continue
		}
		h := hubtest.New(t, files)
		h.Repo = s.repo.String()
		hubs[h.Repo] = h
		at, err := url.Parse(h.URL())
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(at)
		mux.Handle("/api/models/"+h.Repo+"/", proxy)
		mux.Handle("/"+h.Repo+"/", proxy)
	}
	t.Setenv("HF_ENDPOINT", server.URL)
	t.Setenv("HF_HUB_OFFLINE", "")
	return hubs
}

// TestMetricFiles: there is a file for every metric that needs one, under a name
// that package iqa finds.
func TestMetricFiles(t *testing.T) {
	set, err := iqa.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if len(set.Missing) < 8 {
		t.Errorf("%d metrics need weights", len(set.Missing))
	}
	for _, m := range set.Missing {
		found := false
		for _, s := range metricSources {
			for _, f := range s.files {
				stem, _, _ := strings.Cut(f.name, "-")
				found = found || stem == m.File
				if s.address != "" && (len(f.hash) != 64 || f.size == 0 || s.license == "") {
					t.Errorf("%s: hash %q, size %d, license %q", f.path, f.hash, f.size, s.license)
				}
			}
		}
		if !found {
			t.Errorf("nothing is pulled for %s", m.Metric)
		}
	}
}

// TestPullMetrics pulls all files, from hubs and from elsewhere.
func TestPullMetrics(t *testing.T) {
	atHome(t)
	hubs := metricHubs(t)
	dir := filepath.Join(t.TempDir(), "metrics")
	t.Setenv(catalog.MetricsVar, dir)
	const vgg, laion = "timm/vgg16.tv_in1k", "camenduru/improved-aesthetic-predictor"
	hubs[vgg].API = func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotFound) }
	r := coclico(t, "pull", "--metrics")
	if r.status != process.Failed || !strings.Contains(r.stderr, vgg+": ") || !strings.Contains(r.stderr, "cc-by-nc-sa-4.0") || !strings.Contains(r.stderr, "license: torchvision's, BSD-3-Clause") {
		t.Errorf("from hubs without VGG16: %+v", r)
	}
	hubs[vgg].API = nil // the others are there now, and not asked for
	for repo, h := range hubs {
		if repo != vgg {
			h.Repo = "nobody/asks"
		}
	}
	if r := coclico(t, "pull", "--metrics", "--plan"); r.status != process.OK || !strings.Contains(r.stdout, "in all") || strings.Contains(r.stdout, "alexnet") {
		t.Errorf("the plan: %+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, "vgg16.safetensors")); err == nil {
		t.Error("a plan downloads")
	}
	if r := coclico(t, "pull", "--metrics"); r.status != process.OK || strings.TrimSpace(r.stdout) != dir {
		t.Errorf("%+v, want %s", r, dir)
	}
	var files []string
	for _, s := range metricSources {
		for _, f := range s.files {
			files = append(files, f.name+".safetensors")
		}
	}
	slices.Sort(files)
	onlyFiles(t, dir, files...)
	for file, tensors := range map[string][]string{
		metricSources[0].files[0].name + ".safetensors": {"base.weight", "bfloat.weight", "count", "half.weight", "view.weight"},
		"vgg16.safetensors":                             {"features.0.bias"},
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
	hubs[vgg].Repo = "nobody/asks"
	if r := coclico(t, "pull", "--metrics"); r.status != process.OK || strings.Contains(r.stderr, "download  ") {
		t.Errorf("pulled again: %+v", r)
	}

	// Those whose weights were whole can be used.
	for _, f := range slices.Concat(metricSources[0].files, metricSources[1].files) {
		if err := os.Remove(filepath.Join(dir, f.name+".safetensors")); err != nil {
			t.Fatal(err)
		}
	}
	set, err := iqa.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if set.Aesthetics == nil || set.Find("LPIPS-alex") == nil {
		t.Errorf("missing are %v", set.Missing)
	}
	if set.Aesthetics != nil && set.Aesthetics.Version != fmt.Sprintf("%.4x", sum(t, filepath.Join(dir, "sac+logos+ava1-l14-linearMSE.safetensors"))) {
		t.Errorf("the version of the aesthetics is %s", set.Aesthetics.Version)
	}

	// Files that are not what their names or the program say.
	for repo, h := range hubs {
		h.Repo = repo
		for name := range h.Files {
			if strings.HasSuffix(name, ".pth") {
				h.Files[name] = append(slices.Clone(h.Files[name]), 0)
			}
		}
	}
	elsewhere := &metricSources[3].files[0]
	elsewhere.hash = strings.Repeat("0", 64)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	r = coclico(t, "pull", "--metrics")
	if r.status != process.Failed || r.stdout != "" || strings.Contains(r.stderr, "kept") {
		t.Errorf("%+v", r)
	}
	for _, want := range []string{
		metricSources[0].files[0].path + " has the hash ", "it is another file than its name says",
		laion + ": sac+logos+ava1-l14-linearMSE.pth: the hub has another file than the one that is known",
		elsewhere.path + ": the downloaded bytes do not have the hash that was promised",
	} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("stderr %q lacks %q", r.stderr, want)
		}
	}
	onlyFiles(t, dir, "alexnet-owt-7be5be79.pth.incomplete", "vgg16.safetensors")
	fail(t, process.Usage, []string{"--for has no effect"}, "pull", "--metrics", "--for", "encode")
	fail(t, process.Usage, []string{"takes no x/y"}, "pull", "--metrics", "x/y")
}

// sum returns the SHA-256 of a file.
func sum(t *testing.T, path string) [32]byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(data)
}
