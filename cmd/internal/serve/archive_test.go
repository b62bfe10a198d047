package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/search"
	"github.com/coclico/coclico/weights/mini"
)

// withArchive returns a change of the configuration: an archive of n pictures,
// with a row that has none.
func withArchive(t *testing.T, n int) func(*Config) {
	change, _ := withArchiveIn(t, t.TempDir(), n)
	return change
}

// withArchiveIn is withArchive in a folder. Write adds a picture to it, and makes
// one shard of all if compact is set.
func withArchiveIn(t *testing.T, dir string, n int) (change func(*Config), write func(name string, compact bool)) {
	t.Helper()
	source := start(t, nil)
	add := func(compact bool, rows ...*archive.Row) {
		t.Helper()
		w, err := archive.NewWriter(dir, &archive.Options{Origin: archive.Origin{Fingerprint: "904e1edc"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if err := w.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		if compact {
			err = w.Compact(t.Context(), nil)
		}
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	picture := func(name string, i int) *archive.Row {
		return &archive.Row{Name: name, Data: source.encode(i, ""), Width: 96, Height: 64}
	}
	var rows []*archive.Row
	for i := range n {
		rows = append(rows, picture(fmt.Sprintf("sea/%04d.png", i), i))
	}
	add(false, append(rows, &archive.Row{Name: "sea/broken.png", Error: "cut short"})...)
	c, err := codec.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	prior, err := c.Prior()
	if err != nil {
		t.Fatal(err)
	}
	view := func(ctx context.Context) (*View, error) {
		a, err := archive.Open(dir)
		if err != nil {
			return nil, err
		}
		set, err := search.Open(ctx, a, prior, search.Options{Dir: filepath.Join(dir, search.Folder)})
		return &View{a, set}, err
	}
	v, err := view(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return func(c *Config) {
		c.Archive = NewArchive(v, view)
		c.Archive.Prior = prior
		c.Archive.Words = func(_ context.Context, text string) ([]float32, error) { return mini.Words(text) }
		t.Cleanup(func() { c.Archive.Close() })
	}, func(name string, compact bool) { add(compact, picture(name, n)) }
}

// TestArchiveGrows has another process add to the archive, and then take away the
// shards that the server knows.
func TestArchiveGrows(t *testing.T) {
	dir := t.TempDir()
	change, write := withArchiveIn(t, dir, 3)
	s := start(t, change)
	list := func() (names []string) {
		var page struct{ Rows []rowJSON }
		s.do(200, "GET", "/v1/archive", nil).json(t, &page)
		for _, r := range page.Rows {
			names = append(names, r.Name)
		}
		return names
	}
	want := list()
	first := s.Archive.newest
	write("sea/later.png", false)
	list() // opens it again, or begins to
	<-s.Archive.renew(first)
	if want = append(want, "sea/later.png"); !slices.Equal(list(), want) {
		t.Errorf("%q, want %q", list(), want)
	}
	if _, err := first.Rows.Get("sea/0000.png"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("the archive as it was is still open: %v", err)
	}
	write("sea/latest.png", true)
	if want = append(want, "sea/latest.png"); !slices.Equal(list(), want) {
		t.Errorf("%q, want %q", list(), want)
	}
	last := s.Archive.newest
	write("sea/more.png", true)
	<-s.Archive.renew(last)
	var found struct{ Hits []hitJSON }
	s.do(200, "GET", "/v1/search?near=sea%2Fmore.png&k=9", nil).json(t, &found)
	if len(found.Hits) != 5 {
		t.Errorf("%d hits near the new picture, want the 5 others", len(found.Hits))
	}
	// Somebody has cut the index that is open.
	indexes, err := filepath.Glob(filepath.Join(dir, search.Folder, "*.index"))
	if err != nil || len(indexes) == 0 {
		t.Fatal(indexes, err)
	}
	for _, name := range indexes {
		if err := os.Truncate(name, 0); err != nil && runtime.GOOS != "windows" { // which keeps open files
			t.Fatal(err)
		}
	}
	found.Hits = nil
	s.do(200, "GET", "/v1/search?near=sea%2Fmore.png&k=9", nil).json(t, &found)
	if len(found.Hits) != 5 {
		t.Errorf("%d hits after the index was cut, want 5", len(found.Hits))
	}
	// What was to be read has been replaced since the archive was last looked at.
	var views []*View
	err = s.Archive.read(t.Context(), func(v *View) error {
		if views = append(views, v); len(views) == 1 {
			return archive.ErrChanged
		}
		return nil
	})
	if err != nil || len(views) != 2 || views[0] == views[1] {
		t.Errorf("read %d times: %v", len(views), err)
	}
}

// TestArchive: the pages of a list are the archive's rows, and their files are
// those that were archived.
func TestArchive(t *testing.T) {
	s := start(t, withArchive(t, 25))
	var names []string
	for after := ""; ; {
		var page struct {
			Rows []rowJSON
			Next string
		}
		s.do(200, "GET", "/v1/archive?limit=7&after="+url.QueryEscape(after), nil).json(t, &page)
		for _, r := range page.Rows {
			names = append(names, r.Name)
			if broken := strings.Contains(r.Name, "broken"); broken != (r.Error != "") || broken == (r.Map != nil) {
				t.Errorf("%+v", r)
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if len(names) != 26 || !slices.IsSorted(names) {
		t.Errorf("%d names: %q", len(names), names)
	}
	if got := s.do(200, "GET", "/v1/archive/file?name=sea/0003.png", nil); !bytes.Equal(got.body, s.encode(3, "")) {
		t.Errorf("the file is %x", got.body)
	}
	for _, name := range []string{"sea/broken.png", "sea/none", "../../etc/passwd"} {
		s.do(404, "GET", "/v1/archive/file?name="+name, nil).problem(t)
	}
	for _, query := range []string{"", "?name="} {
		if p := s.unchecked(400, s.request("GET", "/v1/archive/file"+query, nil)).problem(t); p.Type != "urn:coclico:problem:parameter" || p.Parameter != "name" {
			t.Errorf("archive/file%s: %+v", query, p)
		}
	}
	for _, query := range []string{"archive?limit=0", "archive?limit=1001", "archive?limit=x", "archive?before=x", "archive?after=a&after=b", "archive?limit=5;after=a", "archive/file?name=%zz", "search?q=sea;k=3"} {
		s.unchecked(400, s.request("GET", "/v1/"+query, nil)).problem(t)
	}
	var v serverJSON
	s.do(200, "GET", "/v1/info", nil).json(t, &v)
	if v.Archive == nil || v.Archive.Rows != 26 || !v.Archive.Words {
		t.Errorf("%+v", v.Archive)
	}
}

// TestSearch: a file finds its own picture first, a name the others, words what
// they say; a wrong query is the client's.
func TestSearch(t *testing.T) {
	s := start(t, withArchive(t, 25))
	search := func(query string) (hits []hitJSON) {
		t.Helper()
		var v struct{ Hits []hitJSON }
		s.do(200, "GET", "/v1/search?"+query, nil).json(t, &v)
		return v.Hits
	}
	hits := search("k=3&file=" + base64URL(s.encode(11, "")))
	if len(hits) != 3 || hits[0].Name != "sea/0011.png" || hits[0].Score < 0.99 || hits[0].Map == nil || hits[0].Width != 96 {
		t.Errorf("by file: %+v", hits)
	}
	for _, h := range search("k=5&near=sea/0011.png") {
		if h.Name == "sea/0011.png" {
			t.Error("a picture finds itself")
		}
	}
	if hits := search("q=sea"); len(hits) != 25 || hits[0].Score < hits[24].Score {
		t.Errorf("by words: %d hits", len(hits))
	}
	below := 0 // of all hits by words
	for _, h := range search("q=snow") {
		if h.Score < 0 {
			below++
		}
	}
	if hits := search("q=snow&min=0"); below == 0 || len(hits) != 25-below {
		t.Errorf("at least 0: %d hits, %d of 25 are below", len(hits), below)
	}
	for _, c := range []struct {
		status      int
		query, says string
	}{
		{400, "", "one of q, file and near"}, {400, "q=sea&near=x", "one of"}, {400, "q=helicopter", "q: "}, {400, "q=" + strings.Repeat("a", 2000), "at most 1024 bytes"},
		{400, "file=!!", "base64url"}, {422, "file=AAAA", ""}, {404, "near=none", "no such name"}, {422, "near=sea/broken.png", "could not be read"},
		{400, "q=sea&k=0", "from 1 to 1000"}, {400, "q=sea&min=2", "from -1 to 1"}, {400, "q=sea&x=1", "no such parameter"},
	} {
		if p := s.unchecked(c.status, s.request("GET", "/v1/search?"+c.query, nil)).problem(t); !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: %+v", c.query, p)
		}
	}
	if strings.Contains(s.log.String(), "helicopter") || strings.Contains(s.log.String(), "0011.png") {
		t.Error("the log has words or names")
	}
	s.searches.Acquire(t.Context(), maxSearches)
	s.do(503, "GET", "/v1/search?q=sea", nil).problem(t)
	s.searches.Release(maxSearches)
}

// A stuckClient takes nothing of its answer until it is freed.
type stuckClient struct {
	*httptest.ResponseRecorder
	stuck chan struct{} // gets something when it is
	free  chan struct{} // closed
}

func (c *stuckClient) Write(b []byte) (int, error) {
	select {
	case c.stuck <- struct{}{}:
		<-c.free
	case <-c.free:
	}
	return c.ResponseRecorder.Write(b)
}

// TestSlowReaders: clients that do not take their hits or rows keep nobody from
// searching, and one of them does not get more and more of them.
func TestSlowReaders(t *testing.T) {
	s, h := secureServer(t, withArchive(t, 5))
	get := func(w http.ResponseWriter, address, path string) {
		r := httptest.NewRequest("GET", path, nil)
		r.Host, r.RemoteAddr = "localhost", address+":1"
		h.ServeHTTP(w, r)
	}
	check := func(address, path string, want int) {
		t.Helper()
		w := httptest.NewRecorder()
		if get(w, address, path); w.Code != want {
			t.Errorf("%s from %s: status %d, want %d: %s", path, address, w.Code, want, w.Body)
		}
	}
	var slow []*stuckClient
	var work sync.WaitGroup
	stuck, free := make(chan struct{}), make(chan struct{})
	hold := func(n int, path string) {
		for range n {
			c := &stuckClient{httptest.NewRecorder(), stuck, free}
			slow = append(slow, c)
			work.Go(func() { get(c, "192.0.2.1", path) })
			<-stuck
		}
	}
	hold(maxSearches, "/v1/search?q=sea")
	check("192.0.2.1", "/v1/search?q=sea", 200)
	hold(maxLists/2/listSize-maxSearches-1, "/v1/archive")
	check("192.0.2.1", "/v1/archive", 503)
	check("192.0.2.1", "/v1/search?q=sea", 503)
	check("192.0.2.2", "/v1/archive", 200)
	check("192.0.2.2", "/v1/search?q=sea", 200)
	close(free)
	work.Wait()
	for _, c := range slow {
		if c.Code != 200 || !json.Valid(c.Body.Bytes()) {
			t.Errorf("a slow client got status %d, %.200s", c.Code, c.Body)
		}
	}
	if !s.lists.TryAcquire(maxLists) || len(s.listShares.held) > 0 {
		t.Error("something is still held")
	}
}
