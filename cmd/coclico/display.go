package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/coclico/coclico/cmd/coclico/internal/batch"
	"github.com/coclico/coclico/codec"
)

// A display shows on a terminal how far a batch is: a bar over the files, and under it one over the steps of the current
// file. Elsewhere it does nothing.
type display struct {
	w       io.Writer // nil elsewhere
	columns func() int

	files, ended, worked, failed int
	started, drawn               time.Time
	file, stage                  string
	step, steps                  int
}

func (a *app) newDisplay(files int) *display {
	if !isTerminal(a.stderr) {
		return &display{}
	}
	return &display{w: a.stderr, files: files, started: time.Now(), columns: func() int {
		if f, ok := a.stderr.(*os.File); ok {
			if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
				return n
			}
		}
		return 80
	}}
}

// begin shows the file that is worked on now.
func (d *display) begin(file string) {
	d.file, d.stage, d.step, d.steps = file, "reading", 0, 0
	d.draw(false)
}

// progress shows what the codec reports of the file.
func (d *display) progress(p codec.Progress) {
	d.stage, d.step, d.steps = string(p.Stage), p.Step, p.Steps
	d.draw(false)
}

func (d *display) end(r batch.Result) {
	d.ended++
	switch r.Status {
	case batch.Done:
		d.worked++
	case batch.Failed:
		d.failed++
	}
	d.draw(d.ended == d.files)
}

// draw writes both lines and goes back to the first. It is quick: ten times a second are enough.
func (d *display) draw(always bool) {
	if d.w == nil || !always && time.Since(d.drawn) < 100*time.Millisecond {
		return
	}
	d.drawn = time.Now()
	first, second := d.lines(time.Since(d.started))
	n := d.columns() - 1
	fmt.Fprintf(d.w, "\r\x1b[K%s\n\x1b[K%s\x1b[1A\r", cut(first, n), cut(second, n))
}

// lines returns what is shown after so much time.
func (d *display) lines(elapsed time.Duration) (first, second string) {
	first = fmt.Sprintf("%s %d/%d files", meter(d.ended, d.files), d.ended, d.files)
	if d.failed > 0 {
		first += fmt.Sprintf(", %d failed", d.failed)
	}
	if n := d.worked + d.failed; n > 0 && elapsed > 0 {
		rate := float64(n) / elapsed.Seconds()
		left := time.Duration(float64(d.files-d.ended) / rate * float64(time.Second))
		first += fmt.Sprintf("  %.3g files/s, %v left", rate, left.Round(time.Second))
	}
	second = fmt.Sprintf("%s %s: %s", meter(d.step, d.steps), filepath.Base(d.file), d.stage)
	if d.steps > 0 {
		second += fmt.Sprintf(", step %d of %d", min(d.step+1, d.steps), d.steps)
	}
	return first, second
}

// meter is a bar of 20 columns.
func meter(done, all int) string {
	n := 0
	if all > 0 {
		n = 20 * done / all
	}
	return "[" + strings.Repeat("=", n) + strings.Repeat(" ", 20-n) + "]"
}

// cut shortens a line to n columns, so that it stays one, and takes out what would move the cursor.
func cut(line string, n int) string {
	line = printable(line)
	for i, r := range line {
		if n--; r >= firstWide {
			n--
		}
		if n < 0 {
			return line[:i]
		}
	}
	return line
}

// firstWide begins Hangul, and with it all that may be two columns wide; much behind it is not, and cut too early.
const firstWide = 0x1100

// close leaves empty lines where the display was.
func (d *display) close() {
	if d.w != nil && !d.drawn.IsZero() {
		fmt.Fprint(d.w, "\r\x1b[K\n\x1b[K\x1b[1A\r")
	}
}
