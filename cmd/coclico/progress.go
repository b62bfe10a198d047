package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/coclico/coclico/codec"
)

// A bar shows on a terminal how far the work is; elsewhere it does nothing.
type bar struct {
	w   io.Writer // nil elsewhere
	bar *progressbar.ProgressBar
}

func (a *app) newBar() *bar {
	if !isTerminal(a.stderr) {
		return &bar{}
	}
	return &bar{w: a.stderr}
}

// progress shows what the codec reports. The denoising is nearly all of the work, so its steps are the
// bar and its pace the time left; the stages around it are named as they run.
func (b *bar) progress(p codec.Progress) {
	if b.w == nil {
		return
	}
	if p.Stage != codec.StageDenoise {
		b.close()
		fmt.Fprintf(b.w, "%s ...", p.Stage)
		return
	}
	step := fmt.Sprintf("step %d of %d", min(p.Step+1, p.Steps), p.Steps)
	if b.bar == nil {
		b.close() // the line of the stage before
		b.bar = progressbar.NewOptions(p.Steps,
			progressbar.OptionSetWriter(b.w),
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

// line says what is being done.
func (b *bar) line(what string) {
	if b.w != nil {
		fmt.Fprintf(b.w, "\r\x1b[K%s ...", what)
	}
}

// bytes shows how much of a known amount is written.
func (b *bar) bytes(done, total int64) {
	if b.w == nil {
		return
	}
	if b.bar == nil {
		b.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(b.w),
			progressbar.OptionShowBytes(true),
			progressbar.OptionShowCount(),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetWidth(30),
			progressbar.OptionClearOnFinish())
	}
	_ = b.bar.Set64(done)
}

// close leaves an empty line where the bar was.
func (b *bar) close() {
	if b.w == nil {
		return
	}
	if b.bar != nil {
		_ = b.bar.Clear()
		b.bar = nil
	}
	fmt.Fprint(b.w, "\r\x1b[K")
}
