package main

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
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
	b.show(url + link(t, 1, quick))
	b.until(work + `?.dataset.state === 'painting' && window.deaf`)
	b.show(url + link(t, 2, quick))
	b.until(work + `?.dataset.state === 'waiting'`)
	b.show(url + link(t, 1, quick))
	b.do(chromedp.Click("#open .cancel"))
	b.until(work + `.dataset.state === 'canceled'`)
	b.show(url + link(t, 2, quick))
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
	b.show(url + link(t, 1, quick))
	b.until(work + `?.dataset.state === 'failed'`)
	if got := b.text(); !strings.Contains(got, "the program of this page has stopped") {
		t.Errorf("the page says %q", got)
	}
	b.do(chromedp.Click("#open .again"))
	b.painting()
}

// TestCutModel: a page says that its model did not load, and tries again with the
// next picture.
func TestCutModel(t *testing.T) {
	all, err := files()
	if err != nil {
		t.Fatal(err)
	}
	var cut atomic.Bool
	b := newProfile(t).open(behind(t, static(t).URL, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/"+programFile || cut.Swap(true) {
			return false
		}
		program := all[programFile]
		w.Header().Set("Content-Length", fmt.Sprint(len(program)))
		_, _ = w.Write(program[:1e6])
		panic(http.ErrAbortHandler)
	}))
	b.until(`/^The model did not load \(codec.wasm: .*tried again/.test(document.querySelector('#where').textContent)`)
	b.drop(river)
	b.painting()
	b.until(`/^Pictures never leave/.test(document.querySelector('#where').textContent)`)
}

// TestCancelBehind: a call that is canceled while it waits for the worker does not
// begin anew the painting that the worker is at.
func TestCancelBehind(t *testing.T) {
	b := newProfile(t).open(static(t).URL + "/")
	eval[bool](b, `((post) => {
		Worker.prototype.postMessage = function (message) {
			if (message.call !== 'encode' && !message.abort) post.call(this, message);
		};
		return true;
	})(Worker.prototype.postMessage)`)
	eval[bool](b, counted)
	b.show(eval[string](b, `location.href.split('#')[0]`) + link(t, 1, slow))
	b.stepping()
	b.drop(river)
	b.until(work + `?.dataset.state === 'encoding' && calls.encode === 1`)
	b.do(chromedp.Click("#open .cancel"))
	b.until(work + `.dataset.state === 'canceled'`)
	if n := eval[int](b, `new Promise((resolve) => setTimeout(() => resolve(calls.decode), 3000))`); n != 1 {
		t.Errorf("the painting has begun %d times", n)
	}
}

// TestEncodeEnds: a picture at which the program ends is not encoded a second
// time, from its pixels: that is for one that the program refuses.
func TestEncodeEnds(t *testing.T) {
	b := newProfile(t).open(static(t).URL + "/")
	eval[bool](b, `((post) => {
		window.encodes = 0;
		Worker.prototype.postMessage = function (message) {
			if (message.call !== 'encode') post.call(this, message);
			else if (window.encodes++ === 0) this.dispatchEvent(new MessageEvent('message', { data: { ended: true } }));
		};
		return true;
	})(Worker.prototype.postMessage)`)
	b.drop(river)
	b.until(work + `?.dataset.state === 'failed'`)
	if n := eval[int](b, `window.encodes`); n != 1 {
		t.Errorf("it is encoded %d times", n)
	}
}

// TestPixels: a picture that the browser knows and the program does not is encoded
// from its pixels.
func TestPixels(t *testing.T) {
	data := readFile(t, river)
	head := []byte{0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 32, 0} // an icon of one picture
	head = binary.LittleEndian.AppendUint32(head, uint32(len(data)))
	head = binary.LittleEndian.AppendUint32(head, 22)
	icon := filepath.Join(t.TempDir(), "river.ico")
	if err := os.WriteFile(icon, append(head, data...), 0o666); err != nil {
		t.Fatal(err)
	}
	b := newProfile(t).open(static(t).URL + "/")
	eval[bool](b, counted)
	// Not each browser decodes an icon for a page.
	eval[bool](b, `((decode) => { window.createImageBitmap = (blob) => decode(blob.slice(22, blob.size, 'image/png')); return true; })(createImageBitmap)`)
	b.drop(icon)
	b.painting()
	if n := eval[int](b, `calls.encode`); n != 2 {
		t.Errorf("it is encoded %d times, not from its bytes and then its pixels", n)
	}
}

// TestSandboxed: kinds that the command decodes in a sandbox are left to the
// browser at once, and a picture that the browser does not know either is refused
// with advice.
func TestSandboxed(t *testing.T) {
	const dir = "../internal/picture/heif/testdata/"
	b := newProfile(t).open(static(t).URL + "/")
	eval[bool](b, counted)
	b.drop(dir + "limited.avif")
	b.painting()
	if n := eval[int](b, `calls.encode`); n != 2 {
		t.Errorf("an AVIF is encoded %d times, not from its bytes and then its pixels", n)
	}
	eval[bool](b, `(window.createImageBitmap = () => Promise.reject(new Error('not here'))) !== null`) // as of a HEIC in most browsers
	b.drop(dir + "gray.heic")
	b.until(work + `?.dataset.state === 'failed' && /a HEIC picture that this page cannot decode; save it as JPEG first/.test(` + work + `.textContent)`)
}
