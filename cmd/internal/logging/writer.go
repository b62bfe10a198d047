package logging

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// maxPending is how many bytes of lines may wait to be written: some thousands
// of requests, and little beside what a server holds anyway.
const maxPending = 1 << 20

// closeTime is how long Close waits for the last lines to be written.
const closeTime = time.Second

// A Writer writes a log without making anybody wait for who reads it: lines go
// into a buffer, which a goroutine writes. Lines that find the buffer full, and
// those that cannot be written, are lost. Their number is an entry of the log as
// soon as there can be one. A Writer's methods may be called concurrently.
type Writer struct {
	to       io.Writer
	terminal bool
	torn     bool // the last line that to got is not whole

	mu      sync.Mutex
	pending []byte
	lost    int  // lines that the log does not tell of yet
	closed  bool // so is more

	more chan struct{} // something is pending
	done chan struct{} // closed when nothing is written any more
}

// NewWriter returns a writer to w, which must be closed.
func NewWriter(w io.Writer) *Writer {
	f, ok := w.(*os.File)
	l := &Writer{to: w, terminal: ok && term.IsTerminal(int(f.Fd())), more: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for range l.more {
			l.flush()
		}
	}()
	return l
}

// Write takes a line, or several. It does not keep p. A line that is lost is not
// an error, but one after Close is.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return 0, os.ErrClosed
	case len(w.pending)+len(p) > maxPending:
		w.lost += countLines(p)
		return len(p), nil
	}
	w.pending = append(w.pending, p...)
	select {
	case w.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

// Close waits until what was written before has been passed on, but no longer
// than a second.
func (w *Writer) Close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.more)
	}
	w.mu.Unlock()
	select {
	case <-w.done:
	case <-time.After(closeTime):
	}
}

// flush writes what is pending, and then, if that worked, how much was lost.
func (w *Writer) flush() {
	w.mu.Lock()
	lines, lost := w.pending, w.lost
	w.pending, w.lost = nil, 0
	w.mu.Unlock()
	n, err := w.write(lines)
	switch {
	case err != nil:
		lost += countLines(lines[n:])
	case lost > 0 && w.report(lost) == nil:
		lost = 0
	}
	w.mu.Lock()
	w.lost += lost
	w.mu.Unlock()
}

// write writes lines, after the end of a line that is torn. It returns how many
// bytes of the lines were written.
func (w *Writer) write(lines []byte) (int, error) {
	var end []byte
	if w.torn {
		end = []byte("\n")
	}
	text := append(end, lines...)
	n, err := w.to.Write(text)
	if n > 0 {
		w.torn = text[n-1] != '\n'
	}
	return max(n-len(end), 0), err
}

// report writes an entry about lost lines.
func (w *Writer) report(lost int) error {
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "lines of this log were lost: it could not be written, or not fast enough", 0)
	r.Add("lines", lost)
	var entry bytes.Buffer
	if err := newHandler(&entry, slog.LevelWarn, w.terminal).Handle(context.Background(), r); err != nil {
		return err
	}
	_, err := w.write(entry.Bytes())
	return err
}

func countLines(p []byte) int { return bytes.Count(p, []byte("\n")) }
