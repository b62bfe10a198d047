package main

import (
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestKeyboard: everything can be done without a mouse.
func TestKeyboard(t *testing.T) {
	everywhere(t, func(t *testing.T, url string, p *profile) {
		b := p.open(url)
		act(b, command(page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true}))
		b.tabTo(`#choose`)
		chosen := act(b, chromedp.WaitEvent(page.FileChooserOpened, func(page.EventFileChooserOpened) bool { return true }, chromedp.KeyEvent(" ")))
		act(b, command(dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{absolute(t, river)}, BackendNodeID: chosen.BackendNodeID}))
		first := b.painting()

		b.tabTo(`#open .wipe`)
		b.do(chromedp.KeyEvent(kb.Home))
		if got := eval[string](b, `document.activeElement.getAttribute('aria-valuetext')`); got != "picture" {
			t.Errorf("at its start the slider says %q", got)
		}
		b.tabTo(`#open summary`)
		b.do(chromedp.KeyEvent("\r"))
		b.tabTo(`#open [name=seed]`)
		b.do(chromedp.KeyEvent("7"), chromedp.KeyEvent("\r"))
		b.until(`!` + work + `?.dataset.painted`)
		again := b.painting()
		if differing(first, again) == 0 {
			t.Error("another seed paints the same picture")
		}
		if got := b.file().Sampling().Seed; got == 0 {
			t.Errorf("the file has seed %d", got)
		}

		address := eval[string](b, `location.href`)
		b.tabTo(`.skip`)
		b.do(chromedp.KeyEvent("\r"))
		if at := b.focus(); at != "main" {
			t.Errorf("the skip link leads to %s", at)
		}
		eval[bool](b, `new Promise((resolve) => setTimeout(resolve, 100, true))`) // for what a new address does
		if got := eval[string](b, `location.href`); got != address || !eval[bool](b, `Boolean(`+work+`)`) {
			t.Errorf("the skip link closes the picture: the address is %s", got)
		}

		// What another tab paints takes the focus from no tile.
		b.tabTo(`#tiles a`)
		other := p.open(url + link(t, 1, quick))
		other.painting()
		b.until(done + ` === 2`)
		if !eval[bool](b, `document.activeElement.matches('#tiles a')`) {
			t.Errorf("the focus went from a tile to %s", b.focus())
		}
		b.tabTo(`#tiles a`)
		b.do(chromedp.KeyEvent("\r"))
		if at := b.focus(); at != "h1.title" {
			t.Errorf("from a tile the focus goes to %s, not to the picture's title", at)
		}
	})
}

// TestFocus: a button that goes leaves the focus to the one that comes.
func TestFocus(t *testing.T) {
	b := newProfile(t).open(serve(t) + link(t, 1, slow) + "&size=256")
	b.stepping()
	for _, button := range []string{".cancel", ".again", ".cancel"} {
		b.tabTo("#open " + button)
		b.do(chromedp.KeyEvent("\r"))
		b.until(`!document.querySelector('#open ` + button + `').checkVisibility()`)
		if at, want := b.focus(), map[string]string{".cancel": "button.quiet.again", ".again": "button.quiet.cancel"}[button]; at != want {
			t.Errorf("after %s the focus is at %s, not at %s", button, at, want)
		}
		if got := eval[string](b, `document.querySelector('#said').textContent`); button == ".cancel" && got != "Canceled." {
			t.Errorf("a screen reader hears %q", got)
		}
	}
}

// TestCancelAtOnce: what is canceled as soon as its button is there does not begin.
func TestCancelAtOnce(t *testing.T) {
	b := newProfile(t).open(serve(t) + link(t, 1, slow) + "&size=256")
	b.stepping()
	b.do(chromedp.Click("#open .cancel"))
	b.until(`document.querySelector('#open .again').checkVisibility()`)
	eval[bool](b, `new Promise((resolve) => {
		const cancel = document.querySelector('#open .cancel');
		const shown = new MutationObserver(() => setTimeout(() => {
			shown.disconnect();
			cancel.click();
			resolve(true);
		}));
		shown.observe(cancel, { attributeFilter: ['hidden'] });
		document.querySelector('#open .again').click();
	})`)
	b.until(`document.querySelector('#open .again').checkVisibility()`)
	if got := eval[string](b, `document.querySelector('#open .state').textContent`); got != "Canceled." {
		t.Errorf("the state is %q", got)
	}
}

// focus names the element that has the focus.
func (b *tab) focus() string {
	b.t.Helper()
	return eval[string](b, `((e) => [e.localName, ...e.classList].join('.'))(document.activeElement)`)
}

// tabTo presses the Tab key until an element has the focus.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	for range 60 {
		if eval[bool](b, `document.activeElement.matches('`+selector+`')`) {
			if !eval[bool](b, `document.activeElement.matches(':focus-visible')`) {
				b.t.Errorf("%s has an invisible focus", selector)
			}
			return
		}
		b.do(chromedp.KeyEvent("\t"))
	}
	b.t.Fatalf("the Tab key does not reach %s", selector)
}
