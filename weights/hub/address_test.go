package hub_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coclico/coclico/weights/hub"
	"github.com/coclico/coclico/weights/hub/hubtest"
)

// TestPullAddress: a file from outside the hub comes without the token, resumes,
// and nothing but its promised bytes gets its name.
func TestPullAddress(t *testing.T) {
	f := newHub(t)
	data := hubtest.Noise(100_000, 5)
	var sent, requests atomic.Int64
	cut := 60_000
	served := data
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Header.Get("Authorization") != "" {
			t.Error("another host was sent the token")
		}
		if r.URL.Path != "/net.pth" {
			http.NotFound(w, r)
			return
		}
		counted := &sum{w, &sent}
		if cut > 0 {
			http.ServeContent(&cutting{counted, cut}, r, "", time.Time{}, bytes.NewReader(served))
			return
		}
		http.ServeContent(counted, r, "", time.Time{}, bytes.NewReader(served))
	}))
	defer other.Close()
	c := client(f, t)
	c.Token = "secret"
	file := hub.File{Path: "net.pth", Size: int64(len(data)), Hash: fmt.Sprintf("%x", sha256.Sum256(data))}
	path := filepath.Join(t.TempDir(), "metrics", "net.pth")
	pull := func() (done int64, err error) {
		err = c.PullAddress(context.Background(), other.URL+"/net.pth", file, path, func(n int64) { done = n })
		return done, err
	}
	if done, err := pull(); err != nil || done != file.Size {
		t.Fatalf("%d bytes: %v", done, err)
	}
	if n := sent.Load(); n > int64(len(data)+lost) {
		t.Errorf("%d bytes sent of a file of %d: the download did not resume", n, len(data))
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("other bytes came: %v", err)
	}
	if rest := readTree(t, filepath.Dir(path)); strings.Join(rest, " ") != "net.pth" {
		t.Errorf("the folder has %v", rest)
	}
	before := requests.Load()
	if _, err := pull(); err != nil || requests.Load() != before {
		t.Errorf("again: %d requests, %v", requests.Load()-before, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	cut = 0
	for name, bad := range map[string][]byte{"hash": hubtest.Noise(len(data), 6), "not the promised 100000": data[:50_000]} {
		served = bad
		if _, err := pull(); err == nil || !strings.Contains(err.Error(), name) || !strings.HasPrefix(err.Error(), "net.pth: ") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the file exists (%v)", name, err)
		}
	}
	if err := c.PullAddress(context.Background(), other.URL+"/none.pth", file, path, nil); err == nil || !strings.Contains(err.Error(), "404 Not Found") || strings.Contains(err.Error(), "model") {
		t.Errorf("a file that does not exist: %v", err)
	}
	c.Offline = true
	if _, err := pull(); err == nil || !strings.Contains(err.Error(), "HF_HUB_OFFLINE") {
		t.Errorf("offline: %v", err)
	}
}

// A sum counts the bytes of an answer's body.
type sum struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (s *sum) Write(p []byte) (int, error) {
	n, err := s.ResponseWriter.Write(p)
	s.n.Add(int64(n))
	return n, err
}

// TestRoomForTheRest: only what is left of a download must fit on the disk.
func TestRoomForTheRest(t *testing.T) {
	c := client(newHub(t), t)
	file := hub.File{Path: "net.pth", Size: 1 << 40, Hash: strings.Repeat("0", 64)}
	path := filepath.Join(t.TempDir(), "net.pth")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.PullAddress(ctx, "http://hub.example/net.pth", file, path, nil); err == nil || !strings.Contains(err.Error(), "GB are free") {
		t.Skip("more room than a terabyte: ", err)
	}
	part := path + ".incomplete"
	if err := errors.Join(os.WriteFile(part, nil, 0o666), os.Truncate(part, file.Size-10)); err != nil {
		t.Skip(err) // no file with holes
	}
	if err := c.PullAddress(ctx, "http://hub.example/net.pth", file, path, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
