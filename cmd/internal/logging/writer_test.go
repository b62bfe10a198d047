package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

// lostOf returns the number of lines that an entry reports as lost, 0 if it is
// another one.
func lostOf(t *testing.T, line string) int {
	t.Helper()
	var entry struct {
		Level, Msg string
		Lines      int
	}
	if err := json.Unmarshal([]byte(line), &entry); err != nil {
		t.Fatalf("%v: %q", err, line)
	}
	if entry.Lines > 0 && (entry.Level != "WARN" || !strings.Contains(entry.Msg, "lost")) {
		t.Errorf("the entry is %q", line)
	}
	return entry.Lines
}

// TestUnread: nobody waits for a log that is not read. Once it is, it says how
// many lines it lacks.
func TestUnread(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := NewWriter(w)
	log := New(out, slog.LevelInfo)
	const entries = 3 * maxPending / 1000
	for range entries {
		log.Info(strings.Repeat("x", 1000))
	}
	begun := time.Now()
	out.Close()
	if took := time.Since(begun); took > 20*closeTime {
		t.Errorf("Close took %v", took)
	}
	go func() {
		<-out.done
		w.Close()
	}()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	read, lost := 0, 0
	for line := range strings.Lines(string(got)) {
		if n := lostOf(t, line); n > 0 {
			lost += n
			continue
		}
		read++
	}
	if read+lost != entries || lost == 0 {
		t.Errorf("%d entries are read and %d lost, of %d", read, lost, entries)
	}
	if _, err := out.Write([]byte("late\n")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// A fullDisk takes half of the first bytes that it gets, none of the next, and
// all of those that follow.
type fullDisk struct {
	bytes.Buffer
	writes int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	switch d.writes++; d.writes {
	case 1:
		n, _ := d.Buffer.Write(p[:len(p)/2])
		return n, io.ErrShortWrite
	case 2:
		return 0, io.ErrShortWrite
	}
	return d.Buffer.Write(p)
}

// TestFailedWrites: lines that cannot be written are counted, and half a line
// spoils no other.
func TestFailedWrites(t *testing.T) {
	disk := new(fullDisk)
	out := NewWriter(disk)
	log := New(out, slog.LevelInfo)
	for _, message := range []string{"first", "second", "third"} {
		log.Info(message)
		for waits := true; waits; time.Sleep(time.Millisecond) { // a write for each
			out.mu.Lock()
			waits = len(out.pending) > 0
			out.mu.Unlock()
		}
	}
	out.Close()
	lines := strings.Split(disk.String(), "\n")
	if len(lines) != 4 || !strings.Contains(lines[1], "third") || lostOf(t, lines[2]) != 2 {
		t.Errorf("the log is %q", lines)
	}
}
