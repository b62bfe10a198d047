// Package hubtest runs a hub on this machine, for tests.
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

	"github.com/coclico/coclico/weights"
)

// The name and the revision of the model that a hub has, unless a test sets
// others.
const (
	Repo   = "someone/tiny-unclip"
	Commit = "0123456789abcdef0123456789abcdef01234567"
)

// lfs reports whether the hub keeps a file on its second host.
func lfs(path string) bool {
	return strings.HasSuffix(path, ".safetensors") || strings.HasSuffix(path, ".pth")
}

// BlobName returns the hash by which a file is named in the cache.
func BlobName(path string, data []byte) string {
	if lfs(path) {
		return fmt.Sprintf("%x", sha256.Sum256(data))
	}
	return fmt.Sprintf("%x", sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...)))
}

// A Hub behaves like the hub with one model: it has an API and small files, and
// redirects to a second host for large ones. Tests change its behavior through
// its fields.
type Hub struct {
	Repo, Commit string
	Files        map[string][]byte // by path
	Token        string            // if not empty, the first host demands it

	// Listing, if not nil, edits the answer of the API; API replaces it.
	Listing func([]byte) []byte
	API     http.HandlerFunc

	// Serve, if not nil, is called first for a file of the second host, and
	// reports whether it has answered.
	Serve func(w http.ResponseWriter, r *http.Request, path string) bool

	t        testing.TB
	hub, cdn *httptest.Server

	mu    sync.Mutex
	gets  map[string]int   // requests to the second host, by path
	bytes map[string]int64 // that it has sent
}

// New starts a hub with the given files, which is closed at the end of the
// test.
func New(t testing.TB, files map[string][]byte) *Hub {
	f := &Hub{t: t, Repo: Repo, Commit: Commit, Files: files, gets: map[string]int{}, bytes: map[string]int64{}}
	f.cdn = httptest.NewServer(http.HandlerFunc(f.serveCDN))
	f.hub = httptest.NewServer(http.HandlerFunc(f.serveHub))
	t.Cleanup(f.hub.Close)
	t.Cleanup(f.cdn.Close)
	return f
}

// URL returns the hub's address.
func (f *Hub) URL() string { return f.hub.URL }

// Gets returns the number of requests to the second host for a file.
func (f *Hub) Gets(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gets[path]
}

// Sent returns the number of bytes of a file that the second host has sent.
func (f *Hub) Sent(path string) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bytes[path]
}

func (f *Hub) serveHub(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Repo-Commit", f.Commit)
	if f.Token != "" && r.Header.Get("Authorization") != "Bearer "+f.Token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if revision, ok := strings.CutPrefix(r.URL.Path, "/api/models/"+f.Repo+"/revision/"); ok && (revision == "main" || revision == f.Commit) {
		if f.API != nil {
			f.API(w, r)
		} else {
			f.ServeListing(w, r)
		}
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/"+f.Repo+"/resolve/"+f.Commit+"/")
	data, exists := f.Files[path]
	if !ok || !exists {
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

// ServeListing answers a request to the API, if nothing replaces it.
func (f *Hub) ServeListing(w http.ResponseWriter, r *http.Request) {
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
	data, _ := json.Marshal(map[string]any{"_id": "x", "id": f.Repo, "sha": f.Commit, "siblings": all, "cardData": map[string]any{"license": "openrail++"}})
	if f.Listing != nil {
		data = f.Listing(data)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Write(data)
}

func (f *Hub) serveCDN(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if r.Header.Get("Authorization") != "" {
		f.t.Error("the second host was sent the token")
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

// Unwrap serves http.ResponseController.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.n += int64(n)
	return n, err
}

// Model returns the files of diffusers/stable-diffusion-2-1-unclip-i2i-l at the
// revision that the codec is made for: its listing, in which the weights have
// ten-thousandths of their sizes and nothing can be opened.
func Model() map[string][]byte {
	index := map[string]any{"_class_name": "StableUnCLIPImg2ImgPipeline", "_diffusers_version": "0.15.0.dev0"}
	files := map[string][]byte{
		"README.md":          []byte(card),
		".gitattributes":     []byte("*.bin filter=lfs\n"),
		"sd21-unclip-l.ckpt": make([]byte, 5000),
	}
	for i, p := range weights.Parts() {
		if p == weights.PromptEmbeds {
			continue
		}
		index[string(p)] = []string{"diffusers", "Something"}
		for _, name := range p.Texts() {
			files[string(p)+"/"+name] = text(p, name)
		}
		size, ok := sizes[p]
		if !ok {
			continue
		}
		stem := string(p) + "/" + strings.TrimSuffix(p.WeightFile(), ".safetensors")
		files[stem+".safetensors"] = Noise(size.float32, uint32(2*i))
		files[stem+".fp16.safetensors"] = Noise(size.float16, uint32(2*i+1))
		files[stem+".fp16.bin"] = make([]byte, size.float16)
	}
	files["model_index.json"], _ = json.Marshal(index)
	return files
}

// sizes are those of the weights in ten-thousandths, except the normalizer's,
// and those of the configurations, where the listing has them.
var sizes = map[weights.Part]struct{ float16, float32, config int }{
	weights.ImageEncoder:    {60_800, 122_000, 565},
	weights.ImageNormalizer: {3_240, 6_310, 155},
	weights.TextEncoder:     {68_100, 136_000, 0},
	weights.UNet:            {174_000, 348_000, 1320},
	weights.VAE:             {16_700, 33_500, 610},
}

// text returns a file that is unique and of the size that it has in the
// listing.
func text(p weights.Part, name string) []byte {
	b := fmt.Appendf(nil, `{"part":%q,"name":%q}`, p, name)
	return append(b, bytes.Repeat([]byte(" "), max(0, sizes[p].config-len(b)))...)
}

// card is a model card with what such a card says about its license.
const card = `---
license: openrail++
tags:
- stable-diffusion
---

# Stable unCLIP

This model is a tiny one.

- **License:** [CreativeML Open RAIL++-M License](https://example.com/LICENSE-MODEL)
- **Language(s):** English

## Uses

It is meant for research.

### Misuse and Malicious Use

Using the model to generate content that is **cruel** to individuals is a misuse of this model.

## Training

It was not trained.
`

// Noise returns bytes that do not compress.
func Noise(n int, seed uint32) []byte {
	b := make([]byte, n)
	for i := range b {
		seed = seed*1664525 + 1013904223
		b[i] = byte(seed >> 24)
	}
	return b
}
