package main

import (
	"io"
	"net/http"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// get answers what a client gets that does not wait for ever.
func (s *served) get(path string) (status int, text []byte) {
	s.t.Helper()
	client := http.Client{Timeout: time.Minute}
	answer, err := client.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(answer.Body); err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, text
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
	ended := make(chan *os.ProcessState, 1)
	go func() {
		state, err := s.cmd.Process.Wait() // cmd.Wait would read no more, either
		if err != nil {
			t.Error(err)
		}
		ended <- state
	}()
	select {
	case state := <-ended:
		if !state.Success() {
			t.Errorf("the program ended with %v", state)
		}
	case <-time.After(30 * time.Second):
		t.Error("the program does not end within 30 seconds")
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
