package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

const title = `document.querySelector('#open .title')?.textContent`

// TestBack: each picture that is dropped has an entry of the history, a broken
// one too.
func TestBack(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.png")
	if err := os.WriteFile(broken, []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	b := newProfile(t).open(serve(t))
	for _, name := range []string{river, dusk, broken} {
		b.drop(name)
		b.until(title + ` === '` + filepath.Base(name) + `' && ['done', 'failed'].includes(` + work + `.dataset.state)`)
	}
	back := func(want string) {
		t.Helper()
		eval[bool](b, `history.back() ?? true`)
		b.until(title + ` === ` + want)
	}
	back(`'sea_dusk.png'`)
	back(`'river.png'`)
	back(`undefined`)
	eval[bool](b, `history.go(3) ?? true`)
	b.until(title + ` === 'broken.png'`)
	b.do(chromedp.Reload())
	b.ready()
	if got := eval[string](b, title); got != "broken.png" {
		t.Errorf("after the page is loaded again it shows %s, not broken.png", got)
	}
}

const tileCount = `document.querySelectorAll('#tiles li').length`

// TestBackRemoved: Back does not make again what was removed or cleared, even after
// the page is loaded again.
func TestBackRemoved(t *testing.T) {
	url := serve(t)
	for _, c := range []struct {
		remove string
		again  bool // the page is loaded again before Back
	}{{"#open .remove", false}, {"#clear", false}, {"#open .remove", true}, {"#clear", true}} {
		b := newProfile(t).open(url)
		eval[bool](b, `(window.confirm = () => true)()`)
		for _, seed := range []int{1, 2, 1} {
			b.show(url + link(t, seed, quick))
			b.painting()
		}
		b.do(chromedp.Click(c.remove))
		b.until(`location.hash === '#/' && !` + work)
		left := eval[int](b, tileCount)
		if c.again {
			b.do(chromedp.Reload())
			b.ready()
		}
		for range 2 {
			eval[bool](b, `history.back() ?? new Promise((resolve) => setTimeout(resolve, 500, true))`)
			if n := eval[int](b, tileCount); n != left {
				t.Errorf("%+v: Back makes %d pictures", c, n-left)
			}
		}
		b.show(url + link(t, 1, quick)) // the link itself does
		b.painting()
	}
}
