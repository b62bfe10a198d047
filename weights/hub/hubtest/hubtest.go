// Package hubtest has a hub for tests, on this machine.
package hubtest

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
)

// What the hub has.
const (
	Repo   = "someone/tiny-unclip"
	Commit = "0123456789abcdef0123456789abcdef01234567"
)

// lfs says what the fake hub keeps on its second host.
func lfs(path string) bool { return strings.HasSuffix(path, ".safetensors") }

// BlobName returns the hash that is a file's name in the cache.
func BlobName(path string, data []byte) string {
	if lfs(path) {
		return fmt.Sprintf("%x", sha256.Sum256(data))
	}
	return fmt.Sprintf("%x", sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...)))
}

// A Hub behaves like the hub: an API, small files, and redirects to a second
// host for large ones. Tests change what it does through its fields.
type Hub struct {
	Files map[string][]byte // by path
	Token string            // without which the first host refuses, if not empty

	// Listing, if not nil, changes the answer of the API; API replaces it.
	Listing func([]byte) []byte
	API     http.HandlerFunc

	// Serve, if not nil, is asked first for a file of the second host, and
	// returns whether it has answered.
	Serve func(w http.ResponseWriter, r *http.Request, path string) bool

	t        testing.TB
	hub, cdn *httptest.Server

	mu    sync.Mutex
	gets  map[string]int   // by path, of the second host
	bytes map[string]int64 // sent by it
}

// New starts a hub with the given files, which ends with the test.
func New(t testing.TB, files map[string][]byte) *Hub {
	f := &Hub{t: t, Files: files, gets: map[string]int{}, bytes: map[string]int64{}}
	f.cdn = httptest.NewServer(http.HandlerFunc(f.serveCDN))
	f.hub = httptest.NewServer(http.HandlerFunc(f.serveHub))
	t.Cleanup(f.hub.Close)
	t.Cleanup(f.cdn.Close)
	return f
}

// URL returns the hub's address.
func (f *Hub) URL() string { return f.hub.URL }

// Gets returns how often the second host was asked for a file, and Sent how
// many bytes of it left.
func (f *Hub) Gets(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gets[path]
}

func (f *Hub) Sent(path string) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bytes[path]
}

func (f *Hub) serveHub(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Repo-Commit", Commit)
	if f.Token != "" && r.Header.Get("Authorization") != "Bearer "+f.Token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.URL.Path == "/api/models/"+Repo+"/revision/main" || r.URL.Path == "/api/models/"+Repo+"/revision/"+Commit {
		f.ServeListing(w, r)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/"+Repo+"/resolve/"+Commit+"/")
	data, there := f.Files[path]
	if !ok || !there {
		w.Header().Set("X-Error-Code", "RepoNotFound")
		w.Header().Set("X-Error-Message", "Repository not found")
		w.WriteHeader(http.StatusNotFound)
		return
	}
	name := BlobName(path, data)
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

// ServeListing is the answer of the API.
func (f *Hub) ServeListing(w http.ResponseWriter, r *http.Request) {
	if f.API != nil {
		f.API(w, r)
		return
	}
	type sibling map[string]any
	var all []sibling
	for path, data := range f.Files {
		s := sibling{"rfilename": path}
		if r.URL.Query().Get("blobs") == "true" {
			s["size"] = len(data)
			s["blobId"] = BlobName("", data)
			if lfs(path) {
				s["lfs"] = map[string]any{"sha256": BlobName(path, data), "size": len(data), "pointerSize": 134}
			}
		}
		all = append(all, s)
	}
	data, _ := json.Marshal(map[string]any{"_id": "x", "id": Repo, "sha": Commit, "siblings": all, "cardData": map[string]any{"license": "openrail++"}})
	if f.Listing != nil {
		data = f.Listing(data)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Write(data)
}

func (f *Hub) serveCDN(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if r.Header.Get("Authorization") != "" {
		f.t.Error("the second host was told the token")
	}
	if r.URL.Query().Get("signature") != "a/b" {
		f.t.Errorf("the signature became %q", r.URL.RawQuery)
	}
	f.mu.Lock()
	f.gets[path]++
	f.mu.Unlock()
	counted := &countingWriter{ResponseWriter: w}
	defer func() {
		f.mu.Lock()
		f.bytes[path] += counted.n
		f.mu.Unlock()
	}()
	if f.Serve != nil && f.Serve(counted, r, path) {
		return
	}
	w.Header().Set("Content-Type", "binary/octet-stream")
	w.Header().Set("ETag", `"not-a-hash-1"`)
	http.ServeContent(counted, r, "", time.Time{}, bytes.NewReader(f.Files[path]))
}

type countingWriter struct {
	http.ResponseWriter
	n int64
}

// Unwrap is for http.ResponseController.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.n += int64(n)
	return n, err
}

// Model has a file of every kind that the hub's model has, and their sizes
// in small; nobody can open it.
func Model() map[string][]byte {
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
		"unet/diffusion_pytorch_model.safetensors":             Noise(300_000, 1),
		"vae/diffusion_pytorch_model.safetensors":              Noise(50_000, 2),
		"vae/diffusion_pytorch_model.fp16.safetensors":         Noise(25_000, 3),
		"text_encoder/model.safetensors":                       Noise(60_000, 4),
		"text_encoder/model.fp16.safetensors":                  Noise(30_000, 5),
		"image_encoder/model.safetensors":                      Noise(60_000, 6),
		"image_normalizer/diffusion_pytorch_model.safetensors": Noise(600, 7),
	}
	for _, part := range []string{"image_encoder", "image_normalizer", "text_encoder", "unet", "vae"} {
		files[part+"/config.json"] = []byte(`{"part":"` + part + `"}`)
	}
	return files
}

// Noise returns bytes that do not compress.
func Noise(n int, seed uint32) []byte {
	b := make([]byte, n)
	for i := range b {
		seed = seed*1664525 + 1013904223
		b[i] = byte(seed >> 24)
	}
	return b
}
