package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/worker"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec"
)

// all is the number of pictures. Their names sort as they are numbered.
const all = 400

var pictures string // the folder with them

func pictureName(i int) string { return fmt.Sprintf("%d/p%03d.png", i/100, i) }

// makePictures draws a gradient and a bar for each number.
func makePictures(dir string) error {
	for i := range all {
		img := image.NewRGBA(image.Rect(0, 0, 32, 32))
		for y := range 32 {
			for x := range 32 {
				c := color.RGBA{uint8(x * 8), uint8(y * 8), uint8(i), 255}
				if x == i%32 {
					c = color.RGBA{uint8(i * 7), 255 - uint8(i*3), 40, 255}
				}
				img.SetRGBA(x, y, c)
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			return err
		}
		name := filepath.Join(dir, filepath.FromSlash(pictureName(i)))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// reference returns the files that one process makes of all pictures.
var reference = sync.OnceValues(func() (map[string][]byte, error) {
	c, err := codec.BuiltIn()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	files := map[string][]byte{}
	for i := range all {
		f, err := os.Open(filepath.Join(pictures, filepath.FromSlash(pictureName(i))))
		if err != nil {
			return nil, err
		}
		img, err := png.Decode(f)
		f.Close()
		if err != nil {
			return nil, err
		}
		if files[pictureName(i)], err = c.Encode(context.Background(), img, &codec.EncodeOptions{Profile: codec.Tuned}); err != nil {
			return nil, err
		}
	}
	return files, nil
})

// random returns random numbers whose seed is printed.
func random(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	if given := os.Getenv(seedVar); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s=%d", seedVar, seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// A child is the program in a process of its own.
type child struct {
	t    testing.TB
	cmd  *exec.Cmd
	done chan struct{}
	err  error

	mu  sync.Mutex
	log bytes.Buffer
}

// Write implements [io.Writer] for what the program prints.
func (c *child) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.Write(b)
}

func (c *child) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.String()
}

// start starts the program. Variables are NAME=VALUE.
func start(t testing.TB, variables []string, args ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0], args...), done: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), append([]string{childVar + "=1", "GOMAXPROCS=1"}, variables...)...)
	c.cmd.Stdout, c.cmd.Stderr = c, c
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		<-c.done
		if t.Failed() {
			t.Logf("%v:\n%s", args, c.output())
		}
	})
	return c
}

// wait waits for the end of the program and returns its status.
func (c *child) wait() int {
	c.t.Helper()
	select {
	case <-c.done:
	case <-time.After(4 * time.Minute): // far more than a loaded machine needs
		c.t.Fatal("the program does not end")
	}
	return c.cmd.ProcessState.ExitCode()
}

func (c *child) kill() {
	c.cmd.Process.Kill()
	<-c.done
}

// until waits until the program has printed something at least n times.
func (c *child) until(text string, n int) {
	c.t.Helper()
	for end := time.Now().Add(4 * time.Minute); strings.Count(c.output(), text) < n; time.Sleep(2 * time.Millisecond) {
		select {
		case <-c.done:
			if strings.Count(c.output(), text) < n {
				c.t.Fatalf("the program ended with %d before it said %q %d times", c.cmd.ProcessState.ExitCode(), text, n)
			}
		default:
		}
		if time.Now().After(end) {
			c.t.Fatalf("the program does not say %q %d times", text, n)
		}
	}
}

// call runs the program to its end, which must have a status.
func call(t *testing.T, status int, args ...string) string {
	t.Helper()
	c := start(t, nil, args...)
	if got := c.wait(); got != status {
		t.Fatalf("%v: status %d, want %d:\n%s", args, got, status, c.output())
	}
	return c.output()
}

// plan plans a job of the first n pictures, and returns its destination.
func plan(t *testing.T, n, chunk int) string {
	t.Helper()
	from := pictures
	if n < all {
		from = filepath.Join(t.TempDir(), "pictures")
		for i := range n {
			name := filepath.FromSlash(pictureName(i))
			if err := os.MkdirAll(filepath.Dir(filepath.Join(from, name)), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(pictures, name), filepath.Join(from, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	to := filepath.Join(t.TempDir(), "out")
	call(t, process.OK, "plan", from, to, "--chunk", strconv.Itoa(chunk))
	return to
}

// token writes a token to a file.
func token(t *testing.T) string {
	name := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(name, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const secret = "a-token-for-nobody-else"

// freeAddress returns an address on which nobody listens.
func freeAddress(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// check checks the results of a job of the first n pictures: every name has one
// row, whose bytes are those that one process makes, except those that have an
// error; and no attempt has left anything.
func check(t *testing.T, where string, n int, failed map[string]string) {
	t.Helper()
	want, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	out, err := bucket.Open(ctx, where)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	j, err := job.Read(ctx, out)
	if err != nil {
		t.Fatal(err)
	}
	row, failures := 0, 0
	for chunk := range j.Chunks() {
		o, rows, err := worker.ReadPart(ctx, out, chunk)
		if err != nil {
			t.Fatal(err)
		}
		if o.Kernels == "" || o.Fingerprint != j.Fingerprint || !strings.Contains(o.Software, "coclico-fleet ") {
			t.Errorf("chunk %d: made by %+v", chunk, o)
		}
		for _, r := range rows {
			name := pictureName(row)
			row++
			switch reason := failed[name]; {
			case r.Name != name:
				t.Fatalf("row %d is %s, want %s", row-1, r.Name, name)
			case reason == "" && (r.Error != "" || !bytes.Equal(r.Data, want[name])):
				t.Errorf("%s: %x %q, want %x", name, r.Data, r.Error, want[name])
			case reason != "" && !strings.Contains(r.Error, reason):
				t.Errorf("%s: %q, want an error with %q", name, r.Error, reason)
			case reason != "":
				failures++
			case r.Width != 32 || r.Height != 32 || r.Size == 0 || r.Time.IsZero():
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
	if row != n || failures != len(failed) {
		t.Errorf("%d rows of %d, %d errors of %d", row, n, failures, len(failed))
	}
	for _, prefix := range []string{job.TryPrefix, job.PartPrefix} {
		left := 0
		for o, err := range out.List(ctx, prefix) {
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := j.ChunkOf(o.Name); !ok {
				t.Errorf("%s: no chunk's", o.Name)
			}
			left++
		}
		if prefix == job.TryPrefix && left > 0 || prefix == job.PartPrefix && left != j.Chunks() {
			t.Errorf("%d objects below %s", left, prefix)
		}
	}
	if done, err := out.Has(ctx, job.DoneName); err != nil || !done {
		t.Error("the job is not marked as done", err)
	}
}

// A proxy is a connection that can be cut.
type proxy struct {
	to, address string

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	p := &proxy{to: to, address: ln.Addr().String()}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			p.join(c)
		}
	}()
	return p
}

func (p *proxy) join(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, err := net.Dial("tcp", p.to)
	if p.cut || err != nil {
		c.Close()
		if err == nil {
			d.Close()
		}
		return
	}
	p.conns = append(p.conns, c, d)
	for _, pair := range [][2]net.Conn{{c, d}, {d, c}} {
		go func() {
			io.Copy(pair[0], pair[1])
			pair[0].Close()
		}()
	}
}

// set cuts the connections, or lets new ones through.
func (p *proxy) set(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for _, c := range p.conns {
			c.Close()
		}
		p.conns = nil
	}
}
