package main

import (
	"strings"
	"testing"

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

// TestFullLater: what a browser kept while it had room can be painted anew. A full
// disk ends a transaction whose request has succeeded.
func TestFullLater(t *testing.T) {
	b := newProfile(t).open(serve(t) + link(t, 1, quick))
	b.painting()
	eval[bool](b, `((put) => {
		IDBObjectStore.prototype.put = function (work) {
			const request = put.call(this, work);
			request.addEventListener('success', () => this.transaction.abort());
			return request;
		};
		return true;
	})(IDBObjectStore.prototype.put)`)
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
	b.do(chromedp.Navigate(url + link(t, 1, quick)))
	b.painting()
	b.do(chromedp.Reload())
	b.ready()
	if n := eval[int](b, done); n != 1 {
		t.Errorf("%d pictures are kept, not 1", n)
	}
}
