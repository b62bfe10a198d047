package codec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/nn"
)

// pictures returns n pictures that differ, of different shapes.
func pictures(n int) []image.Image {
	all := make([]image.Image, n)
	for i := range all {
		all[i] = testPicture(40+7*i, 90-3*i)
	}
	return all
}

// together encodes pictures at the same time, in batches as large as they get.
func together(t *testing.T, c *Codec, all []image.Image, o EncodeOptions) [][]byte {
	t.Helper()
	tower, err := c.model.ImageEncoder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := nn.Exact
	if o.Fast {
		p = nn.Fast
	}
	g := &c.gallery[p]
	g.mu.Lock()
	g.working = true // as if a batch were in the tower
	g.mu.Unlock()
	files := make([][]byte, len(all))
	var wait sync.WaitGroup
	for i, img := range all {
		wait.Go(func() {
			var err error
			if files[i], err = c.Encode(t.Context(), img, &o); err != nil {
				t.Error(err)
			}
		})
	}
	queued(t, g, len(all))
	g.work(tower, p)
	wait.Wait()
	return files
}

// queued returns when n pictures wait.
func queued(t *testing.T, g *gallery, n int) {
	t.Helper()
	for range 6000 {
		g.mu.Lock()
		waiting := len(g.waiting)
		g.mu.Unlock()
		if waiting == n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d pictures do not wait", n)
}

// TestTogether: a batch's files are those of its pictures one by one. There are
// more pictures than the tower takes at once.
func TestTogether(t *testing.T) {
	c := open(t, "tiny")
	all := pictures(maxBatch + 3)
	for _, o := range []EncodeOptions{{Format: Format{DimensionBits: 16}}, {Fast: true, Format: Format{DimensionBits: 16}}, {Profile: Tuned, Whole: true}} {
		files := together(t, c, all, o)
		for i, img := range all {
			want, err := c.Encode(t.Context(), img, &o)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(files[i], want) {
				t.Errorf("%+v: picture %d has another file in a batch", o, i)
			}
		}
	}
}

// TestFast: fast vectors are rounded where the machine multiplies bfloat16, and
// the exact ones elsewhere.
func TestFast(t *testing.T) {
	c := open(t, "tiny")
	var vectors [2][]float32
	for i, fast := range []bool{false, true} {
		e, err := c.Embed(t.Context(), testPicture(60, 50), &EncodeOptions{Fast: fast})
		if err != nil {
			t.Fatal(err)
		}
		vectors[i] = e.Vector()
	}
	bf16 := slices.Contains([]string{"amx", "avx512bf16", "neonbf16"}, kernels.Active())
	if slices.Equal(vectors[0], vectors[1]) == bf16 {
		t.Errorf("with %s kernels fast vectors are the exact ones: %t", kernels.Active(), !bf16)
	}
}

// A plain is a picture of one color that takes no memory.
type plain struct {
	*image.Uniform
	bounds image.Rectangle
}

func (p plain) Bounds() image.Rectangle { return p.bounds }

// TestEmbeddedMemory: neither a call that waits for the tower nor an Embedded
// holds a copy of the picture, whatever the file may become.
func TestEmbeddedMemory(t *testing.T) {
	c := open(t, "tiny")
	tower, err := c.model.ImageEncoder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const side = 2000 // 12 MB
	img := plain{image.NewUniform(color.Gray{200}), image.Rect(0, 0, side, side)}
	memory := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, o := range []EncodeOptions{{}, {Whole: true, Antialias: true}, {Profile: Tuned, Bytes: MaxBytes}} {
		g := &c.gallery[nn.Exact]
		g.mu.Lock()
		g.working = true
		g.mu.Unlock()
		before := memory()
		done := make(chan *Embedded)
		go func() {
			e, err := c.Embed(t.Context(), img, &o)
			if err != nil {
				t.Error(err)
			}
			done <- e
		}()
		queued(t, g, 1)
		if n := memory() - before; n > 2<<20 {
			t.Errorf("%+v: a call that waits holds %d bytes", o, n)
		}
		go g.work(tower, nn.Exact)
		e := <-done
		if n := memory() - before; n > 2<<20 {
			t.Errorf("%+v: an Embedded holds %d bytes", o, n)
		}
		if e == nil {
			continue
		}
		if _, err := e.Encode(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestLeaving ends calls whose pictures wait, and checks what becomes of a batch
// that calls leave.
func TestLeaving(t *testing.T) {
	c := open(t, "tiny")
	tower, err := c.model.ImageEncoder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g := &c.gallery[nn.Exact]
	g.working = true
	all := pictures(3)
	ctx, cancel := context.WithCancel(t.Context())
	errs := make([]error, len(all))
	var left, stayed sync.WaitGroup
	for i, img := range all {
		group, ctx := &left, ctx
		if i == 1 {
			group, ctx = &stayed, t.Context()
		}
		group.Go(func() { _, errs[i] = c.Encode(ctx, img, nil) })
	}
	queued(t, g, len(all))
	cancel()
	left.Wait() // while the tower does nothing
	queued(t, g, 1)
	g.work(tower, nn.Exact)
	stayed.Wait()
	if !errors.Is(errs[0], context.Canceled) || !errors.Is(errs[2], context.Canceled) || errs[1] != nil {
		t.Errorf("errors %v", errs)
	}

	stopped := 0
	a, b := new(view), new(view)
	batch := &viewing{left: 2, cancel: func() { stopped++ }}
	a.batch, b.batch = batch, batch
	if g.leave(a) || stopped != 0 {
		t.Error("a batch ends for the sake of one of two calls")
	}
	if !g.leave(b) || stopped != 1 {
		t.Error("a batch for which no call waits continues")
	}
	if _, err := c.Encode(t.Context(), all[0], nil); err != nil {
		t.Error(err)
	}
}

// TestTogetherPanic: a panic in the tower reaches every call of the batch, which
// may recover it, and the gallery works as before.
func TestTogetherPanic(t *testing.T) {
	c := open(t, "tiny")
	g := &c.gallery[nn.Exact]
	g.working = true
	const calls = 3
	values := make([]any, calls)
	var wait sync.WaitGroup
	for i := range values {
		wait.Go(func() {
			defer func() { values[i] = recover() }()
			err := g.see(t.Context(), nil, nn.Exact, &view{done: make(chan struct{})})
			t.Errorf("a call returns %v", err)
		})
	}
	queued(t, g, calls)
	go g.work(nil, nn.Exact) // a tower that does not exist
	wait.Wait()
	for i, v := range values {
		text := fmt.Sprint(v) // names the place, which the caller's own stack does not
		if _, ok := v.(runtime.Error); !ok || !strings.Contains(text, "codec.show(") || !strings.Contains(text, "vit.(*Model)") {
			t.Errorf("call %d recovers %v", i, v)
		}
	}
	if _, err := c.Encode(t.Context(), testPicture(60, 50), nil); err != nil {
		t.Error(err)
	}
}

// TestTraced: who tests a value that another goroutine has recovered finds what it
// was.
func TestTraced(t *testing.T) {
	if v := traced(nn.ErrOutOfMemory); v != nn.ErrOutOfMemory {
		t.Errorf("refused memory becomes %v", v)
	}
	cause := errors.New("cause")
	if err, ok := traced(cause).(error); !ok || !errors.Is(err, cause) {
		t.Errorf("an error becomes %v", err)
	}
	v := traced("text")
	if _, ok := v.(runtime.Error); ok || !strings.HasPrefix(fmt.Sprint(v), "text\n\ngoroutine ") {
		t.Errorf("a text becomes %v", v)
	}
}

// BenchmarkEncodeMany encodes with the built-in model from several goroutines.
func BenchmarkEncodeMany(b *testing.B) {
	c, err := BuiltIn()
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	img := testPicture(256, 256)
	for _, n := range []int{1, 4, 16} {
		for _, fast := range []bool{false, true} {
			b.Run(fmt.Sprintf("at once=%d/fast=%t", n, fast), func(b *testing.B) {
				for b.Loop() {
					var wait sync.WaitGroup
					for range n {
						wait.Go(func() {
							if _, err := c.Encode(b.Context(), img, &EncodeOptions{Profile: Tuned, Fast: fast}); err != nil {
								b.Error(err)
							}
						})
					}
					wait.Wait()
				}
				b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "pictures/s")
			})
		}
	}
}
