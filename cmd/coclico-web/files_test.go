package main

import (
	"os"
	"path/filepath"
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
	const refused = `/^long.coclico has 1,048,576 bytes: no .coclico file has 140,000/`
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
