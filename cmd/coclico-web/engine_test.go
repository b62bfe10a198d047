package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestLinkSize: a link cannot have a browser paint what takes it minutes.
func TestLinkSize(t *testing.T) {
	b := newProfile(t).open(static(t).URL + "/" + link(t, 1, 1) + "&size=4096")
	b.until(work + `?.dataset.state === 'failed'`)
	if got := b.text(); !strings.Contains(got, "size 4096: this browser paints up to 512") {
		t.Errorf("the page says %q", got)
	}
}

// TestDeafWorker: what is canceled ends at once, even if the worker does not hear
// of it. Another worker paints the next picture.
func TestDeafWorker(t *testing.T) {
	url := static(t).URL + "/"
	b := newProfile(t).open(url)
	eval[bool](b, `((post) => {
		Worker.prototype.postMessage = function (message) {
			window.deaf ??= this;
			if (this !== window.deaf) post.call(this, message);
		};
		return true;
	})(Worker.prototype.postMessage)`)
	b.do(chromedp.Navigate(url + link(t, 1, quick)))
	b.until(work + `?.dataset.state === 'painting' && window.deaf`)
	b.do(chromedp.Navigate(url + link(t, 2, quick)))
	b.until(work + `?.dataset.state === 'waiting'`)
	b.do(chromedp.Navigate(url + link(t, 1, quick)))
	b.do(chromedp.Click("#open .cancel"))
	b.until(work + `.dataset.state === 'canceled'`)
	b.do(chromedp.Navigate(url + link(t, 2, quick)))
	b.painting()
}

// TestProgramEnds: if the program ends, what it was at fails, and can be tried
// again.
func TestProgramEnds(t *testing.T) {
	url := static(t).URL + "/"
	b := newProfile(t).open(url)
	eval[bool](b, `((post) => {
		Worker.prototype.postMessage = function (message) {
			if (!window.broken && message.call === 'decode') {
				window.broken = this;
				this.dispatchEvent(new MessageEvent('message', { data: { ended: true } }));
			} else if (this !== window.broken) {
				post.call(this, message);
			}
		};
		return true;
	})(Worker.prototype.postMessage)`)
	b.do(chromedp.Navigate(url + link(t, 1, quick)))
	b.until(work + `?.dataset.state === 'failed'`)
	if got := b.text(); !strings.Contains(got, "the program of this page has stopped") {
		t.Errorf("the page says %q", got)
	}
	b.do(chromedp.Click("#open .again"))
	b.painting()
}
