package hub

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"testing"
	"time"
)

// TestClock has times of this day and of others, some of them near.
func TestClock(t *testing.T) {
	for _, c := range []struct {
		now  string
		wait time.Duration
		want string
	}{
		{"2026-03-04 00:05", 0, "00:05"},
		{"2026-03-04 00:05", time.Second, "00:06"},
		{"2026-03-04 00:05", 23 * time.Hour, "23:05"},
		{"2026-03-04 23:50", 15 * time.Minute, "2026-03-05 00:05"},
		{"2026-03-04 23:59", time.Second, "2026-03-05 00:00"},
		{"2026-03-04 12:00", 365 * 24 * time.Hour, "2027-03-04 12:00"},
	} {
		now, err := time.ParseInLocation("2006-01-02 15:04", c.now, time.Local)
		if err != nil {
			t.Fatal(err)
		}
		if got := clock(now.Add(c.wait).UTC(), now); got != c.want {
			t.Errorf("%v after %s: %s, want %s", c.wait, c.now, got, c.want)
		}
	}
}

// TestPermanent: what a server answers lasts, and a full disk may be helped.
func TestPermanent(t *testing.T) {
	full := &permanentError{&fs.PathError{Op: "write", Path: "a", Err: syscall.ENOSPC}}
	for err, want := range map[error]bool{
		fmt.Errorf("a: %w", permanentf("too many redirects")): true,
		errors.Join(&permanentError{ErrChanged}):              true,
		full:                                                  false,
		io.ErrUnexpectedEOF:                                   false,
		&statusError{code: 404}:                               false,
	} {
		if Permanent(err) != want {
			t.Errorf("%v: %t", err, !want)
		}
	}
}
