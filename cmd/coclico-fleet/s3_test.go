package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/coclico/coclico/cmd/internal/process"
)

// A faultyStore fails every seventh write, in turn before and after it is done.
type faultyStore struct {
	http.Handler
	puts, failed atomic.Int64
}

func (f *faultyStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/_") { // a bucket is made by a PUT too
		f.Handler.ServeHTTP(w, r)
		return
	}
	if f.puts.Add(1)%7 != 0 {
		f.Handler.ServeHTTP(w, r)
		return
	}
	if f.failed.Add(1)%2 == 0 {
		f.Handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	http.Error(w, "<Error><Code>InternalError</Code></Error>", http.StatusInternalServerError)
}

// TestFaultyStore does a job in an object store whose writes fail, some of them
// after they were done, one worker being killed besides.
func TestFaultyStore(t *testing.T) {
	t.Parallel()
	r := random(t)
	backend := s3mem.New()
	if err := backend.CreateBucket("fleet"); err != nil {
		t.Fatal(err)
	}
	store := &faultyStore{Handler: gofakes3.New(backend).Server()}
	server := httptest.NewServer(store)
	defer server.Close()
	out := "s3://fleet/some/where?use_path_style=true&disable_https=true&endpoint=" + server.URL
	call(t, process.OK, "plan", pictures, out, "--chunk", "10")
	s := newStation(t, out)
	one, two := s.worker(s.address), s.worker(s.address)
	two.until(begins, 1+r.IntN(3))
	two.kill()
	s.finish(all, one)
	if store.failed.Load() < 2 {
		t.Errorf("%d of %d writes failed: the test is void", store.failed.Load(), store.puts.Load())
	}
	call(t, process.OK, "merge", out)
}
