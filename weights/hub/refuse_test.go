package hub_test

import (
	"bytes"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coclico/coclico/weights/hub"
	"github.com/coclico/coclico/weights/hub/hubtest"
)

// TestRefusals: each is one clear error, and nothing is left under a blob's
// name.
func TestRefusals(t *testing.T) {
	send := func(data []byte) func(w http.ResponseWriter, r *http.Request, path string) bool {
		return func(w http.ResponseWriter, r *http.Request, path string) bool {
			if path == unet {
				w.Header().Set("Content-Type", "binary/octet-stream")
				w.Write(data)
			}
			return path == unet
		}
	}
	status := func(code int, reason string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Error-Code", reason)
			w.WriteHeader(code)
		}
	}
	html := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte("<html>please log in to the café's network"))
	}
	for _, test := range []struct {
		name  string
		set   func(f *hubtest.Hub)
		words string
	}{
		{"wrong bytes", func(f *hubtest.Hub) { f.Serve = send(hubtest.Noise(unetSize, 77)) }, "hash"},
		{"fewer bytes", func(f *hubtest.Hub) { f.Serve = send(hubtest.Noise(1000, 77)) }, "sends 1000 bytes, not the promised 174000"},
		{"more bytes", func(f *hubtest.Hub) { f.Serve = send(hubtest.Noise(unetSize+1, 77)) }, "hash"},
		{"a page in place of a file", func(f *hubtest.Hub) {
			f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool { html(w, r); return true }
		}, "web page"},
		{"a page in place of the listing", func(f *hubtest.Hub) { f.API = html }, "web page"},
		{"401", func(f *hubtest.Hub) { f.API = status(401, "") }, "HF_TOKEN"},
		{"403", func(f *hubtest.Hub) { f.API = status(403, "GatedRepo") }, "terms"},
		{"404", func(f *hubtest.Hub) { f.API = status(404, "RepoNotFound") }, "no such model"},
		{"no revision", func(f *hubtest.Hub) { f.API = status(404, "RevisionNotFound") }, "no such revision"},
		{"503", func(f *hubtest.Hub) { f.API = status(503, "") }, "503"},
		{"redirects in a circle", func(f *hubtest.Hub) {
			f.API = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }
		}, "too many redirects"},
		{"redirect to a file", func(f *hubtest.Hub) {
			f.API = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
			}
		}, "redirects to"},
		{"not JSON", func(f *hubtest.Hub) { f.Listing = func([]byte) []byte { return []byte("{") } }, "listing"},
		{"a listing without end", func(f *hubtest.Hub) {
			f.API = func(w http.ResponseWriter, r *http.Request) {
				for i := 0; i < 1<<14; i++ {
					if _, err := w.Write(make([]byte, 1<<10)); err != nil {
						return
					}
				}
			}
		}, "more than"},
		{"a name that leads out", func(f *hubtest.Hub) {
			f.Listing = func(b []byte) []byte {
				return bytes.Replace(b, []byte("unet/config.json"), []byte("../../../config.json"), 1)
			}
		}, "not a path inside a model"},
		{"a hash that leads out", func(f *hubtest.Hub) {
			f.Listing = func(b []byte) []byte {
				return bytes.ReplaceAll(b, []byte(hubtest.BlobName(unet, f.Files[unet])), []byte("../../../../x"))
			}
		}, "hash"},
		{"a size beyond all", func(f *hubtest.Hub) {
			f.Listing = func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("174000"), []byte("9007199254740993")) }
		}, "a size of 9007199254740993 bytes"},
		{"no room", func(f *hubtest.Hub) {
			f.Listing = func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("174000"), []byte("1000000000000")) }
		}, "GB are free"},
		{"another pipeline", func(f *hubtest.Hub) { f.Files["model_index.json"] = []byte(`{"_class_name":"FluxPipeline"}`) }, "FluxPipeline"},
		{"no model", func(f *hubtest.Hub) { delete(f.Files, "model_index.json") }, "not a diffusers model"},
		{"no safetensors", func(f *hubtest.Hub) {
			delete(f.Files, unet)
			delete(f.Files, "unet/diffusion_pytorch_model.safetensors")
		}, "no safetensors file of its unet"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newHub(t)
			test.set(f)
			c := client(f, t)
			_, _, err := pull(c, hub.Everything)
			if err == nil || !strings.Contains(err.Error(), test.words) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "signature") {
				t.Errorf("error %q, not one with %q", err, test.words)
			}
			blob := filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "blobs", hubtest.BlobName(unet, f.Files[unet]))
			if _, err := os.Stat(blob); err == nil {
				t.Error("a blob exists")
			}
		})
	}
}

func TestNoNetwork(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	c := &hub.Client{Endpoint: "http://" + address, Cache: hub.Cache(t.TempDir()), Transport: &http.Transport{}, Pause: noPause(t)}
	if _, _, err := pull(c, hub.Everything); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("error %v", err)
	}
	c.Offline = true
	if _, _, err := pull(c, hub.Everything); err == nil || !strings.Contains(err.Error(), "HF_HUB_OFFLINE") {
		t.Errorf("error %v", err)
	}
}

// noPause returns a pause of clients that give up at once.
func noPause(t *testing.T) func(int) time.Duration {
	return func(n int) time.Duration {
		t.Errorf("attempt %d is not the last", n)
		return time.Millisecond
	}
}

// TestProxyDown: the error names the proxy, and comes at once.
func TestProxyDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy := &url.URL{Scheme: "http", Host: l.Addr().String()}
	l.Close()
	c := &hub.Client{Endpoint: "https://hub.example", Cache: hub.Cache(t.TempDir()), Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}, Pause: noPause(t)}
	if _, _, err := pull(c, hub.Everything); err == nil || !strings.Contains(err.Error(), "the proxy") || !strings.Contains(err.Error(), proxy.Host) {
		t.Errorf("error %v", err)
	}
}

// TestRedirects: so many are followed as SECURITY.md has, and no more.
func TestRedirects(t *testing.T) {
	for _, c := range []struct {
		redirects int
		err       string
	}{{6, ""}, {7, "too many redirects"}} {
		f := newHub(t)
		f.API = func(w http.ResponseWriter, r *http.Request) {
			query := r.URL.Query() // which counts, so that a request may come twice
			done, _ := strconv.Atoi(query.Get("redirects"))
			if done == c.redirects {
				f.ServeListing(w, r)
				return
			}
			query.Set("redirects", strconv.Itoa(done+1))
			http.Redirect(w, r, r.URL.Path+"?"+query.Encode(), http.StatusFound)
		}
		_, _, err := pull(client(f, t), hub.Everything)
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%d redirects: %v", c.redirects, err)
		}
	}
}

// TestSecondHostRefuses: its refusal has nothing to do with terms or a token.
func TestSecondHostRefuses(t *testing.T) {
	f := newHub(t)
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	if _, _, err := pull(client(f, t), hub.Everything); err == nil || !strings.HasSuffix(err.Error(), "answers 403 Forbidden") {
		t.Errorf("error %v", err)
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
		t.Error("Refused is false")
	}
}

// TestRefused: a hub that does not give a model is not a hub that is busy or
// cannot be reached.
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
