package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/process"
)

// newTerminal returns both ends of a new terminal: the program's and its
// user's.
func newTerminal(t *testing.T) (program, user *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { user.Close() })
	number, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { program.Close() })
	return program, user
}

// An onQuestion is an output that calls then when a question was written to it.
type onQuestion struct {
	bytes.Buffer
	then func()
}

func (q *onQuestion) Write(p []byte) (int, error) {
	n, err := q.Buffer.Write(p)
	if strings.Contains(q.String(), "[y/N]") {
		q.then()
	}
	return n, err
}

// TestRemoveAsks: on a terminal, a model is deleted if the user agrees, and
// Ctrl-C does not mean yes.
func TestRemoveAsks(t *testing.T) {
	home := t.TempDir()
	t.Setenv(catalog.ConfigVar, filepath.Join(home, "config.json"))
	t.Setenv("HF_HOME", home)
	model := filepath.Join(home, "hub", "models--owner--name")
	if err := os.MkdirAll(filepath.Join(model, "blobs"), 0o777); err != nil {
		t.Fatal(err)
	}
	remove := func(answer string) (int, string) {
		program, user := newTerminal(t)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var stdout bytes.Buffer
		stderr := onQuestion{then: func() {}}
		if answer == "" {
			stderr.then = stop
		} else if _, err := user.WriteString(answer); err != nil {
			t.Fatal(err)
		}
		status := run(ctx, []string{"models", "remove", "owner/name"}, program, &stdout, &stderr)
		return status, stderr.String()
	}
	for _, c := range []struct {
		answer, says string
		status       int
	}{
		{"\n", "nothing was deleted", process.Failed}, {"no\n", "nothing was deleted", process.Failed}, {"", "interrupted", process.Interrupted},
	} {
		status, says := remove(c.answer)
		if _, err := os.Stat(model); err != nil || status != c.status || !strings.Contains(says, "[y/N]") || !strings.Contains(says, c.says) {
			t.Errorf("answer %q: status %d, %q, %v", c.answer, status, says, err)
		}
	}
	status, says := remove("Yes\n")
	if _, err := os.Stat(model); err == nil || status != process.OK {
		t.Errorf("the model is still there: status %d, %q", status, says)
	}
}
