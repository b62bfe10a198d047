package terminal

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/coclico/coclico/codec"
)

// A Bar shows on a terminal how far a piece of work is; elsewhere it does
// nothing.
type Bar struct {
	w     io.Writer // nil elsewhere
	theme progressbar.Theme
	bar   *progressbar.ProgressBar
}

// Bar returns a bar on standard error. The caller must Close it.
func (s *Screen) Bar() *Bar {
	if !s.movable() {
		return &Bar{}
	}
	if hasBlocks(s.getenv) {
		return &Bar{w: s.Err, theme: progressbar.ThemeDefault}
	}
	return &Bar{w: s.Err, theme: progressbar.ThemeASCII}
}

// Progress shows what the codec reports. Denoising is nearly all of the work,
// so its steps are the bar and its pace the time left; the stages around it are
// named as they run.
func (b *Bar) Progress(p codec.Progress) {
	if b.w == nil {
		return
	}
	if p.Stage != codec.StageDenoise {
		b.Close()
		fmt.Fprintf(b.w, "%s ...", p.Stage)
		return
	}
	step := fmt.Sprintf("step %d of %d", min(p.Step+1, p.Steps), p.Steps)
	if b.bar == nil {
		b.Close() // the line of the stage before
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

// Line names what is being done.
func (b *Bar) Line(what string) {
	if b.w != nil {
		fmt.Fprintf(b.w, "\r\x1b[K%s ...", what)
	}
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

// Close leaves an empty line where the bar was. A closed bar may be used again.
func (b *Bar) Close() {
	if b.w == nil {
		return
	}
	if b.bar != nil {
		_ = b.bar.Clear()
		b.bar = nil
	}
	fmt.Fprint(b.w, "\r\x1b[K")
}
