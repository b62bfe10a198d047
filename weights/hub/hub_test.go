package hub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coclico/coclico/weights/hub"
	"github.com/coclico/coclico/weights/hub/hubtest"
)

func newHub(t *testing.T) *hubtest.Hub { return hubtest.New(t, hubtest.Model()) }

// client has a cache of its own and little patience.
func client(f *hubtest.Hub, t *testing.T) *hub.Client {
	return &hub.Client{Endpoint: f.URL(), Cache: hub.Cache(t.TempDir()), Transport: &http.Transport{},
		Stall: 300 * time.Millisecond, Pause: func(int) time.Duration { return time.Millisecond }}
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

// want are the files that a pull of everything gets.
var want = []string{
	"README.md", "feature_extractor/preprocessor_config.json", "image_encoder/config.json", "image_encoder/model.fp16.safetensors",
	"image_noising_scheduler/scheduler_config.json", "image_normalizer/config.json", "image_normalizer/diffusion_pytorch_model.fp16.safetensors",
	"model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json", "text_encoder/model.fp16.safetensors",
	"tokenizer/merges.txt", "tokenizer/special_tokens_map.json", "tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json", "tokenizer/vocab.json",
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

// TestCached: what Python has of another precision serves as well.
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
		t.Errorf("the VAE was downloaded although it was there: %v", got)
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
		t.Error("an index that leads out of its folder is believed")
	}
}

// TestMirror: some listings have names alone.
func TestMirror(t *testing.T) {
	f := newHub(t)
	f.API = func(w http.ResponseWriter, r *http.Request) {
		r.URL.RawQuery, f.API = "", nil
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

// cutAfter serves the first n bytes of what is asked for and hangs up.
func cutAfter(f *hubtest.Hub, n int) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, r *http.Request, path string) bool {
		if path != unet {
			return false
		}
		http.ServeContent(&cutting{w, n}, r, "", time.Time{}, bytes.NewReader(f.Files[path]))
		return true
	}
}

// lost bounds the bytes that a server has counted and not sent when it hangs
// up, in all cuts of a test.
const lost = 9 * 4096

type cutting struct {
	http.ResponseWriter
	left int
}

func (c *cutting) Write(p []byte) (int, error) {
	if len(p) > c.left {
		c.ResponseWriter.Write(p[:c.left])
		panic(http.ErrAbortHandler)
	}
	c.left -= len(p)
	return c.ResponseWriter.Write(p)
}

// TestCuts: a connection that is cut again and again, but gets further, is not
// given up, and no byte comes twice.
func TestCuts(t *testing.T) {
	f := newHub(t)
	f.Serve = cutAfter(f, 40_000)
	mustPull(t, client(f, t))
	if n := f.Sent(unet); n > int64(len(f.Files[unet]))+lost {
		t.Errorf("%d bytes sent of a file of %d", n, len(f.Files[unet]))
	}
	if n := f.Gets(unet); n < 5 || n > 6 {
		t.Errorf("%d requests", n)
	}
}

// TestResume: a download that was given up goes on with the next pull.
func TestResume(t *testing.T) {
	f := newHub(t)
	const (
		cut = iota
		dead
		well
	)
	var state atomic.Int32
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if path != unet || state.Load() == well {
			return false
		}
		if state.Swap(dead) == dead {
			panic(http.ErrAbortHandler)
		}
		return cutAfter(f, 100_000)(w, r, path)
	}
	c := client(f, t)
	if _, _, err := pull(c, hub.Everything); err == nil || !strings.Contains(err.Error(), unet) {
		t.Fatalf("error %v", err)
	}
	state.Store(well)
	p, _ := mustPull(t, c)
	if n := f.Sent(unet); n > int64(len(f.Files[unet]))+lost {
		t.Errorf("%d bytes sent of a file of %d", n, len(f.Files[unet]))
	}
	if p.Left() > unetSize-100_000+lost {
		t.Errorf("%d bytes are said to be missing", p.Left())
	}
}

