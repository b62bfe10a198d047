package evaluate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A toolbox runs programs that are on PATH.
type toolbox struct {
	limit time.Duration // of a run

	mu      sync.Mutex
	version map[string]string // by path

	findVVC  sync.Once
	foundVVC vvc
}

// find returns a program's path, or "".
func (b *toolbox) find(name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	if path, err = filepath.Abs(path); err != nil { // it is run in other folders
		return ""
	}
	return path
}

// identify returns a program's name and eight digits of its hash, so that an
// update is evaluated anew.
func (b *toolbox) identify(path string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v, ok := b.version[path]; ok {
		return v, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	if b.version == nil {
		b.version = map[string]string{}
	}
	b.version[path] = fmt.Sprintf("%s %x", filepath.Base(path), h.Sum(nil)[:4])
	return b.version[path], nil
}

// A use is what a program took.
type use struct {
	elapsed time.Duration
	memory  float64 // MiB at the peak, 0 if unknown
}

// run runs a command line in a folder. Errors begin with the program's name and
// end with the last line that it wrote.
func (b *toolbox) run(ctx context.Context, dir string, args ...string) (use, error) {
	name := filepath.Base(args[0])
	limited, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	cmd := exec.CommandContext(limited, args[0], args[1:]...)
	cmd.Dir = dir
	said := &tail{}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.WaitDelay = time.Second // for what it left behind with the pipes open
	isolate(cmd)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return use{}, fmt.Errorf("%s: %w", name, cause(err))
	}
	peak := watchMemory(cmd.Process.Pid)
	err := cmd.Wait()
	u := use{elapsed: time.Since(start), memory: peak(cmd.ProcessState)}
	killGroup(cmd.Process.Pid)
	switch {
	case ctx.Err() != nil:
		return u, ctx.Err()
	case limited.Err() != nil:
		return u, fmt.Errorf("%s: killed after %v", name, b.limit)
	case errors.Is(err, exec.ErrWaitDelay): // the program had ended before the delay
		u.elapsed -= cmd.WaitDelay
		return u, nil
	case err == nil:
		return u, nil
	}
	if line := said.line(); line != "" {
		return u, fmt.Errorf("%s: %w: %s", name, err, line)
	}
	return u, fmt.Errorf("%s: %w", name, err)
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	last []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const most = 4096
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p[max(0, len(p)-most):]...)
	t.last = t.last[max(0, len(t.last)-most):]
	return len(p), nil
}

// line returns the last line with letters, at most 200 of them, without
// characters that a terminal would obey.
func (t *tail) line() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.FieldsFunc(t.last, func(r rune) bool { return r == '\n' || r == '\r' })
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(graphic(string(lines[i])))
		if r := []rune(line); len(r) > 200 {
			line = string(r[:200])
		}
		if line != "" {
			return line
		}
	}
	return ""
}
