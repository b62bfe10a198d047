package worker

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/codec"
)

// source returns a bucket with one object, and what a listing says about it.
func source(t *testing.T, name string, data []byte) (*bucket.Bucket, bucket.Object) {
	t.Helper()
	b, err := bucket.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	if err := b.Put(t.Context(), name, data); err != nil {
		t.Fatal(err)
	}
	for o, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		return b, o
	}
	t.Fatal("nothing listed")
	return nil, bucket.Object{}
}

func builtIn(t *testing.T) *codec.Codec {
	t.Helper()
	c, err := codec.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestOption encodes a picture that an option does not suit: it has a row with
// that error, and the chunk does not fail.
func TestOption(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	from, o := source(t, "a.png", b.Bytes())
	e, err := NewEncoder(from, builtIn(t), &options.Encoding{Options: codec.EncodeOptions{Profile: codec.Tuned, Bytes: codec.MinBytes - 1}, Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Make(t.Context(), o)
	var wrong PictureError
	if !errors.As(err, &wrong) || !strings.Contains(err.Error(), "budget") {
		t.Errorf("error %v", err)
	}
}

// TestEncodeMemory: a picture waits for the memory of its pixels and of the copy
// that the codec makes.
func TestEncodeMemory(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 100, 100))); err != nil {
		t.Fatal(err)
	}
	from, o := source(t, "a.png", b.Bytes())
	e, err := NewEncoder(from, builtIn(t), &options.Encoding{Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	const rows, need = 2 * 4 * 100, (4 + 3) * 100 * 100
	others := e.memory - need - rows + 1
	if err := e.pixels.Acquire(t.Context(), others); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := e.Make(ctx, o); !errors.Is(err, context.DeadlineExceeded) || !e.pixels.TryAcquire(need+rows-1) {
		t.Errorf("with a byte too few: %v", err)
	}
	e.pixels.Release(need + rows)
	if _, err := e.Make(t.Context(), o); err != nil {
		t.Error(err)
	}
}

// TestNoMemory has a picture that takes more memory than the worker has: it gets a
// row with that error. The memory is that of a program of its own.
func TestNoMemory(t *testing.T) {
	const child = "COCLICO_TEST_NO_MEMORY"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestNoMemory$")
		cmd.Env = append(os.Environ(), child+"=1", "GOMEMLIMIT=64MiB")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewPaletted(image.Rect(0, 0, 5000, 5000), color.Palette{color.Black, color.White})); err != nil {
		t.Fatal(err)
	}
	from, o := source(t, "a.png", b.Bytes())
	e, err := NewEncoder(from, builtIn(t), &options.Encoding{Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Make(t.Context(), o)
	var wrong PictureError
	if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), "a picture of 5000 x 5000 pixels that takes 96 MiB of memory to encode: ") {
		t.Errorf("error %v", err)
	}
	o.Size = 100 << 20 // of the file, which is not fetched
	_, err = e.Make(t.Context(), o)
	if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), "a picture that takes 100 MiB of memory to encode: ") {
		t.Errorf("a large file: error %v", err)
	}
}

// TestGrown has a picture that grew after the job was planned. It is not read:
// memory was reserved for the size that was listed.
func TestGrown(t *testing.T) {
	const grown = 32 << 20
	from, o := source(t, "a.png", make([]byte, grown))
	o.Size = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Source{from}.read(t.Context(), o, maxPicture)
	runtime.ReadMemStats(&after)
	var wrong PictureError
	if !errors.As(err, &wrong) || !strings.Contains(err.Error(), "has changed") {
		t.Errorf("error %v", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > grown/4 {
		t.Errorf("%d bytes were read of a picture with %d in the list", took, o.Size)
	}
}

// TestUnheldPicture paints a file of an object store into a folder that cannot
// hold its name.
func TestUnheldPicture(t *testing.T) {
	c := builtIn(t)
	data, err := c.Encode(t.Context(), image.NewGray(image.Rect(0, 0, 8, 8)), nil)
	if err != nil {
		t.Fatal(err)
	}
	from, o := source(t, strings.Repeat("x", 260)+".coclico", data)
	out, err := bucket.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	how := options.Decode(flags)
	if err := flags.Parse([]string{"--steps=1"}); err != nil {
		t.Fatal(err)
	}
	given, err := how()
	if err != nil {
		t.Fatal(err)
	}
	p := &Painter{Source: Source{from}, Out: out, Codec: c, Decoding: given}
	_, err = p.Make(t.Context(), o)
	var wrong PictureError
	if !errors.As(err, &wrong) || !strings.Contains(err.Error(), "no place for its picture") {
		t.Errorf("error %v", err)
	}
}

func TestPictureName(t *testing.T) {
	files := map[string]string{}
	for _, file := range []string{"x.coclico", "x.COCLICO", "x.Coclico", "x.COCLICO.coclico", "x.coclico.coclico", "x.coclico.COCLICO", "x.png.coclico", "x.coclico.png.coclico"} {
		name := PictureName(file)
		if old, found := files[name]; found || !strings.HasSuffix(name, ".png") {
			t.Errorf("%s of both %s and %s", name, file, old)
		}
		files[name] = file
	}
	if got := PictureName("a/b.coclico"); got != "pictures/a/b.png" {
		t.Error(got)
	}
}