// TestResumeOnOtherBytes: what lies there is not what the hub has.
func TestResumeOnOtherBytes(t *testing.T) {
	f := newHub(t)
	for _, left := range [][]byte{hubtest.Noise(1000, 99), hubtest.Noise(400_000, 99), hubtest.Noise(unetSize, 99)} {
		c := client(f, t)
		part := filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "blobs", hubtest.BlobName(unet, f.Files[unet])+".incomplete")
		if err := errors.Join(os.MkdirAll(filepath.Dir(part), 0o777), os.WriteFile(part, left, 0o666)); err != nil {
			t.Fatal(err)
		}
		_, dir := mustPull(t, c)
		if got, _ := os.ReadFile(filepath.Join(dir, unet)); !bytes.Equal(got, f.Files[unet]) {
			t.Errorf("with %d other bytes: wrong file", len(left))
		}
	}
}

// TestNoRanges: a server that sends everything from the start.
func TestNoRanges(t *testing.T) {
	f := newHub(t)
	first := true
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		r.Header.Del("Range")
		if path == unet && first {
			first = false
			return cutAfter(f, 100_000)(w, r, path)
		}
		return false
	}
	_, dir := mustPull(t, client(f, t))
	if got, _ := os.ReadFile(filepath.Join(dir, unet)); !bytes.Equal(got, f.Files[unet]) {
		t.Error("wrong file")
	}
}

// TestBusy: a server that has no time for once is asked again.
func TestBusy(t *testing.T) {
	f := newHub(t)
	var asked atomic.Int32
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if asked.Add(1) > 3 {
			return false
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader([]int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable}[asked.Load()%3])
		return true
	}
	mustPull(t, client(f, t))
}

// TestRefusals: each is one clear error, nothing is left under a blob's name.
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
		{"fewer bytes", func(f *hubtest.Hub) { f.Serve = send(hubtest.Noise(1000, 77)) }, "sends 1000 bytes, the hub lists 174000"},
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
				t.Error("a blob is there")
			}
		})
	}
}

// TestSlow: a server that stops in the middle is left, and the rest asked for
// again; one that never says anything is an error.
func TestSlow(t *testing.T) {
	f := newHub(t)
	first := true
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if path != unet || !first {
			return false
		}
		first = false
		w.Header().Set("Content-Length", fmt.Sprint(unetSize))
		w.Write(f.Files[path][:50_000])
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	}
	mustPull(t, client(f, t))
	if n := f.Sent(unet); n != unetSize {
		t.Errorf("%d bytes sent", n)
	}
	f.API = func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	c := client(f, t)
	c.Stall = 30 * time.Millisecond
	if _, _, err := pull(c, hub.Everything); err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("error %v", err)
	}
}

// TestDrip: a byte now and then is nothing.
func TestDrip(t *testing.T) {
	f := newHub(t)
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		for path == unet && r.Context().Err() == nil {
			w.Write([]byte("x"))
			http.NewResponseController(w).Flush()
			time.Sleep(time.Millisecond)
		}
		return path == unet
	}
	c := client(f, t)
	c.Stall = 30 * time.Millisecond
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	p, err := c.Plan(ctx, repo, "main", hub.Everything)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Pull(ctx, p, nil); err == nil || ctx.Err() != nil || time.Since(start) > 2*time.Second {
		t.Errorf("error %v", err)
	}
	if f.Gets(unet) != 5 {
		t.Errorf("%d connections", f.Gets(unet))
	}
}

func TestNoNetwork(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	c := &hub.Client{Endpoint: "http://" + address, Cache: hub.Cache(t.TempDir()), Transport: &http.Transport{}}
	start := time.Now()
	if _, _, err := pull(c, hub.Everything); err == nil || !strings.Contains(err.Error(), "cannot be reached") || time.Since(start) > 3*time.Second {
		t.Errorf("error %v", err)
	}
	c.Offline = true
	if _, _, err := pull(c, hub.Everything); err == nil || !strings.Contains(err.Error(), "HF_HUB_OFFLINE") {
		t.Errorf("error %v", err)
	}
}

