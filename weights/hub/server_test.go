package hub_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coclico/coclico/weights/hub"
)

const (
	repoName = "someone/tiny-unclip"
	commit   = "0123456789abcdef0123456789abcdef01234567"
	secret   = "hf_secret"
)

// lfs says what the fake hub keeps on its second host.
func lfs(path string) bool { return strings.HasSuffix(path, ".safetensors") }

func blobName(path string, data []byte) string {
	if lfs(path) {
		return fmt.Sprintf("%x", sha256.Sum256(data))
	}
	return fmt.Sprintf("%x", sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...)))
}

// A fakeHub behaves like the hub: an API, small files, and redirects to a second
// host for large ones. Tests change what it does through its fields.
type fakeHub struct {
	t        *testing.T
	hub, cdn *httptest.Server
	files    map[string][]byte

	listing func([]byte) []byte                                            // changes the answer of the API
	api     http.HandlerFunc                                               // replaces it
	serve   func(w http.ResponseWriter, r *http.Request, path string) bool // of the second host; true if it answered

	mu     sync.Mutex
	gets   map[string]int   // by path, of the second host
	bytes  map[string]int64 // sent by it
	ranges []string
}

func newFakeHub(t *testing.T) *fakeHub {
	f := &fakeHub{t: t, files: tinyModel(), gets: map[string]int{}, bytes: map[string]int64{}}
	f.cdn = httptest.NewServer(http.HandlerFunc(f.serveCDN))
	f.hub = httptest.NewServer(http.HandlerFunc(f.serveHub))
	t.Cleanup(f.hub.Close)
	t.Cleanup(f.cdn.Close)
	return f
}

// client has a cache of its own and little patience.
func (f *fakeHub) client() *hub.Client {
	return &hub.Client{Endpoint: f.hub.URL, Cache: hub.Cache(f.t.TempDir()), Transport: &http.Transport{},
		Stall: 300 * time.Millisecond, Pause: func(int) time.Duration { return time.Millisecond }}
}

func (f *fakeHub) serveHub(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Repo-Commit", commit)
	if r.URL.Path == "/api/models/"+repoName+"/revision/main" || r.URL.Path == "/api/models/"+repoName+"/revision/"+commit {
		f.serveListing(w, r)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/"+repoName+"/resolve/"+commit+"/")
	data, there := f.files[path]
	if !ok || !there {
		w.Header().Set("X-Error-Code", "RepoNotFound")
		w.Header().Set("X-Error-Message", "Repository not found")
		w.WriteHeader(http.StatusNotFound)
		return
	}
	name := blobName(path, data)
	if lfs(path) {
		w.Header().Set("X-Linked-Etag", `"`+name+`"`)
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(data)))
		http.Redirect(w, r, f.cdn.URL+"/"+path+"?signature=a%2Fb", http.StatusFound)
		return
	}
	w.Header().Set("ETag", `"`+name+`"`)
	w.Header().Set("Content-Type", "text/plain")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func (f *fakeHub) serveListing(w http.ResponseWriter, r *http.Request) {
	if f.api != nil {
		f.api(w, r)
		return
	}
	type sibling map[string]any
	var all []sibling
	for path, data := range f.files {
		s := sibling{"rfilename": path}
		if r.URL.Query().Get("blobs") == "true" {
			s["size"] = len(data)
			s["blobId"] = blobName("", data)
			if lfs(path) {
				s["lfs"] = map[string]any{"sha256": blobName(path, data), "size": len(data), "pointerSize": 134}
			}
		}
		all = append(all, s)
	}
	data, _ := json.Marshal(map[string]any{"_id": "x", "id": repoName, "sha": commit, "siblings": all, "cardData": map[string]any{"license": "openrail++"}})
	if f.listing != nil {
		data = f.listing(data)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Write(data)
}

func (f *fakeHub) serveCDN(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if r.Header.Get("Authorization") != "" {
		f.t.Error("the second host was told the token")
	}
	if r.URL.Query().Get("signature") != "a/b" {
		f.t.Errorf("the signature became %q", r.URL.RawQuery)
	}
	f.mu.Lock()
	f.gets[path]++
	f.ranges = append(f.ranges, r.Header.Get("Range"))
	f.mu.Unlock()
	counted := &countingWriter{ResponseWriter: w}
	defer func() {
		f.mu.Lock()
		f.bytes[path] += counted.n
		f.mu.Unlock()
	}()
	if f.serve != nil && f.serve(counted, r, path) {
		return
	}
	w.Header().Set("Content-Type", "binary/octet-stream")
	w.Header().Set("ETag", `"not-a-hash-1"`)
	http.ServeContent(counted, r, "", time.Time{}, bytes.NewReader(f.files[path]))
}

type countingWriter struct {
	http.ResponseWriter
	n int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.n += int64(n)
	return n, err
}

// tinyModel has a file of every kind that the hub's model has, and their sizes
// in small.
func tinyModel() map[string][]byte {
	index := map[string]any{"_class_name": "StableUnCLIPImg2ImgPipeline", "_diffusers_version": "0.15.0"}
	for _, part := range []string{"feature_extractor", "image_encoder", "image_noising_scheduler", "image_normalizer", "scheduler", "text_encoder", "tokenizer", "unet", "vae"} {
		index[part] = []string{"diffusers", "Something"}
	}
	data, _ := json.Marshal(index)
	files := map[string][]byte{
		"model_index.json": data,
		"README.md":        []byte("---\nlicense: openrail++\n---\n# A model\n"),
		".gitattributes":   []byte("*.bin filter=lfs\n"),
		"feature_extractor/preprocessor_config.json":           []byte("{}"),
		"image_noising_scheduler/scheduler_config.json":        []byte("{}\n"),
		"scheduler/scheduler_config.json":                      []byte(`{"a":1}`),
		"tokenizer/vocab.json":                                 []byte(`{"!":0}`),
		"tokenizer/merges.txt":                                 []byte("#version\n"),
		"sd21-unclip-l.ckpt":                                   make([]byte, 5000),
		"unet/diffusion_pytorch_model.bin":                     make([]byte, 4000),
		"unet/diffusion_pytorch_model.safetensors":             noise(300_000, 1),
		"vae/diffusion_pytorch_model.safetensors":              noise(50_000, 2),
		"vae/diffusion_pytorch_model.fp16.safetensors":         noise(25_000, 3),
		"text_encoder/model.safetensors":                       noise(60_000, 4),
		"text_encoder/model.fp16.safetensors":                  noise(30_000, 5),
		"image_encoder/model.safetensors":                      noise(60_000, 6),
		"image_normalizer/diffusion_pytorch_model.safetensors": noise(600, 7),
	}
	for _, part := range []string{"image_encoder", "image_normalizer", "text_encoder", "unet", "vae"} {
		files[part+"/config.json"] = []byte(`{"part":"` + part + `"}`)
	}
	return files
}

func noise(n int, seed uint32) []byte {
	b := make([]byte, n)
	for i := range b {
		seed = seed*1664525 + 1013904223
		b[i] = byte(seed >> 24)
	}
	return b
}
