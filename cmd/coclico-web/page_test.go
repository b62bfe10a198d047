package main

import (
	"encoding/base64"
	"fmt"
	"image"
	"image/draw"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/coclico/coclico/codec"
)

// Pictures to drop.
const (
	photo  = "../../codec/testdata/photos/cat.jpg"
	scenes = "../../weights/mini/testdata/scenes/"
	river  = scenes + "river.png"
	dusk   = scenes + "sea_dusk.png"
)

// sites are what serves the page: each test of the page is one of both engines.
var sites = []struct {
	name    string
	open    func(t *testing.T) string
	kernels string // that it computes with
}{
	{"static", func(t *testing.T) string { return static(t).URL + "/" }, "generic"},
	{"server", func(t *testing.T) string { return serve(t) }, ""},
}

// everywhere runs a test on each site, in a profile of its own.
func everywhere(t *testing.T, test func(t *testing.T, url string, p *profile)) {
	for _, s := range sites {
		t.Run(s.name, func(t *testing.T) {
			p := newProfile(t)
			test(t, s.open(t), p)
		})
	}
}

const work = `document.querySelector('#open .work')`

// stepping waits for the middle of a painting.
func (b *tab) stepping() {
	b.t.Helper()
	b.until(work + `?.dataset.state === 'painting' && ` + work + `.querySelector('progress').value > 0`)
}

// file returns the file of the open work, as its link holds it.
func (b *tab) file() *codec.File {
	b.t.Helper()
	address, err := url.Parse(eval[string](b, work+`.querySelector('.link input').value`))
	if err != nil {
		b.t.Fatal(err)
	}
	name, _, _ := strings.Cut(address.Fragment, "?")
	data, err := base64.RawURLEncoding.DecodeString(name)
	if err != nil {
		b.t.Fatal(err)
	}
	f, err := codec.Parse(data)
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

// painting waits for the open work's painting and returns it.
func (b *tab) painting() image.Image {
	b.t.Helper()
	b.until(work + `?.dataset.painted`)
	data, _ := strings.CutPrefix(eval[string](b, `document.querySelector('#open .painting canvas').toDataURL()`), "data:image/png;base64,")
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		b.t.Fatal(err)
	}
	return decodePNG(b.t, raw)
}

func samePixels(t *testing.T, got, want image.Image) {
	t.Helper()
	if got.Bounds() != want.Bounds() {
		t.Fatalf("a picture of %v, not %v", got.Bounds(), want.Bounds())
	}
	if n := differing(got, want); n > 0 {
		t.Errorf("%d samples differ", n)
	}
}

// differing returns how many samples of two pictures of one size differ.
func differing(a, b image.Image) int {
	x, y := rgba(a), rgba(b)
	n := 0
	for i, v := range x.Pix {
		if v != y.Pix[i] {
			n++
		}
	}
	return n
}

func rgba(img image.Image) *image.RGBA {
	m := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(m, m.Bounds(), img, img.Bounds().Min, draw.Src)
	return m
}

// TestDrop: a dropped picture's bytes and color map are shown, the painting
// appears step by step, and it is the one that the command paints.
func TestDrop(t *testing.T) {
	for _, s := range sites {
		t.Run(s.name, func(t *testing.T) {
			b := newProfile(t).open(s.open(t))
			eval[bool](b, `new MutationObserver(() => {
				const bar = document.querySelector('#open progress');
				if (bar?.value > 0) (window.steps ??= new Set()).add(bar.value);
			}).observe(document.querySelector('#open'), { subtree: true, childList: true, attributes: true }) ?? true`)
			b.drop(photo)
			got := b.painting()
			f := b.file()
			if got := eval[int](b, `Number(document.querySelector('#open .size strong').textContent)`); got != f.Len() {
				t.Errorf("the page says %d bytes, the link has %d", got, f.Len())
			}
			if got := eval[int](b, `document.querySelector('#open .hex').textContent.trim().split(/\s+/).length`); got != f.Len() {
				t.Errorf("%d bytes in hexadecimal, not %d", got, f.Len())
			}
			if got := eval[string](b, `document.querySelector('#open .versus').textContent`); !strings.Contains(got, "31,589") {
				t.Errorf("of the JPEG the page says %q", got)
			}
			if address := eval[string](b, `location.href`); address != eval[string](b, work+`.querySelector('.link input').value`) {
				t.Errorf("the page's address, %s, is not the picture's link", address)
			}
			colors := eval[[]uint](b, `Array.from(document.querySelector('#open .map').getContext('2d').getImageData(0, 0, 8, 8).data)`)
			for i, v := range rgba(f.ColorMap()).Pix {
				if uint(v) != colors[i] {
					t.Fatalf("sample %d of the color map is drawn as %d, not %d", i, colors[i], v)
				}
			}
			if n := eval[int](b, `window.steps?.size ?? 0`); n < 2 {
				t.Errorf("%d steps were shown", n)
			}
			samePixels(t, got, paint(t, f.Bytes(), s.kernels, 20))
		})
	}
}

