package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

// TestOffline: after the first visit the site works without a server.
func TestOffline(t *testing.T) {
	p := newProfile(t)
	server := static(t)
	b := p.open(server.URL + "/" + link(t, 1, quick))
	b.cached()
	server.Close()
	again := p.open(server.URL + "/" + link(t, 2, quick))
	again.painting()
	if n := eval[int](again, done); n != 2 {
		t.Errorf("%d pictures are painted, not 2", n)
	}
}

// cached waits until a browser has all of the site.
func (b *tab) cached() {
	b.t.Helper()
	eval[bool](b, `navigator.serviceWorker.ready.then(() => true)`)
	b.painting()
}

// TestTwoSites: two sites of one host, of different versions, both work without
// it.
func TestTwoSites(t *testing.T) {
	all, err := files()
	if err != nil {
		t.Fatal(err)
	}
	var l list
	if err := json.Unmarshal(all[listFile], &l); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	dirs := []string{"/one/", "/two/"}
	for _, dir := range dirs {
		fsys := fstest.MapFS{}
		for name, data := range all {
			fsys[name] = &fstest.MapFile{Data: data}
		}
		version := []byte(l.Version + dir[1:4])
		fsys[listFile] = &fstest.MapFile{Data: bytes.ReplaceAll(all[listFile], []byte(l.Version), version)}
		mux.Handle(dir, http.StripPrefix(dir, http.FileServerFS(fsys)))
	}
	server := httptest.NewServer(strict(mux))
	defer server.Close()
	p := newProfile(t)
	// Sites of one host share their works: each link is another one.
	for i, dir := range dirs {
		p.open(server.URL + dir + link(t, i, quick)).cached()
	}
	server.Close()
	for i, dir := range dirs {
		p.open(server.URL + dir + link(t, 10+i, quick)).painting()
	}
}
