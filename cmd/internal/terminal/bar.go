package terminal

import (
	"fmt"
	"image"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/coclico/coclico/codec"
)

// A Bar shows on a terminal how far a piece of work is; elsewhere it does
// nothing.
type Bar struct {
	screen *Screen
	w      io.Writer // nil elsewhere
	theme  progressbar.Theme
	bar    *progressbar.ProgressBar
	canvas *canvas // nil before Draw

	begun, counted time.Time // of Count
}

// Bar returns a bar on standard error. The caller must Close it.
func (s *Screen) Bar() *Bar {
	if !s.movable() {
		return &Bar{}
	}
	b := &Bar{screen: s, w: s.Err, theme: progressbar.ThemeASCII}
	if hasBlocks(s.getenv) {
		b.theme = progressbar.ThemeDefault
	}
	return b
}

// Draw draws a picture above the bar, in place of the one that it drew before
// unless the bar was closed in between. The bar is shown again with the next
// Progress.
func (b *Bar) Draw(img image.Image, g Graphics) {
	if b.w == nil {
		return
	}
	if b.canvas == nil {
		b.canvas = &canvas{screen: b.screen, graphics: g, number: uint32(os.Getpid()) << 8}
	}
	b.canvas.draw(img)
}

// Progress shows what the codec reports. Denoising, or the search among
// candidates, is nearly all of the work, so its steps are the bar and its pace
// the time left; the stages around it are named as they run.
func (b *Bar) Progress(p codec.Progress) {
	if b.w == nil {
		return
	}
	if p.Steps == 0 {
		b.clear()
		fmt.Fprintf(b.w, "%s ...", p.Stage)
		return
	}
	step := fmt.Sprintf("step %d of %d", min(p.Step+1, p.Steps), p.Steps)
	if p.Stage == codec.StageCandidates {
		step = candidate(p)
	}
	if b.bar == nil {
		b.clear() // the line of the stage before
		b.bar = progressbar.NewOptions(p.Steps,
			progressbar.OptionSetWriter(b.w),
			progressbar.OptionSetTheme(b.theme),
			progressbar.OptionSetDescription(step),
			progressbar.OptionSetPredictTime(true), // [time so far:time left]
			progressbar.OptionSetElapsedTime(true),
			progressbar.OptionSetWidth(30),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetRenderBlankState(true))
		return
	}
	b.bar.Describe(step)
	_ = b.bar.Set(p.Step)
}

// candidate names the candidate at work, counted from 1.
func candidate(p codec.Progress) string {
	return fmt.Sprintf("candidate %d of %d", p.Candidate+1, p.Candidates)
}

// Line names what is being done.
func (b *Bar) Line(what string) {
	if b.w != nil {
		fmt.Fprintf(b.w, "\r\x1b[K%s ...", what)
	}
}

// Count names what is being done and how far it is, at most ten times a second.
// What is told how long it has been done.
func (b *Bar) Count(what func(elapsed time.Duration) string) {
	now := time.Now()
	if b.begun.IsZero() {
		b.begun = now
	}
	if now.Sub(b.counted) > time.Second/10 {
		b.counted = now
		b.Line(what(now.Sub(b.begun)))
	}
}

// Left reports how much time is left when a share of the work, above 0, has taken
// that long. A process that was stopped at the beginning seems to have years
// left, which may be more than a Duration holds.
func Left(elapsed time.Duration, share float64) string {
	const year = 365 * 24 * time.Hour
	left := float64(elapsed) * (1 - share) / share
	if left > float64(year) {
		return "more than a year left"
	}
	return fmt.Sprintf("%v left", time.Duration(left).Round(time.Second))
}

// Bytes shows how much of a known amount is done.
func (b *Bar) Bytes(done, total int64) {
	if b.w == nil {
		return
	}
	if b.bar == nil {
		b.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(b.w),
			progressbar.OptionSetTheme(b.theme),
			progressbar.OptionShowBytes(true),
			progressbar.OptionShowCount(),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetWidth(30),
			progressbar.OptionClearOnFinish())
	}
	_ = b.bar.Set64(done)
}

// Close leaves an empty line where the bar was, below the picture. A closed bar
// may be used again.
func (b *Bar) Close() {
	if b.w == nil {
		return
	}
	b.clear()
	if b.canvas != nil {
		b.canvas.forget()
	}
}

func (b *Bar) clear() {
	if b.bar != nil {
		_ = b.bar.Clear()
		b.bar = nil
	}
	fmt.Fprint(b.w, "\r\x1b[K")
}