// TestOnePage: all of the site in one file, opened from a disk.
func TestOnePage(t *testing.T) {
	all, err := files()
	if err != nil {
		t.Fatal(err)
	}
	data, err := onePage(all)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "coclico.html")
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
	b := newProfile(t).open("file://" + name)
	b.drop(photo)
	samePixels(t, b.painting(), paint(t, b.file().Bytes(), "generic", 20))
}

// Steps of paintings that are to be done soon, and of those that are to take
// long enough for what happens meanwhile.
const quick, slow = 5, 1000

// link is that of a picture of the built-in model, painted with some seed.
func link(t *testing.T, seed, steps int) string {
	t.Helper()
	data := readFile(t, "../../codec/testdata/coffee.coclico")
	return fmt.Sprintf("#%s?seed=%d&steps=%d", base64.RawURLEncoding.EncodeToString(data), seed, steps)
}

// TestLink: a link opened in a fresh profile paints the same picture.
func TestLink(t *testing.T) {
	everywhere(t, func(t *testing.T, url string, p *profile) {
		want := p.open(url + link(t, 3, quick)).painting()
		other := newProfile(t).open(url + link(t, 3, quick))
		samePixels(t, other.painting(), want)
		if eval[bool](other, work+`.querySelector('.input').checkVisibility()`) {
			t.Error("the page shows a picture that the link does not hold")
		}
		another := p.open(url + link(t, 4, quick))
		if differing(another.painting(), want) == 0 {
			t.Error("the link's seed changes nothing")
		}
	})
}

// TestCancel: a canceled painting stops, and can be started again.
func TestCancel(t *testing.T) {
	everywhere(t, func(t *testing.T, url string, p *profile) {
		b := p.open(url + link(t, 1, slow))
		for _, again := range []string{"", "#open .again"} {
			if again != "" {
				b.do(chromedp.Click(again))
			}
			b.stepping()
			b.do(chromedp.Click("#open .cancel"))
			b.until(work + `.dataset.state === 'canceled'`)
			if eval[bool](b, `Boolean(`+work+`.dataset.painted)`) {
				t.Error("a canceled painting is shown as finished")
			}
		}
		// Nothing of it is left in the way of the next one.
		b.show(url + link(t, 1, quick))
		b.painting()
	})
}

// TestCancelWaiting: a picture that waits for another is canceled at once, and is
// not painted when its turn comes.
func TestCancelWaiting(t *testing.T) {
	everywhere(t, func(t *testing.T, url string, p *profile) {
		b := p.open(url + link(t, 1, slow))
		b.stepping()
		b.show(url + link(t, 2, slow))
		b.until(work + `.dataset.state === 'waiting'`)
		b.do(chromedp.Click("#open .cancel"))
		b.until(work + `.dataset.state === 'canceled'`)
		state := func(seed int) string {
			return eval[string](b, fmt.Sprintf(`document.querySelector('#tiles [href$="seed=%d"] .state').textContent`, seed))
		}
		if got := state(1); !strings.Contains(got, "painting") {
			t.Errorf("the one before it is %q when it is canceled, not at work", got)
		}
		b.show(url + link(t, 3, quick))
		b.until(work + `.dataset.state === 'waiting'`)
		b.show(url + link(t, 1, slow))
		b.do(chromedp.Click("#open .cancel"))
		b.show(url + link(t, 3, quick))
		b.painting()
		for _, seed := range []int{1, 2} {
			if got := state(seed); !strings.Contains(got, "canceled") {
				t.Errorf("the canceled picture with seed %d is %q", seed, got)
			}
		}
	})
}

// TestCancelStart: a decode that is canceled before the server has answered is
// canceled there too.
func TestCancelStart(t *testing.T) {
	b := newProfile(t).open(serve(t))
	eval[bool](b, `((fetch) => {
		const held = new Promise((resolve) => { window.release = resolve; });
		window.fetch = async (path, options) => {
			if (!path.startsWith('v1/decodes?')) return fetch(path, options);
			const { signal, ...rest } = options;
			const response = await fetch(path, rest);
			window.job = response.headers.get('Location');
			await Promise.race([held, new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))]);
			return response;
		};
		return true;
	})(window.fetch)`)
	eval[bool](b, fmt.Sprintf(`Boolean(location.hash = %q)`, link(t, 1, slow)))
	b.until(`window.job`)
	b.do(chromedp.Click("#open .cancel"))
	b.until(work + `.dataset.state === 'canceled'`)
	eval[bool](b, `window.release() ?? true`)
	b.until(`fetch(window.job).then((r) => r.status === 404)`) // as of what is canceled
	if got := eval[string](b, work+`.dataset.state`); got != "canceled" {
		t.Errorf("the answer comes to a canceled work, which is %q now", got)
	}
}

// done counts the pictures that are painted.
const done = `[...document.querySelectorAll('#tiles .state')].filter((s) => /^\d+ bytes$/.test(s.textContent)).length`

