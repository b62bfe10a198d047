package terminal

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// hasSixel asks a terminal whether it knows sixel. Nearly all terminals answer;
// silence costs a second, or until ctx ends: the terminal is as it was before a
// second Ctrl-C can kill the program. One in the background must not ask: it would
// be stopped.
func hasSixel(ctx context.Context, f *os.File) bool {
	if group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP); err == nil && group != unix.Getpgrp() {
		return false
	}
	// Opened again, so that reading it can have a deadline.
	tty, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	if tty.SetDeadline(time.Now().Add(time.Second)) != nil {
		return false
	}
	defer context.AfterFunc(ctx, func() { _ = tty.SetDeadline(time.Now()) })()
	raw, err := tty.SyscallConn()
	if err != nil {
		return false
	}
	old, err := quiet(raw)
	if err != nil {
		return false
	}
	defer raw.Control(func(fd uintptr) { _ = unix.IoctlSetTermios(int(fd), unix.TCSETS, old) })
	if _, err := tty.WriteString("\x1b[c"); err != nil {
		return false
	}
	var answer []byte
	for b := make([]byte, 64); len(answer) < 1024 && !strings.HasSuffix(string(answer), "c"); {
		n, err := tty.Read(b)
		if err != nil {
			return false
		}
		answer = append(answer, b[:n]...)
	}
	return saysSixel(string(answer))
}

// quiet makes a terminal hand over what is typed at once and not show it, and
// returns its former state. Ctrl-C interrupts as before.
func quiet(c syscall.RawConn) (old *unix.Termios, err error) {
	e := c.Control(func(fd uintptr) {
		if old, err = unix.IoctlGetTermios(int(fd), unix.TCGETS); err == nil {
			changed := *old
			changed.Lflag &^= unix.ICANON | unix.ECHO
			changed.Cc[unix.VMIN], changed.Cc[unix.VTIME] = 1, 0
			err = unix.IoctlSetTermios(int(fd), unix.TCSETS, &changed)
		}
	})
	return old, cmp.Or(err, e)
}
