package main

import (
	"strings"
	"testing"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

const kept = `document.querySelector('#kept').textContent`

// TestFullDisk: a browser without room says so, and still paints.
func TestFullDisk(t *testing.T) {
	url := serve(t)
	b := newProfile(t).open(url)
	none := 1.0
	act(b, command(storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: strings.TrimSuffix(url, "/"), QuotaSize: &none}))
	b.drop(photo)
	b.painting()
	b.until(noRoom)
}

const noRoom = `/no room/.test(` + kept + `)`

// full fills the disk: a write fails after its request has succeeded.
const full = `((put) => {
	IDBObjectStore.prototype.put = function (work) {
		const request = put.call(this, work);
		request.addEventListener('success', () => this.transaction.abort());
		return request;
	};
	return true;
})(IDBObjectStore.prototype.put)`

// counted counts the messages of this tab to its worker, by what they call.
const counted = `((post) => {
	window.calls = {};
	Worker.prototype.postMessage = function (message) {
		if (message.call) window.calls[message.call] = (window.calls[message.call] ?? 0) + 1;
		post.call(this, message);
	};
	return true;
})(Worker.prototype.postMessage)`

// TestOnce: a link is painted once where nothing can be kept.
func TestOnce(t *testing.T) {
	url := static(t).URL + "/"
	for name, broken := range map[string]string{
		"no database": `IDBFactory.prototype.open = () => { throw new Error('private'); }`,
		"full disk":   full,
	} {
		t.Run(name, func(t *testing.T) {
			b := newProfile(t).visit("about:blank")
			act(b, command(cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: broken + ";" + counted}))
			b.show(url + link(t, 1, quick))
			b.painting()
			b.show(url + link(t, 2, quick)) // what is painted again comes before it
			b.painting()
			if n := eval[int](b, `calls.decode`); n != 2 {
				t.Errorf("two links are painted %d times", n)
			}
		})
	}
}

// TestFullTabs: a write that fails does not have another tab take back what it
// has done since the last one.
func TestFullTabs(t *testing.T) {
	url := serve(t)
	p := newProfile(t)
	b := p.open(url + link(t, 1, quick))
	b.painting()
	other := p.open(url)
	for _, tab := range []*tab{b, other} {
		eval[bool](tab, full)
	}
	eval[bool](other, `(window.messages = 0, new BroadcastChannel('coclico').onmessage = () => { window.messages++; }) && true`)
	eval[bool](b, `((form) => { form.elements.seed.value = 5; form.requestSubmit(); return true; })(document.querySelector('#open form'))`)
	b.until(`/seed=5/.test(location.hash) && ` + work + `.dataset.painted === location.hash`)
	b.until(noRoom)
	if n := eval[int](other, `new Promise((resolve) => setTimeout(() => resolve(window.messages), 200))`); n != 0 {
		t.Errorf("%d failed writes are announced", n)
	}
}

// TestFullLater: what a browser kept while it had room can be painted anew. A full
// disk ends a transaction whose request has succeeded.
func TestFullLater(t *testing.T) {
	b := newProfile(t).open(serve(t) + link(t, 1, quick))
	b.painting()
	eval[bool](b, full)
	eval[bool](b, `((form) => { form.elements.seed.value = 5; form.requestSubmit(); return true; })(document.querySelector('#open form'))`)
	b.until(`/seed=5/.test(location.hash) && ` + work + `.dataset.painted === location.hash`)
	b.until(noRoom)
}

// TestClearedData: a page whose data the browser clears says so, paints, and
// keeps what is new.
func TestClearedData(t *testing.T) {
	url := serve(t)
	b := newProfile(t).open(url)
	act(b, command(storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: strings.TrimSuffix(url, "/"), StorageTypes: "all"}))
	b.until(`/has cleared/.test(` + kept + `)`)
	b.show(url + link(t, 1, quick))
	b.painting()
	b.do(chromedp.Reload())
	b.ready()
	if n := eval[int](b, done); n != 1 {
		t.Errorf("%d pictures are kept, not 1", n)
	}
}
