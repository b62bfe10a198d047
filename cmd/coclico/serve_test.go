package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/internal/process"
)

// A served is the program at work as a server, as a process of its own.
type served struct {
	t   *testing.T
	cmd *exec.Cmd
	url string
	log *bufio.Reader

	stderr io.Closer

	serving map[string]any // the log's entry
}

// startServer runs coclico serve. It is killed at the end of the test.
func startServer(t *testing.T, args ...string) *served {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), childVar+"=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	s := &served{t: t, cmd: cmd, log: bufio.NewReader(stderr), stderr: stderr}
	s.serving = s.entry("serving")
	s.url = strings.TrimSuffix(s.serving["url"].(string), "/")
	return s
}

// entry returns the log's next entry with a message.
func (s *served) entry(message string) map[string]any {
	s.t.Helper()
	for {
		line, err := s.log.ReadString('\n')
		if err != nil {
			s.t.Fatalf("%v: %s", err, line)
		}
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			s.t.Fatalf("%v: %s", err, line)
		}
		if e["msg"] == message {
			return e
		}
	}
}

func (s *served) post(path, mediaType string, body []byte) (status int, text []byte) {
	s.t.Helper()
	return s.read(http.Post(s.url+path, mediaType, bytes.NewReader(body)))
}

// read returns an answer's status and body.
func (s *served) read(answer *http.Response, err error) (status int, text []byte) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(answer.Body); err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, text
}

// TestServeTerminated: kill -TERM in the middle of a painting. Who watches it is
// told, and the program ends well.
func TestServeTerminated(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals")
	}
	s := startServer(t, "--admin", "off")
	data, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	status, file := s.post("/v1/encode", "image/jpeg", data)
	if want := succeed(t, "encode", photo, "-o", "-"); status != 200 || string(file) != want {
		t.Fatalf("status %d, %x, want what encode writes", status, file)
	}
	status, text := s.post("/v1/decodes?size=512&steps=1000&strength=1", "application/vnd.coclico", file)
	var d struct{ ID string }
	if err := json.Unmarshal(text, &d); err != nil || status != 202 {
		t.Fatalf("status %d: %s", status, text)
	}
	events, err := http.Get(s.url + "/v1/decodes/" + d.ID + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	lines := bufio.NewScanner(events.Body)
	lines.Buffer(nil, 1<<20)
	steps, told := 0, false
	var killed time.Time
	for lines.Scan() {
		switch lines.Text() {
		case "event: step":
			if steps++; steps == 3 {
				killed = time.Now()
				if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
			}
		case "event: shutdown":
			told = true
		}
	}
	if err := lines.Err(); err != nil || !told {
		t.Errorf("after %d steps the stream ended (%v), told: %t", steps, err, told)
	}
	s.entry("stopping")
	if _, err := io.Copy(io.Discard, s.log); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
	t.Logf("it took %v", time.Since(killed))
}

// TestServeAdmin: health, readiness and metrics have an address of their own.
func TestServeAdmin(t *testing.T) {
	s := startServer(t, "--admin", "127.0.0.1:0")
	url := "http://" + s.serving["admin"].(string)
	for path, says := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/metrics": "coclico_queue_length 0"} {
		answer, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != 200 || !strings.Contains(string(text), says) {
			t.Errorf("%s: status %d (%v): %.300s", path, answer.StatusCode, err, text)
		}
	}
}

// TestServeRefuses: a server that could not work, or that everyone could use, does
// not begin.
func TestServeRefuses(t *testing.T) {
	dir := t.TempDir()
	short := filepath.Join(dir, "short")
	if err := os.WriteFile(short, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status int
		says   string
		args   []string
	}{
		{process.Failed, "--token-file", []string{"--listen", "0.0.0.0:0"}},
		{process.Failed, "write 0.0.0.0", []string{"--listen", ":0"}},
		{process.Failed, "--tls-cert", []string{"--listen", "0.0.0.0:0", "--no-auth"}},
		{process.Failed, "3 bytes", []string{"--token-file", short}},
		{process.Usage, "exclude each other (coclico serve --help)", []string{"--token-file", short, "--no-auth"}},
		{process.Failed, "HOST:PORT", []string{"--listen", "7788"}},
		{process.Failed, empty, []string{"--model", empty}},
		{process.Failed, "nowhere", []string{"--model", "nowhere"}},
		{process.Failed, dir, []string{"--archive", dir}},
		{process.Usage, "--queue 0: must be a whole number from 1", []string{"--queue", "0"}},
		{process.Usage, "--keep 0s: must be a duration from 1s to 8760h", []string{"--keep", "0s"}},
		{process.Usage, "--log-level loud: must be debug", []string{"--log-level", "loud"}},
		{process.Usage, "--allow-host a:80: must be a name", []string{"--allow-host", "a:80"}},
		{process.Usage, "serve takes no arguments", []string{"here"}},
	} {
		fail(t, c.status, []string{c.says}, append([]string{"serve", "--admin", "off"}, c.args...)...)
	}
}

// TestServeHalfModel: half a model is served, and answers what it lacks with 501.
func TestServeHalfModel(t *testing.T) {
	dir := atHome(t)
	half := filepath.Join(filepath.Dir(dir), "half")
	succeed(t, "models", "convert", dir, half, "--encoder-only")
	s := startServer(t, "--admin", "off", "--model", half)
	data, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	status, file := s.post("/v1/encode", "image/jpeg", data)
	if status != 200 {
		t.Fatalf("encode: status %d: %s", status, file)
	}
	status, text := s.post("/v1/decodes", "application/vnd.coclico", file)
	if status != 501 || !strings.Contains(string(text), "half-model") {
		t.Errorf("decode: status %d: %s", status, text)
	}
	answer, err := http.Get(s.url + "/v1/info")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var v struct {
		Model struct{ Encodes, Decodes bool }
	}
	if err := json.NewDecoder(answer.Body).Decode(&v); err != nil || !v.Model.Encodes || v.Model.Decodes {
		t.Errorf("%+v (%v)", v, err)
	}
}

// TestServeArchive: an archive is searched by what the command finds.
func TestServeArchive(t *testing.T) {
	photos := pictures(t, 3)
	a := filepath.Join(t.TempDir(), "A")
	succeed(t, "archive", "create", photos, "-o", a)
	s := startServer(t, "--admin", "off", "--archive", a)
	answer, err := http.Get(s.url + "/v1/search?q=forest")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var v struct {
		Hits []struct{ Name string }
	}
	if err := json.NewDecoder(answer.Body).Decode(&v); err != nil || answer.StatusCode != 200 {
		t.Fatalf("status %d, %v", answer.StatusCode, err)
	}
	var names []string
	for _, h := range v.Hits {
		names = append(names, h.Name)
	}
	var want []string
	for line := range strings.Lines(succeed(t, "search", a, "--text", "forest")) {
		want = append(want, strings.Fields(line)[1])
	}
	if fmt.Sprint(names) != fmt.Sprint(want) || len(names) == 0 {
		t.Errorf("it finds %q, the command %q", names, want)
	}
}
