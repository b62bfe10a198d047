package main

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/internal/process"
)

// get returns what a client gets that does not wait for ever.
func (s *served) get(path string) (status int, text []byte) {
	s.t.Helper()
	client := http.Client{Timeout: time.Minute}
	return s.read(client.Get(s.url + path))
}

// TestServeUnread: a log that nobody reads holds up neither requests nor the end.
func TestServeUnread(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals")
	}
	s := startServer(t, "--admin", "off")
	for range 1000 { // 200 kB of log, more than a pipe holds
		if status, text := s.get("/v1/info"); status != http.StatusOK {
			t.Fatalf("status %d: %s", status, text)
		}
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if state := await(t, s.cmd); state != nil && !state.Success() {
		t.Errorf("the program ended with %v", state)
	}
}

// await waits for a program to end, whose output it leaves unread.
func await(t *testing.T, cmd *exec.Cmd) *os.ProcessState {
	t.Helper()
	ended := make(chan *os.ProcessState, 1)
	go func() {
		state, err := cmd.Process.Wait() // cmd.Wait would read no more, either
		if err != nil {
			t.Error(err)
		}
		ended <- state
	}()
	select {
	case state := <-ended:
		return state
	case <-time.After(30 * time.Second):
		t.Error("the program does not end within 30 seconds")
		return nil
	}
}

// fullPipe returns the end of a full pipe that nobody reads.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	if err := w.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		t.Skip(err)
	}
	for err == nil {
		_, err = w.Write(make([]byte, 4096))
	}
	return w
}

// TestServeFailsUnread: a server that cannot begin does not wait for who reads its
// complaint, whatever is wrong.
func TestServeFailsUnread(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	w := fullPipe(t)
	for _, args := range [][]string{
		{"--admin", "off", "--listen", ln.Addr().String()},
		{"--admin", "off", "--token-file", filepath.Join(t.TempDir(), "none")},
	} {
		cmd := exec.Command(os.Args[0], append([]string{"serve"}, args...)...)
		cmd.Env = append(os.Environ(), childVar+"=1")
		cmd.Stderr = w
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() })
		if state := await(t, cmd); state != nil && state.ExitCode() != process.Failed {
			t.Errorf("%q: the program ended with %v", args, state)
		}
	}
}

// TestServeOutlivesReader: a server lives on when the reader of its log has gone.
func TestServeOutlivesReader(t *testing.T) {
	s := startServer(t, "--admin", "off")
	if err := s.stderr.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if status, text := s.get("/v1/info"); status != http.StatusOK {
			t.Fatalf("status %d: %s", status, text)
		}
		time.Sleep(50 * time.Millisecond) // until the log is written
	}
}
