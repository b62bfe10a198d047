package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestLongFile: no file is read that is too long for a .coclico file.
func TestLongFile(t *testing.T) {
	long := filepath.Join(t.TempDir(), "long.coclico")
	if err := os.WriteFile(long, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(long, 1<<20); err != nil {
		t.Fatal(err)
	}
	b := newProfile(t).open(serve(t, "--archive", archive(t)))
	const refused = `/^long.coclico is too long for a .coclico file .at most 140,000 bytes/`
	b.do(chromedp.SetUploadFiles("#choose", []string{long}))
	b.until(refused + `.test(document.querySelector('#where').textContent)`)
	if n := eval[int](b, `document.querySelectorAll('#tiles li').length`); n != 0 {
		t.Errorf("the page takes %d files", n)
	}
	b.do(chromedp.Click(`nav [data-page=gallery]`))
	b.until(shownMaps + ` > 0`)
	b.do(chromedp.SetUploadFiles("#likeness", []string{long}))
	b.until(refused + `.test(document.querySelector('#found').textContent)`)
}

// TestFolder: a folder is not taken for a picture.
func TestFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "album")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	b := newProfile(t).open(serve(t))
	b.drop(folder, river)
	b.painting()
	if got := eval[string](b, `document.querySelector('#where').textContent`); got != "album is a folder; drop the pictures in it." {
		t.Errorf("the page says %q", got)
	}
	if n := eval[int](b, `document.querySelectorAll('#tiles li').length`); n != 1 {
		t.Errorf("the page takes %d files, not 1", n)
	}
}

// TestParts: whoever does not see colors sees the parts of a file too, and their
// bytes add up.
func TestParts(t *testing.T) {
	b := newProfile(t).open(serve(t) + link(t, 1, quick))
	b.until(`/[0-9]/.test(document.querySelector('#open .amount')?.textContent)`)
	for _, where := range []string{".hex", ".legend"} {
		styles := eval[[]string](b, `[...document.querySelectorAll('#open `+where+` .part')].map((e) => ((s) => s.textDecorationLine + ' ' + s.textDecorationStyle)(getComputedStyle(e)))`)
		if got := strings.Join(styles, ", "); got != "underline solid, underline dotted, none solid" {
			t.Errorf("the parts in %s have lines %s", where, got)
		}
	}
	sum := eval[float64](b, `[...document.querySelectorAll('#open .amount')].reduce((sum, e) => sum + parseFloat(e.textContent), 0)`)
	if n := b.file().Len(); math.Abs(sum-float64(n)) > 0.2 {
		t.Errorf("the parts have %.1f bytes, the file %d", sum, n)
	}
}
