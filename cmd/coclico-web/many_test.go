package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestManyTiles: with thousands of pictures in the browser the page still starts,
// and a click marks one tile. Times are far above what this takes and far below
// what one pass over all tiles for each of them did.
func TestManyTiles(t *testing.T) {
	const n = 5000
	b := newProfile(t).open(serve(t))
	file, _, _ := strings.Cut(strings.TrimPrefix(link(t, 1, quick), "#"), "?")
	eval[bool](b, fmt.Sprintf(`(async () => {
		const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
		const { transaction } = await done(indexedDB.open('coclico', 1)).then((db) => ({ transaction: db.transaction('works', 'readwrite') }));
		for (let i = 0; i < %d; i++) {
			transaction.objectStore('works').put({ id: 'w' + i, created: i, name: 'Picture ' + i, encoding: {}, overrides: { seed: String(i) }, file: '%s', state: 'done' });
		}
		await new Promise((resolve) => { transaction.oncomplete = resolve; });
		return true;
	})()`, n, file))
	b.do(chromedp.Reload())
	b.ready()
	if got := eval[int](b, `document.querySelectorAll('#tiles > li').length`); got != n {
		t.Fatalf("%d tiles of %d pictures", got, n)
	}
	for _, i := range []int{0, 7} {
		took := eval[float64](b, fmt.Sprintf(`(() => {
			const tile = document.querySelectorAll('#tiles a')[%d];
			const begun = performance.now();
			tile.click();
			return performance.now() - begun;
		})()`, i))
		t.Logf("a click took %.0f ms", took)
		if took > 5000 {
			t.Errorf("a click took %.0f ms", took)
		}
		if got, want := eval[string](b, `[...document.querySelectorAll('#tiles [aria-current] .name')].map((e) => e.textContent).join()`), fmt.Sprintf("Picture %d", n-1-i); got != want {
			t.Errorf("marked as open: %s, want %s", got, want)
		}
	}
	if near := eval[int](b, `document.querySelectorAll('#tiles [data-near]').length`); near == 0 || near > n/10 {
		t.Errorf("%d of %d tiles are drawn", near, n)
	}
	b.do(chromedp.Click("#open .remove"))
	b.until(fmt.Sprintf(`document.querySelectorAll('#tiles > li').length === %d`, n-1))
	b.until(`!document.querySelector('#tiles [aria-current]')`)
}
