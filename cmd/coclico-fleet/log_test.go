package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/internal/process"
)

// startInto starts the program with a file as its standard error.
func startInto(t *testing.T, stderr *os.File, args ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0], args...), done: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), childVar+"=1", "GOMAXPROCS=1")
	c.cmd.Stdout, c.cmd.Stderr = c, stderr
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	t.Cleanup(c.kill)
	return c
}

// TestUnread: a log that nobody reads holds up neither the work nor the end.
func TestUnread(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if err := w.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		t.Skip(err)
	}
	for err == nil { // until the pipe is full
		_, err = w.Write(make([]byte, 4096))
	}
	s := &station{t: t, out: plan(t, 1, 1), address: freeAddress(t), token: token(t)}
	c := startInto(t, w, "serve", s.out, "--listen", s.address, "--token-file", s.token, "--queue-folder", t.TempDir())
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", s.address); err == nil {
			conn.Close()
			break
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := c.wait(); status != process.Terminated {
		t.Errorf("status %d", status)
	}
}

// TestOutlivesReader: a job is done, by workers too, when nobody reads the log.
func TestOutlivesReader(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	c := startInto(t, w, "run", plan(t, 2, 1), "--log-level", "debug", "--queue-folder", t.TempDir())
	if status := c.wait(); status != process.OK || !strings.Contains(c.output(), "2 pictures done") {
		t.Errorf("status %d: %s", status, c.output())
	}
}
