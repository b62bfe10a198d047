//go:build !race

package codec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// refusing calls f while the system refuses more than n bytes in addition to what
// the process has.
func refusing(t *testing.T, n uint64, f func()) {
	t.Helper()
	var pages uint64
	statm, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, err = fmt.Sscan(string(statm), &pages)
	}
	var old unix.Rlimit
	if err == nil {
		err = unix.Getrlimit(unix.RLIMIT_AS, &old)
	}
	if err == nil {
		err = unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: pages*uint64(os.Getpagesize()) + n, Max: old.Max})
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_AS, &old); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}

// makeThreads leaves the process n idle threads. It would die of a thread that it
// could not create, since a thread has a stack.
func makeThreads(n int) {
	var all, ready sync.WaitGroup
	ready.Add(n)
	for range n {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready.Done()
			ready.Wait()
		})
	}
	all.Wait()
}

// TestRefusedMemory: wherever the system refuses a network its memory, the call
// returns a MemoryError, and the next one does what it would have done.
func TestRefusedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("many paintings")
	}
	c := altered(t, // tensors of more than 2 MiB, in a moment
		change{"image_encoder/config.json", `"image_size": 56`, `"image_size": 448`},
		change{"image_encoder/config.json", `"intermediate_size": 160`, `"intermediate_size": 1024`},
		change{"image_encoder/config.json", `"num_hidden_layers": 3`, `"num_hidden_layers": 1`},
		change{"feature_extractor/preprocessor_config.json", ": 56", ": 448"},
	)
	img := testPicture(60, 50)
	file := rawFile(t)
	pixels := func(img image.Image, err error) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		return img.(*image.RGBA).Pix, nil
	}
	embedded, err := c.Embed(t.Context(), img, &EncodeOptions{Candidates: 2, Sampling: sampling(1)})
	if err != nil {
		t.Fatal(err)
	}
	makeThreads(32)
	const size = "224 x 224 pixels"
	for _, call := range []struct {
		name, says string
		run        func(ctx context.Context) ([]byte, error)
	}{
		{"encode", "not enough memory for the image encoder", func(ctx context.Context) ([]byte, error) {
			return c.Encode(ctx, img, nil)
		}},
		{"candidates", "not enough memory for candidates of 128 x 128 pixels", embedded.Encode},
		{"paint", "not enough memory for " + size, func(ctx context.Context) ([]byte, error) {
			return pixels(c.Paint(ctx, file, &DecodeOptions{Sampling: sampling(1), Size: 224}))
		}},
		{"paint with low memory", "not enough memory for " + size, func(ctx context.Context) ([]byte, error) {
			return pixels(c.Paint(ctx, file, &DecodeOptions{Sampling: sampling(1), Size: 224, LowMemory: true}))
		}},
	} {
		want, err := call.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		refused := 0
		for room := uint64(1 << 20); ; room += 4 << 20 { // the first is for Go's records of its heap
			runtime.KeepAlive(make([]byte, 64<<20))
			runtime.GC() // which leaves room in the heap: Go crashes if it cannot grow
			var got []byte
			refusing(t, room, func() { got, err = call.run(t.Context()) })
			if err == nil {
				if !bytes.Equal(got, want) {
					t.Errorf("%s: another result with %d more bytes", call.name, room)
				}
				break
			}
			refused++
			if !errors.As(err, new(MemoryError)) || err.Error() != call.says {
				t.Fatalf("%s with %d more bytes: error %v", call.name, room, err)
			}
			if got, err = call.run(t.Context()); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s after %d more bytes did not do: another result (%v)", call.name, room, err)
			}
		}
		if refused == 0 {
			t.Errorf("%s was refused nothing", call.name)
		}
	}
}
