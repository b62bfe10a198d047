package hub

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"time"
)

// A busy server is waited for no longer than longestWait: the hub counts requests
// within five minutes. Users are told about a wait above longSilence.
const (
	longestWait = 5 * time.Minute
	longSilence = 10 * time.Second
)

// busy reports whether a status is that of a server that may answer later.
func busy(code int) bool {
	return code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout
}

// retryAfter returns when a server wants to be asked again, which it gives in
// seconds or as a date of its own clock. It returns the zero time if that is now.
func retryAfter(header http.Header, now time.Time) time.Time {
	text := header.Get("Retry-After")
	seconds, err := strconv.ParseUint(text, 10, 32) // the greatest number if it is too large
	wait := time.Duration(seconds) * time.Second
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		at, err := http.ParseTime(text)
		if err != nil {
			return time.Time{}
		}
		if date, err := http.ParseTime(header.Get("Date")); err == nil {
			wait = at.Sub(date)
		} else {
			wait = at.Sub(now)
		}
	}
	if wait <= 0 {
		return time.Time{}
	}
	return now.Add(wait)
}

// clock returns a time to the next minute, with the day if that is not today.
func clock(t, now time.Time) string {
	t = t.Local().Add(time.Minute - 1)
	if t.Format(time.DateOnly) == now.Local().Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// transient reports whether the same request may succeed a little later.
func transient(err error) bool {
	var status *statusError
	var html *htmlError
	var permanent *permanentError
	switch {
	case errors.As(err, &status):
		return busy(status.code) && time.Until(status.until) <= longestWait
	case errors.As(err, &html), errors.As(err, &permanent):
		return false
	}
	return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// Permanent reports whether the same download would end in the same error, because
// of what a server answers. An error of the disk is not one: the user may make
// room.
func Permanent(err error) bool {
	var permanent *permanentError
	var disk *fs.PathError
	return errors.As(err, &permanent) && !errors.As(err, &disk)
}

// patiently repeats an attempt that fails for a reason that may pass. attempt
// reports whether it made progress; after five failures in a row without any,
// patiently returns the last error.
func (c *Client) patiently(ctx context.Context, attempt func() (progress bool, err error)) error {
	const most = 5
	for n := 1; ; n++ {
		progress, err := attempt()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !transient(err):
			return err
		}
		if progress {
			n = 0
		}
		if n == most {
			return err
		}
		pause := time.Second << max(n-1, 0)
		if c.Pause != nil {
			pause = c.Pause(max(n, 1))
		}
		var status *statusError
		if errors.As(err, &status) {
			pause = max(pause, time.Until(status.until))
			if pause > longSilence && c.Busy != nil {
				c.Busy(status.host, time.Now().Add(pause))
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