// TestTabs: two tabs paint at once, and each shows the other's pictures. What is
// removed in one of them is gone in the other too, which has it open.
func TestTabs(t *testing.T) {
	everywhere(t, func(t *testing.T, url string, p *profile) {
		a, b := p.open(url+link(t, 1, quick)), p.open(url+link(t, 2, quick))
		for _, tab := range []*tab{a, b} {
			tab.until(done + ` === 2`)
		}
		if differing(a.painting(), b.painting()) == 0 {
			t.Error("both tabs show the same painting")
		}
		a.show(url + link(t, 2, quick))
		a.do(chromedp.Click("#open .remove"))
		for _, tab := range []*tab{a, b} {
			tab.until(`document.querySelectorAll('#tiles li').length === 1 && location.hash === '#/'`)
		}
	})
}

// TestOtherwise: of a link's settings, those that the user did not touch stay,
// even where a slider has no place for them.
func TestOtherwise(t *testing.T) {
	everywhere(t, func(t *testing.T, url string, p *profile) {
		b := p.open(url + link(t, 1, quick) + "&guidance=7.3")
		b.painting()
		eval[bool](b, `((form) => { form.elements.seed.value = 5; form.requestSubmit(); return true; })(document.querySelector('#open form'))`)
		b.until(`/seed=5/.test(location.hash)`)
		if hash := eval[string](b, `location.hash`); !strings.Contains(hash, "guidance=7.3") {
			t.Error(hash[strings.Index(hash, "?"):])
		}
	})
}

// TestNoStep: what is painted with a strength of 0 has no candidates, also after it
// had some.
func TestNoStep(t *testing.T) {
	b := newProfile(t).open(serve(t))
	b.drop(river)
	b.painting()
	for _, value := range []string{"candidates.value = 2", "strength.value = 0"} {
		eval[bool](b, `((form) => { form.elements.`+value+`; `+work+`.dataset.state = 'asked'; form.requestSubmit(); return true; })(document.querySelector('#open form'))`)
		b.until(`['done', 'failed'].includes(` + work + `.dataset.state)`)
		if got := b.text(); strings.Contains(got, "It failed") {
			t.Fatalf("after %s the page says %q", value, got)
		}
	}
}

// TestSeed: a seed has 64 bits. A larger one is not painted, and the page says
// what is wrong with it.
func TestSeed(t *testing.T) {
	everywhere(t, func(t *testing.T, url string, p *profile) {
		b := p.open(url + link(t, 1, quick))
		b.painting()
		try := func(seed string) string {
			return eval[string](b, fmt.Sprintf(`((form) => {
				const { seed } = form.elements;
				seed.value = %q;
				seed.dispatchEvent(new Event('input', { bubbles: true }));
				if (form.checkValidity()) form.requestSubmit();
				return seed.validationMessage;
			})(document.querySelector('#open form'))`, seed))
		}
		for _, seed := range []string{"18446744073709551616", "-1", "1.5", ""} {
			if got := try(seed); !strings.Contains(got, "18446744073709551615") {
				t.Errorf("of the seed %q the page says %q", seed, got)
			}
		}
		if got := try("18446744073709551615"); got != "" {
			t.Fatalf("of the largest seed the page says %q", got)
		}
		b.until(`/seed=18446744073709551615(&|$)/.test(location.hash)`)
		b.painting()
		if got := eval[string](b, `document.querySelector('#open [name=seed]').value`); got != "18446744073709551615" {
			t.Errorf("the largest seed is shown as %q", got)
		}
	})
}

// TestReload: a page that is loaded again in the middle of a painting resumes
// it: where a server paints, at the step that it has come to.
func TestReload(t *testing.T) {
	everywhere(t, func(t *testing.T, url string, p *profile) {
		b := p.open(url + link(t, 1, slow))
		b.stepping()
		before := eval[float64](b, work+`.querySelector('progress').value`)
		b.do(chromedp.Reload())
		b.ready()
		b.stepping()
		after := eval[float64](b, work+`.querySelector('progress').value`)
		if strings.HasSuffix(t.Name(), "server") && after < before {
			t.Errorf("%.3f was painted before the page was loaded again, %.3f after", before, after)
		}
		if n := eval[int](b, `document.querySelectorAll('#tiles li').length`); n != 1 {
			t.Errorf("%d pictures after the page was loaded again, not 1", n)
		}
		b.do(chromedp.Click("#open .cancel"))
		b.until(work + `.dataset.state === 'canceled'`)
	})
}

// TestSeveral: several pictures are painted one after the other, and are kept
// until they are cleared.
func TestSeveral(t *testing.T) {
	everywhere(t, func(t *testing.T, url string, p *profile) {
		b := p.open(url)
		b.drop(river, dusk)
		b.until(done + ` === 2`)
		b.do(chromedp.Reload())
		b.ready()
		if n := eval[int](b, done); n != 2 {
			t.Errorf("%d of 2 pictures are kept", n)
		}
		eval[bool](b, `(window.confirm = () => true)()`)
		b.do(chromedp.Click("#clear"))
		b.until(`document.querySelector('#history').hidden`)
		b.do(chromedp.Reload())
		b.ready()
		if n := eval[int](b, `document.querySelectorAll('#tiles li').length`); n != 0 {
			t.Errorf("%d pictures are left after all were cleared", n)
		}
	})
}
