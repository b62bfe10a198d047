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

// TestUnread: nobody waits for a log that is not read. Once it is, it reports
// how many lines it lacks.
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

// A fullDisk takes of its next writes only some bytes each, and then all.
type fullDisk struct {
	bytes.Buffer
	room []int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(d.room) == 0 {
		return d.Buffer.Write(p)
	}
	n, _ := d.Buffer.Write(p[:min(d.room[0], len(p))])
	d.room = d.room[1:]
	if n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// TestFailedWrites: lines that cannot be written are counted, and half a line, or
// half of the count, spoils no other.
func TestFailedWrites(t *testing.T) {
	const all = 1 << 10
	for _, test := range []struct {
		room  []int
		lines []string // what they have
	}{
		{[]int{10, 0}, []string{`{"time":"2`, "third", "lost"}},
		{[]int{0, all, 10}, []string{"second", `{"time":"2`, "third", "lost"}},
	} {
		disk := &fullDisk{room: test.room}
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
		lines, lost := strings.Split(strings.TrimSuffix(disk.String(), "\n"), "\n"), 3
		if len(lines) != len(test.lines) {
			t.Fatalf("%v: the log is %q", test.room, lines)
		}
		for i, want := range test.lines {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%v: the log is %q", test.room, lines)
			}
			if want == "second" || want == "third" {
				lost--
			}
		}
		if n := lostOf(t, lines[len(lines)-1]); n != lost {
			t.Errorf("%v: %d lines are lost, not %d", test.room, n, lost)
		}
	}
}
