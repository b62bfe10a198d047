package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// behind returns the address of a proxy of a server. It asks fault first, which
// reports whether it has answered a request itself.
func behind(t *testing.T, address string, fault func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		if r.Out.Header.Get("Origin") != "" {
			r.Out.Header.Set("Origin", strings.TrimSuffix(address, "/"))
		}
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !fault(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.CloseClientConnections) // events have no end
	return server.URL + "/"
}

// TestServerAway: a server that is away for a moment is asked again, at each of
// the page's requests; what is dropped meanwhile is taken when it is back.
func TestServerAway(t *testing.T) {
	var failed sync.Map
	var back atomic.Bool
	date := func() string { return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) }
	b := newProfile(t).visit(behind(t, serve(t), func(w http.ResponseWriter, r *http.Request) bool {
		parts := strings.Split(r.URL.Path, "/")
		if parts[1] != "v1" {
			return false
		}
		switch _, again := failed.LoadOrStore(r.Method+" "+parts[2], true); {
		case again && back.Load():
			return false
		case r.Method == http.MethodPost:
			w.Header().Set("Retry-After", date())
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<h1>Bad Gateway</h1>")
		return true
	}))
	b.until(`/does not answer now/.test(document.querySelector('#where').textContent)`)
	b.drop(river)
	back.Store(true)
	b.painting()
	for _, kind := range []string{"GET info", "POST encode", "POST decodes", "GET decodes"} {
		if _, ok := failed.Load(kind); !ok {
			t.Errorf("%s has not failed", kind)
		}
	}
}

// TestServerBroken: a page that cannot work says why.
func TestServerBroken(t *testing.T) {
	b := newProfile(t).visit(behind(t, serve(t), func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/info" {
			return false
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"detail": "the disk is broken"}`)
		return true
	}))
	b.until(`document.querySelector('#where').textContent === 'This page cannot work: the disk is broken.'`)
}

// TestCancelAway: Cancel is heard while the page waits for a server.
func TestCancelAway(t *testing.T) {
	b := newProfile(t).open(behind(t, serve(t), func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/v1/decodes/") {
			return false
		}
		w.Header().Set("Retry-After", "1000")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}))
	b.drop(river)
	b.until(`/busy or away/.test(document.querySelector('#open .state')?.textContent)`)
	b.do(chromedp.Click("#open .cancel"))
	b.until(work + `.dataset.state === 'canceled'`)
}

// TestRefused: what a server refuses for good fails with its reason.
func TestRefused(t *testing.T) {
	b := newProfile(t).open(behind(t, serve(t), func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/encode" {
			return false
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"title": "There is too little memory", "detail": "too little memory for it"}`)
		return true
	}))
	b.drop(river)
	b.until(`/It failed: too little memory for it/.test(document.querySelector('#open .state')?.textContent)`)
}

// TestServerRestarts: what is dropped while a server restarts, with no proxy that
// answers for it, is taken when it is back. What is never answered fails.
func TestServerRestarts(t *testing.T) {
	var away atomic.Int32
	b := newProfile(t).open(behind(t, serve(t), func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v1/encode" && away.Add(-1) >= 0 {
			panic(http.ErrAbortHandler)
		}
		return false
	}))
	away.Store(1)
	b.drop(river)
	b.painting()
	away.Store(1000)
	b.drop(dusk)
	b.until(`/It failed: the server does not answer/.test(document.querySelector('#open .state')?.textContent)`)
	if n := 1000 - away.Load(); n < 2 || n > 50 {
		t.Errorf("it is sent %d times", n)
	}
}