// TestTwoPulls: both end well, and each file comes once.
func TestTwoPulls(t *testing.T) {
	f := newHub(t)
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		time.Sleep(50 * time.Millisecond)
		return false
	}
	a := client(f, t)
	b := client(f, t)
	b.Cache = a.Cache
	var wg sync.WaitGroup
	for _, c := range []*hub.Client{a, b, a} {
		wg.Go(func() {
			if _, _, err := pull(c, hub.Everything); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, path := range want {
		if n := f.Gets(path); n > 1 {
			t.Errorf("%s came %d times", path, n)
		}
	}
}

// TestInterrupt: what came stays for the next pull.
func TestInterrupt(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	c.Stall = time.Minute
	ctx, cancel := context.WithCancel(context.Background())
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if path != unet {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(unetSize))
		w.Write(f.Files[path][:50_000])
		http.NewResponseController(w).Flush()
		part := filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "blobs", hubtest.BlobName(unet, f.Files[unet])+".incomplete")
		for range 1000 { // until the client has written them
			if info, err := os.Stat(part); err == nil && info.Size() == 50_000 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
		<-r.Context().Done()
		return true
	}
	p, err := c.Plan(ctx, repo, "main", hub.Everything)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Pull(ctx, p, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	p, err = c.Plan(context.Background(), repo, "main", hub.Everything)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range p.Files {
		if item.Path == unet && item.Have != 50_000 {
			t.Errorf("%d bytes of the UNet are there", item.Have)
		}
	}
}

func TestVerifyAndRemove(t *testing.T) {
	for name, noSymlinks := range map[string]bool{"symbolic links": false, "hard links": true} {
		t.Run(name, func(t *testing.T) { verifyAndRemove(t, noSymlinks) })
	}
}

func verifyAndRemove(t *testing.T, noSymlinks bool) {
	f := newHub(t)
	c := client(f, t)
	c.NoSymlinks = noSymlinks
	_, dir := mustPull(t, c)
	blob := filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "blobs", hubtest.BlobName(unet, f.Files[unet]))
	if err := os.WriteFile(blob, hubtest.Noise(unetSize, 55), 0o666); err != nil {
		t.Fatal(err)
	}
	checks, err := hub.Verify(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range checks {
		if check.Right != (check.Path != unet) {
			t.Errorf("%+v", check)
		}
	}
	for _, check := range checks {
		if check.Right {
			continue
		}
		for _, file := range check.Files {
			if err := os.Remove(file); err != nil {
				t.Error(err)
			}
		}
	}
	mustPull(t, c) // what was deleted comes again
	if got, _ := os.ReadFile(filepath.Join(dir, unet)); !bytes.Equal(got, f.Files[unet]) {
		t.Error("still the wrong file")
	}
	if repos, err := c.Cache.Repos(); err != nil || !slices.Equal(repos, []hub.Repo{repo}) {
		t.Errorf("repos %v (%v)", repos, err)
	}
	if n, whole := c.Cache.Size(repo), sizeOf(f); n != whole {
		t.Errorf("size %d, not %d", n, whole)
	}
	if err := c.Cache.Remove(repo); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Cache.Folder(repo, "main"); !errors.Is(err, hub.ErrNotThere) {
		t.Errorf("error %v", err)
	}
	if err := c.Cache.Remove(repo); !errors.Is(err, hub.ErrNotThere) {
		t.Errorf("error %v", err)
	}
}

// sizeOf returns what a pull of everything takes on the disk: each blob, and
// the ref.
func sizeOf(f *hubtest.Hub) int64 {
	blobs := map[string]int{}
	for _, name := range want {
		blobs[hubtest.BlobName(name, f.Files[name])] = len(f.Files[name])
	}
	total := len(hubtest.Commit)
	for _, n := range blobs {
		total += n
	}
	return int64(total)
}

// TestReadOnly: a cache that has everything need not be written. (That there is
// no place for locks stands for permissions, which root does not have to ask.)
func TestReadOnly(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	_, dir := mustPull(t, c)
	locks := filepath.Join(string(c.Cache), ".locks")
	if err := errors.Join(os.RemoveAll(locks), os.WriteFile(locks, nil, 0o444)); err != nil {
		t.Fatal(err)
	}
	if _, again, err := pull(c, hub.Everything); err != nil || again != dir {
		t.Errorf("%s, %v", again, err)
	}
}

// TestLinkInTheWay: nothing is written through a link that has the name of a
// download, and one in the place of a model is not deleted.
func TestLinkInTheWay(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	base := filepath.Join(string(c.Cache), "models--someone--tiny-unclip")
	part := filepath.Join(base, "blobs", hubtest.BlobName(unet, f.Files[unet])+".incomplete")
	mine := filepath.Join(t.TempDir(), "mine")
	if err := errors.Join(os.MkdirAll(filepath.Dir(part), 0o777), os.WriteFile(mine, []byte("mine"), 0o666)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(mine, part); err != nil {
		t.Skip(err)
	}
	_, dir := mustPull(t, c)
	if got, _ := os.ReadFile(filepath.Join(dir, unet)); !bytes.Equal(got, f.Files[unet]) {
		t.Error("wrong file")
	}
	if got, _ := os.ReadFile(mine); string(got) != "mine" {
		t.Errorf("%d bytes written through the link", len(got))
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := errors.Join(os.Rename(base, elsewhere), os.Symlink(elsewhere, base)); err != nil {
		t.Fatal(err)
	}
	if repos, err := c.Cache.Repos(); err != nil || len(repos) != 1 {
		t.Errorf("repos %v (%v)", repos, err)
	}
	if names, err := hub.Readable(dir); err != nil || len(names) != len(want) {
		t.Errorf("%d files (%v)", len(names), err)
	}
	if err := c.Cache.Remove(repo); err == nil || !strings.Contains(err.Error(), "is a link") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, unet)); err != nil {
		t.Error(err)
	}
}

// TestVerifyGone: a link to nothing is a finding, not the end.
func TestVerifyGone(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	_, dir := mustPull(t, c)
	if err := os.Remove(filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "blobs", hubtest.BlobName(unet, f.Files[unet]))); err != nil {
		t.Fatal(err)
	}
	checks, err := hub.Verify(context.Background(), dir, nil)
	if err != nil || len(checks) != len(want) {
		t.Fatalf("%d files, %v", len(checks), err)
	}
	for _, check := range checks {
		if check.Gone != (check.Path == unet) {
			t.Errorf("%+v", check)
		}
	}
}

// TestReadableThroughLinks: parts may lie elsewhere.
func TestReadableThroughLinks(t *testing.T) {
	dir, vae := t.TempDir(), t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(vae, "config.json"), nil, 0o666), os.WriteFile(filepath.Join(dir, "README.md"), nil, 0o666), os.Mkdir(filepath.Join(dir, "no.json"), 0o777)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(vae, filepath.Join(dir, "vae")); err != nil {
		t.Skip(err)
	}
	if names, err := hub.Readable(dir); err != nil || !slices.Equal(names, []string{"README.md", "vae/config.json"}) {
		t.Errorf("%v, %v", names, err)
	}
	if _, err := hub.Readable(filepath.Join(dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestProxyDown: it is the proxy's name that helps, and waiting does not.
func TestProxyDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy := &url.URL{Scheme: "http", Host: l.Addr().String()}
	l.Close()
	c := &hub.Client{Endpoint: "https://hub.example", Cache: hub.Cache(t.TempDir()), Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
	start := time.Now()
	if _, _, err := pull(c, hub.Everything); err == nil || !strings.Contains(err.Error(), "the proxy") || !strings.Contains(err.Error(), proxy.Host) || time.Since(start) > 3*time.Second {
		t.Errorf("error %v", err)
	}
}

// TestSecondHostRefuses: such a host knows no terms and no token.
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

// TestCopies: where there are no links a snapshot has copies, which are not
// made anew by each pull.
func TestCopies(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	_, dir := mustPull(t, c)
	file := filepath.Join(dir, unet)
	if err := errors.Join(os.Remove(file), os.WriteFile(file, f.Files[unet], 0o666)); err != nil {
		t.Fatal(err)
	}
	before, err := os.Lstat(file)
	if err != nil {
		t.Fatal(err)
	}
	mustPull(t, c)
	if after, err := os.Lstat(file); err != nil || !os.SameFile(before, after) {
		t.Errorf("another file (%v)", err)
	}
}
