package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func random(n int) []byte {
	data, rng := make([]byte, n), rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	return data
}

func open(t *testing.T, r io.Reader, limit int64) File {
	t.Helper()
	f, err := New(r, nil).Open(t.Context(), Stdio, limit)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSpool: a stream is read, sought and read anywhere like a file.
func TestSpool(t *testing.T) {
	for _, size := range []int{0, 1, 1000, blockSize - 1, blockSize, blockSize + 1, 3*blockSize + 7} {
		data := random(size)
		if err := iotest.TestReader(open(t, bytes.NewReader(data), int64(size)), data); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		got, err := io.ReadAll(open(t, iotest.HalfReader(bytes.NewReader(data)), int64(size)))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: read %d, %v", size, len(got), err)
		}
	}
}

// TestSpoolReadsNoFurther: the first bytes decide before the rest has come.
func TestSpoolReadsNoFurther(t *testing.T) {
	source := &counted{r: bytes.NewReader(random(5 * blockSize))}
	f := open(t, source, 1<<30)
	head := make([]byte, 16)
	if _, err := io.ReadFull(f, head); err != nil {
		t.Fatal(err)
	}
	if source.n > blockSize {
		t.Errorf("%d bytes were read for the first 16", source.n)
	}
	if _, err := f.ReadAt(head, 2*blockSize); err != nil || source.n > 3*blockSize {
		t.Errorf("%d bytes were read for 16 at %d (%v)", source.n, 2*blockSize, err)
	}
}

type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// TestSpoolLimit: no more than the limit is kept, and one byte more is an error.
func TestSpoolLimit(t *testing.T) {
	data := random(2 * blockSize)
	limit := int64(len(data))
	if got, err := io.ReadAll(open(t, bytes.NewReader(data), limit)); err != nil || len(got) != len(data) {
		t.Errorf("at the limit: %d bytes, %v", len(got), err)
	}
	source := &counted{r: endless{}}
	f := open(t, source, limit)
	got, err := io.ReadAll(f)
	if err == nil || err.Error() != "more than 524288 bytes" || len(got) != len(data) || source.n > len(data)+1 {
		t.Errorf("beyond the limit: %d bytes, %d read, %v", len(got), source.n, err)
	}
	if _, err := f.Seek(0, io.SeekEnd); err == nil {
		t.Error("something endless has an end")
	}
	if n, err := f.ReadAt(make([]byte, 2), limit-1); n != 1 || err == nil {
		t.Errorf("across the limit: %d bytes, %v", n, err)
	}
	if n, err := f.ReadAt(make([]byte, 2), 1<<60); n != 0 || err == nil {
		t.Errorf("far beyond the limit: %d bytes, %v", n, err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestSpoolMemory: the spool allocates what it holds and little more, so that
// nothing has been copied in growing.
func TestSpoolMemory(t *testing.T) {
	const size = 64 << 20
	f := open(t, io.LimitReader(endless{}, size), size)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if n, err := f.Seek(0, io.SeekEnd); err != nil || n != size {
		t.Fatal(n, err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > size+size/8 {
		t.Errorf("%d bytes were allocated to keep %d", got, size)
	}
}

// TestSpoolStops: a reader that waits forever does not outlast its context.
func TestSpoolStops(t *testing.T) {
	silent, w := io.Pipe()
	defer w.Close()
	ctx, stop := context.WithCancel(t.Context())
	f, err := New(silent, nil).Open(ctx, Stdio, 100)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := New(silent, nil).ReadLine(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a question: error %v", err)
	}
	if line, err := New(strings.NewReader("yes"), nil).ReadLine(t.Context()); line != "yes" || err != nil {
		t.Errorf("an answer: %q, %v", line, err)
	}
}
