package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const shownMaps = `document.querySelectorAll('#maps a').length`

// TestGallery: the archive's color maps are shown, words and pictures find
// some, arrows move among them, the chosen one is painted, and Back leads back.
func TestGallery(t *testing.T) {
	p := newProfile(t)
	scenes, err := filepath.Glob(scenes + "*.png")
	if err != nil || len(scenes) < 3 {
		t.Fatal(scenes, err)
	}
	b := p.open(serve(t, "--archive", archive(t)))
	b.do(chromedp.Click(`nav [data-page=gallery]`))
	b.until(fmt.Sprintf(`%s === %d`, shownMaps, len(scenes)))

	b.do(chromedp.SetValue("#words", "a river"), chromedp.Click("#search button"))
	b.until(`/nearest first/.test(document.querySelector('#found').textContent)`)
	if got := eval[string](b, `document.querySelector('#maps a').title`); filepath.Base(got)[:9] != "river.png" {
		t.Errorf("the words find %s first", got)
	}
	b.do(chromedp.SetUploadFiles("#likeness", []string{absolute(t, dusk)}))
	b.until(`/sea_dusk.png/.test(document.querySelector('#maps a').title)`)

	b.tabTo("#found a")
	b.do(chromedp.KeyEvent("\r"))
	b.until(fmt.Sprintf(`!document.querySelector('#found').textContent && %s === %d`, shownMaps, len(scenes)))
	if at := eval[string](b, `document.activeElement.id`); at != "gallery-title" {
		t.Errorf("from a link that is gone the focus goes to %q, not to the gallery's title", at)
	}
	b.tabTo("#maps a")
	b.do(chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent("\r"))
	b.painting()
	b.until(`document.querySelector('#gallery').hidden`)
	if at := b.focus(); at != "h1.title" {
		t.Errorf("the focus is at %s, not at the picture's title", at)
	}
	f := b.file()
	if want := eval[string](b, `fetch('v1/archive').then((r) => r.json()).then((r) => r.rows[1].file)`); "#"+want != eval[string](b, `location.hash.split('?')[0]`) {
		t.Errorf("the page paints a file of %d bytes, not the second of the archive", f.Len())
	}
	eval[bool](b, `history.back() ?? true`)
	b.until(`!document.querySelector('#gallery').hidden`)
}

// TestShowMore: the archive comes page by page. If one fails, the page says so
// and what was shown before stays; if one comes late, it does not take the place
// of what was searched for meanwhile.
func TestShowMore(t *testing.T) {
	b := newProfile(t).open(serve(t, "--archive", archive(t)))
	eval[bool](b, `((fetch) => {
		window.before = async () => {}; // what happens to a page of the archive before it comes
		window.fetch = async (path, options) => {
			if (!path.startsWith('v1/archive')) return fetch(path, options);
			return await window.before() ?? fetch(path.replace('limit=1000', 'limit=2'), options);
		};
		return true;
	})(window.fetch)`)
	b.do(chromedp.Click(`nav [data-page=gallery]`))
	b.until(shownMaps + ` === 2`)

	eval[bool](b, `Boolean(window.before = async () => new Response('{"detail": "the archive is away"}', { status: 500 }))`)
	b.do(chromedp.Click("#more"))
	b.until(`/the archive is away/.test(document.querySelector('#found').textContent)`)
	if n := eval[int](b, shownMaps); n != 2 {
		t.Errorf("%d pictures are shown after an error, not the 2 before it", n)
	}
	eval[bool](b, `Boolean(window.before = async () => {})`)
	b.do(chromedp.Click("#more"))
	b.until(shownMaps + ` === 4 && !document.querySelector('#found').textContent`)
	if at := eval[int](b, `[...document.querySelectorAll('#maps a')].indexOf(document.activeElement)`); at != 2 {
		t.Errorf("the focus is at map %d, not at the first of the page", at)
	}
	if n := eval[int](b, `document.querySelectorAll('#maps a[tabindex="0"]').length`); n != 1 {
		t.Errorf("the Tab key stops at %d maps, not at one", n)
	}

	eval[bool](b, `Boolean(window.before = () => new Promise((resolve) => { window.release = resolve; }))`)
	b.do(chromedp.Click("#more"), chromedp.SetValue("#words", "a river"), chromedp.Click("#search button"))
	b.until(`/nearest first/.test(document.querySelector('#found').textContent)`)
	titles := `[...document.querySelectorAll('#maps a')].map((a) => a.title).join()`
	want := eval[string](b, titles)
	eval[bool](b, `window.release() ?? new Promise((resolve) => setTimeout(resolve, 500, true))`)
	if got := eval[string](b, titles); got != want {
		t.Errorf("a late page shows %s in place of what was found: %s", got, want)
	}
}

// TestScreenshots writes the pictures of the README to the folder that the
// environment names.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("COCLICO_SCREENSHOTS")
	if dir == "" {
		t.Skip("COCLICO_SCREENSHOTS names no folder")
	}
	url := serve(t, "--archive", archive(t))
	b := newProfile(t).open(url)
	b.look(windows[0].width, windows[0].height, windows[0].scheme)
	b.shoot(filepath.Join(dir, "empty.webp"))
	b.drop(river, dusk)
	b.until(done + " === 2")
	b.painting()
	g := newProfile(t).open(url + "#/gallery")
	g.until(shownMaps + " > 0")
	for _, w := range windows {
		for _, tab := range []*tab{b, g} {
			tab.look(w.width, w.height, w.scheme)
			tab.do(chromedp.Reload()) // a phone keeps the zoom of a page that was wide
			tab.ready()
		}
		b.painting()
		g.until(shownMaps + " > 0")
		b.shoot(filepath.Join(dir, "page-"+w.name+".webp"))
		g.shoot(filepath.Join(dir, "gallery-"+w.name+".webp"))
	}
}

// TestLikenessBusy: who looks for what is like a picture hears that the server is
// busy, and does not find it later where they have gone meanwhile.
func TestLikenessBusy(t *testing.T) {
	var asked atomic.Int32
	var free atomic.Bool
	b := newProfile(t).open(behind(t, serve(t, "--archive", archive(t)), func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/encode" || free.Load() {
			return false
		}
		asked.Add(1)
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}))
	const found = `document.querySelector('#found').textContent`
	b.do(chromedp.Click(`nav [data-page=gallery]`))
	b.until(shownMaps + ` > 0`)
	b.do(chromedp.SetUploadFiles("#likeness", []string{absolute(t, river)}))
	b.until(`/busy or away/.test(` + found + `)`)
	eval[string](b, `location.hash = '#/'`)
	b.until(`!document.querySelector('#gallery').checkVisibility()`)
	before := asked.Load()
	eval[bool](b, `new Promise((resolve) => setTimeout(resolve, 2500, true))`)
	if n := asked.Load(); n != before {
		t.Errorf("the server is asked %d times after the user has left", n-before)
	}
	free.Store(true)
	b.do(chromedp.Click(`nav [data-page=gallery]`))
	b.until(`document.querySelector('#gallery').checkVisibility()`)
	for range 2 { // the second time the address does not change
		eval[string](b, found+` = ''`)
		b.do(chromedp.SetUploadFiles("#likeness", []string{absolute(t, river)}))
		b.until(`/nearest first/.test(` + found + `)`)
	}
}
