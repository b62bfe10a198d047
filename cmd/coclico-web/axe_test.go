package main

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// axeVar names the environment variable with the path of axe.min.js, of the
// package axe-core of npm. It is not in the repository: its license is another.
const axeVar = "COCLICO_AXE"

// TestAccessible: axe-core finds nothing, on the page and the gallery, empty,
// at work and when the painting is finished, light and dark, on a large screen
// and a phone.
func TestAccessible(t *testing.T) {
	if os.Getenv(axeVar) == "" {
		t.Skipf("%s does not name axe-core's axe.min.js: npm install axe-core", axeVar)
	}
	axe := string(readFile(t, os.Getenv(axeVar)))
	p := newProfile(t)
	url := serve(t, "--archive", archive(t))
	check := func(b *tab, what string) {
		t.Helper()
		b.do(chromedp.Evaluate[chromedp.Void](axe + "; undefined"))
		for _, w := range windows {
			b.look(w.width, w.height, w.scheme)
			if wide := eval[int](b, `document.documentElement.scrollWidth`); int64(wide) > w.width {
				t.Errorf("%s, %s: it is %d pixels wide", what, w.name, wide)
			}
			for _, v := range eval[[]string](b, `axe.run().then((r) => r.violations.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.map((n) => n.html + ' ' + n.failureSummary).join('; ')))`) {
				t.Errorf("%s, %s: %s", what, w.name, v)
			}
		}
	}
	b := p.open(url)
	check(b, "empty")
	b.drop(river)
	b.stepping()
	check(b, "at work")
	b.painting()
	b.do(chromedp.Click("#open summary"))
	check(b, "finished")
	g := p.open(url + "#/gallery")
	g.until(`document.querySelectorAll('#maps a').length > 0`)
	check(g, "gallery")
	if n := eval[int](g, `document.querySelectorAll('#maps a').length`); !strings.Contains(g.text(), "Gallery") || n < 3 {
		t.Errorf("the gallery that was checked has %d pictures", n)
	}
}

// windows are what the page is looked at in.
var windows = []struct {
	name          string
	width, height int64
	scheme        string
}{
	{"desktop-light", 1280, 860, "light"},
	{"desktop-dark", 1280, 860, "dark"},
	{"phone-light", 390, 844, "light"},
	{"phone-dark", 390, 844, "dark"},
}
