package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/cdproto/input"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/coclico/coclico/cmd/internal/page"
)

// patience is how long a test waits for what must happen; a decode takes
// seconds, on a machine that is busy a minute.
const patience = 5 * time.Minute

// chromium starts one browser for all tests. Each profile is a context of its
// own, which shares nothing with another's.
var chromium = sync.OnceValues(func() (context.Context, error) {
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, exec.ErrNotFound
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WSURLReadTimeout(patience))
	alloc, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(alloc)
	closeBrowser = cancel
	return ctx, chromedp.Do(ctx)
})

var closeBrowser = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	closeBrowser()
	os.RemoveAll(programDir)
	os.Exit(code)
}

// A profile is a browser's user: what it keeps it shares with its own tabs.
type profile struct {
	t   *testing.T
	ctx context.Context
}

func newProfile(t *testing.T) *profile {
	t.Helper()
	browser, err := chromium()
	if err == exec.ErrNotFound {
		t.Skip("no chromium on this machine: apt-get install chromium")
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return &profile{t, ctx}
}

// A tab is a page of a profile.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// lateAddress has the page hear of a new address late, as on a busy machine. What
// was there before stays until then: a test that does not wait for the new fails.
const lateAddress = `((add) => {
	addEventListener = (name, f, ...options) => add.call(window, name, name === 'hashchange' ? (event) => setTimeout(f, 200, event) : f, ...options);
})(addEventListener)`

// open opens a tab and waits until the page works.
func (p *profile) open(url string) *tab {
	p.t.Helper()
	b := p.visit(url)
	b.ready()
	return b
}

// visit opens a tab.
func (p *profile) visit(url string) *tab {
	p.t.Helper()
	ctx, cancel := chromedp.NewContext(p.ctx)
	p.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		p.t.Fatal(err)
	}
	b := &tab{p.t, ctx}
	act(b, command(cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: lateAddress}))
	b.do(chromedp.Navigate(url))
	return b
}

// show leads a tab to a link, and waits until the page shows its work.
func (b *tab) show(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
	b.until(work + `?.querySelector('.link input').value === location.href`)
}

func (b *tab) ready() {
	b.t.Helper()
	b.until(`document.documentElement.dataset.ready === 'yes'`)
}

// act runs an action of a tab and returns its value.
func act[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("%v\n%s", err, b.text())
	}
	return value
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	act(b, chromedp.Steps(actions...))
}

// until waits for an expression to be true.
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	poll := chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(0))
	if _, err := chromedp.Run(ctx, poll); err != nil {
		b.t.Fatalf("waiting for %s: %v\n%s", expression, err, b.text())
	}
}

// text is what the page shows, for a failed test.
func (b *tab) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	return text
}

// eval returns the value of an expression, which may be a promise.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	return act(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// drop drops files on the page, as a mouse does.
func (b *tab) drop(names ...string) {
	b.t.Helper()
	data := &input.DragData{Items: []*input.DragDataItem{}, DragOperationsMask: 1}
	for _, name := range names {
		data.Files = append(data.Files, absolute(b.t, name))
	}
	for _, kind := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		act(b, command(input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: 200, Y: 200, Data: data}))
	}
}

func absolute(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// files is a static site, which is compiled once.
var files = sync.OnceValues(site)

// static serves the static site, as a plain host does.
func static(t *testing.T) *httptest.Server {
	t.Helper()
	files, err := files()
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: data}
	}
	server := httptest.NewServer(strict(http.FileServerFS(fsys)))
	t.Cleanup(server.Close)
	return server
}

// strict has the browser refuse what the page must not do.
func strict(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", page.ContentSecurityPolicy)
		h.ServeHTTP(w, r)
	})
}
