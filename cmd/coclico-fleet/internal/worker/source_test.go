package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/codec/archive"
)

// A guarded store refuses what it is told to refuse, with an error of S3.
type guarded struct {
	http.Handler
	refuse atomic.Pointer[func(name string) (code string)]
}

func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refuse := g.refuse.Load(); refuse != nil && r.Method == http.MethodGet {
		if code := (*refuse)(strings.TrimPrefix(r.URL.Path, "/pictures/")); code != "" {
			status := http.StatusForbidden
			if strings.HasPrefix(code, "NoSuch") {
				status = http.StatusNotFound
			}
			w.WriteHeader(status)
			fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
			return
		}
	}
	g.Handler.ServeHTTP(w, r)
}

// newEncoding returns a worker that encodes n pictures of an object store, in
// chunks of four.
func newEncoding(t *testing.T, n int) (*Worker, *guarded) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none,
	} {
		t.Setenv(name, value)
	}
	backend := s3mem.New()
	if err := backend.CreateBucket("pictures"); err != nil {
		t.Fatal(err)
	}
	store := &guarded{Handler: gofakes3.New(backend).Server()}
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	from, err := bucket.Open(t.Context(), "s3://pictures?use_path_style=true&disable_https=true&endpoint="+url.QueryEscape(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { from.Close() })
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := from.Put(t.Context(), name(i), b.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	out, err := bucket.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	j := &job.Job{Source: from.URL(), Chunk: 4, Model: "m", Fingerprint: "01234567"}
	if _, err := job.Write(t.Context(), j, from.List(t.Context(), ""), out, nil); err != nil {
		t.Fatal(err)
	}
	e, err := NewEncoder(from, builtIn(t), &options.Encoding{Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	return &Worker{
		Job: j, Out: out, Maker: e, Jobs: 2, Limit: time.Minute, Log: slog.New(slog.DiscardHandler), Origin: archive.Origin{Fingerprint: j.Fingerprint},
	}, store
}

// TestWithheld has a store that refuses pictures. Those have rows with errors if
// the store returns others, and else the chunk fails: no right to read a bucket,
// and no bucket, are no picture's fault.
func TestWithheld(t *testing.T) {
	all := func(string) bool { return true }
	for _, c := range []struct {
		what    string
		n       int // pictures
		code    string
		refused func(name string) bool
		rows    int // with errors in the last chunk, or -1 if it fails
	}{
		{"no right", 8, "AccessDenied", all, -1},
		{"no bucket", 8, "NoSuchBucket", all, -1},
		{"all gone", 8, "NoSuchKey", all, -1},
		{"one forbidden", 8, "AccessDenied", func(n string) bool { return n == name(4) }, 1},
		{"one gone", 8, "NoSuchKey", func(n string) bool { return n == name(6) }, 1},
		{"a whole chunk forbidden", 8, "AccessDenied", func(n string) bool { return n >= name(4) }, 4},
		{"a whole chunk gone", 8, "NoSuchKey", func(n string) bool { return n >= name(4) }, 4},
		{"every fourth and a whole chunk gone", 40, "NoSuchKey", func(n string) bool {
			i, err := strconv.Atoi(n[1:3])
			return err == nil && (i%4 == 0 || i >= 36)
		}, 4},
	} {
		t.Run(c.what, func(t *testing.T) {
			w, store := newEncoding(t, c.n)
			refuse := func(name string) string {
				if strings.HasSuffix(name, ".png") && c.refused(name) {
					return c.code
				}
				return ""
			}
			store.refuse.Store(&refuse)
			last := w.Job.Chunks() - 1
			err := w.Chunk(t.Context(), t.Context(), last, false)
			for n := 0; err != nil && c.rows >= 0 && n < 30; n++ { // each time it asks for other pictures
				err = w.Chunk(t.Context(), t.Context(), last, false)
			}
			if c.rows < 0 {
				if err == nil || !strings.Contains(err.Error(), "none of those asked for") {
					t.Errorf("error %v", err)
				}
				if _, _, err := ReadPart(t.Context(), w.Out, last); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("there is a part: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, rows, err := ReadPart(t.Context(), w.Out, last)
			if err != nil {
				t.Fatal(err)
			}
			failed := 0
			for _, r := range rows {
				if r.Error != "" {
					failed++
				}
			}
			if failed != c.rows {
				t.Errorf("%d rows have errors, want %d", failed, c.rows)
			}
		})
	}
}

// A firstList is a source that has the pictures of a job's first list only.
type firstList struct{}

func (firstList) Make(context.Context, bucket.Object) (*archive.Row, error) {
	return nil, &withheldError{"is no longer in the source", fs.ErrNotExist}
}

func (firstList) Reads(_ context.Context, name string) bool { return name < "065000.png" }

// TestOtherList: pictures of another list show that the source is there.
func TestOtherList(t *testing.T) {
	out, err := bucket.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	listing := func(yield func(bucket.Object, error) bool) {
		for i := range 70_000 {
			if !yield(bucket.Object{Name: fmt.Sprintf("%06d.png", i), Time: time.Unix(1e9, 0)}, nil) {
				return
			}
		}
	}
	j := &job.Job{Source: "mem://", Chunk: 1000, Model: "m", Fingerprint: "01234567"} // lists of 65,000
	if _, err := job.Write(t.Context(), j, listing, out, nil); err != nil {
		t.Fatal(err)
	}
	w := &Worker{Job: j, Out: out, Maker: firstList{}, Jobs: 1, Limit: time.Minute, Log: slog.New(slog.DiscardHandler), Origin: archive.Origin{Fingerprint: j.Fingerprint}}
	for range 30 { // seldom the other list is the same one
		if err = w.Chunk(t.Context(), t.Context(), j.Chunks()-1, false); err == nil {
			return
		}
	}
	t.Error(err)
}

// TestRevoked takes the right to read from a worker that has read pictures.
func TestRevoked(t *testing.T) {
	w, store := newEncoding(t, 8)
	if err := w.Chunk(t.Context(), t.Context(), 0, false); err != nil {
		t.Fatal(err)
	}
	refuse := func(string) string { return "AccessDenied" }
	store.refuse.Store(&refuse)
	if err := w.Chunk(t.Context(), t.Context(), 1, false); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v", err)
	}
	store.refuse.Store(nil)
	if err := w.Chunk(t.Context(), t.Context(), 1, false); err != nil {
		t.Error(err)
	}
}
