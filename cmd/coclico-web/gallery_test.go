package main

import (
	"fmt"
	"os"
	"path/filepath"
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

	b.do(chromedp.Click("#found a"))
	b.until(fmt.Sprintf(`%s === %d`, shownMaps, len(scenes)))
	b.tabTo("#maps a")
	b.do(chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent("\r"))
	b.painting()
	b.until(`document.querySelector('#gallery').hidden`)
	f := b.file()
	if want := eval[string](b, `fetch('v1/archive').then((r) => r.json()).then((r) => r.rows[1].file)`); "#"+want != eval[string](b, `location.hash.split('?')[0]`) {
		t.Errorf("the page paints a file of %d bytes, not the second of the archive", f.Len())
	}
	eval[bool](b, `history.back() ?? true`)
	b.until(`!document.querySelector('#gallery').hidden`)
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
