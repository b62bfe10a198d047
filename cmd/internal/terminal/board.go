package terminal

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/coclico/coclico/codec"
)

// A Board shows on a terminal how far a batch is: a bar for the files, and
// below it one for the steps of the current file. Elsewhere it does nothing.
type Board struct {
	screen  *Screen
	w       io.Writer // nil elsewhere
	columns func() int

	files, ended, worked, failed int
	started, drawn               time.Time
	file, stage                  string
	step, steps                  int
}

// Board returns a board on standard error. The caller must Start and Close it.
func (s *Screen) Board() *Board {
	b := &Board{screen: s}
	if s.movable() {
		b.w = s.Err
	}
	b.columns = func() int {
		if f, ok := s.Err.(*os.File); ok {
			if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
				return n
			}
		}
		return 80
	}
	return b
}

// Start starts the count of so many files, 0 if their number is not known.
func (b *Board) Start(files int) { b.files, b.started = files, time.Now() }

// Warn prints warnings above the board, see [Screen.Warn].
func (b *Board) Warn(name string, warnings []string) {
	if len(warnings) > 0 {
		b.Close() // it is drawn again below them
		b.screen.Warn(name, warnings)
	}
}

// Begin shows the file that is worked on.
func (b *Board) Begin(file string) {
	b.file, b.stage, b.step, b.steps = file, "reading", 0, 0
	b.draw(false)
}

// Progress shows what the codec reports about the file.
func (b *Board) Progress(p codec.Progress) {
	b.stage, b.step, b.steps = string(p.Stage), p.Step, p.Steps
	if p.Stage == codec.StageCandidates {
		b.stage = candidate(p)
	}
	b.draw(false)
}

// Show shows a step of the work on a file at once, whatever was drawn just
// before: for steps that may take minutes.
func (b *Board) Show(file, stage string, step, steps int) {
	b.file, b.stage, b.step, b.steps = file, stage, step, steps
	b.draw(true)
}

// Done counts a file whose work is done.
func (b *Board) Done() {
	b.worked++
	b.end()
}

// Skipped counts a file that needed no work.
func (b *Board) Skipped() { b.end() }

// Failed counts a file whose work failed.
func (b *Board) Failed() {
	b.failed++
	b.end()
}

func (b *Board) end() {
	b.ended++
	b.draw(b.ended == b.files)
}

// draw writes both lines and returns to the first, ten times a second at most.
func (b *Board) draw(always bool) {
	if b.w == nil || !always && time.Since(b.drawn) < 100*time.Millisecond {
		return
	}
	b.drawn = time.Now()
	first, second := b.lines(time.Since(b.started))
	n := b.columns() - 1
	fmt.Fprintf(b.w, "\r\x1b[K%s\n\x1b[K%s\x1b[1A\r", cut(first, n), cut(second, n))
}

// lines returns what is shown after so much time.
func (b *Board) lines(elapsed time.Duration) (first, second string) {
	first = fmt.Sprintf("%s %d/%d files", meter(b.ended, b.files), b.ended, b.files)
	if b.files == 0 {
		first = fmt.Sprintf("%d files", b.ended)
	}
	if b.failed > 0 {
		first += fmt.Sprintf(", %d failed", b.failed)
	}
	if n := b.worked + b.failed; n > 0 && elapsed > 0 {
		first += fmt.Sprintf("  %s files/s", Rate(float64(n)/elapsed.Seconds()))
		if b.files > 0 { // by those that took work
			first += ", " + Left(elapsed, float64(n)/float64(n+b.files-b.ended))
		}
	}
	second = fmt.Sprintf("%s %s: %s", meter(b.step, b.steps), filepath.Base(b.file), b.stage)
	if b.steps > 0 {
		second += fmt.Sprintf(", step %d of %d", min(b.step+1, b.steps), b.steps)
	}
	return first, second
}

// Rate returns a rate in three digits, or in all of them from 1,000 on.
func Rate(r float64) string {
	if r >= 1000 {
		return fmt.Sprintf("%.0f", r)
	}
	return fmt.Sprintf("%.3g", r)
}

// meter is a bar of 20 columns.
func meter(done, all int) string {
	n := 0
	if all > 0 {
		n = 20 * done / all
	}
	return "[" + strings.Repeat("=", n) + strings.Repeat(" ", 20-n) + "]"
}

// cut shortens a line to n columns, so that it stays one line, and replaces
// characters that would move the cursor.
func cut(line string, n int) string {
	line = Printable(line)
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

// firstWide is the first letter of Hangul: from there on a letter may take two
// columns. Many later ones take one; a line of them is cut early.
const firstWide = 0x1100

// Close leaves empty lines where the board was. A closed board may be used again.
func (b *Board) Close() {
	if b.w != nil && !b.drawn.IsZero() {
		fmt.Fprint(b.w, "\r\x1b[K\n\x1b[K\x1b[1A\r")
	}
}
