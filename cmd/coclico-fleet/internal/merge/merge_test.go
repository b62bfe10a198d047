package merge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/worker"
	"github.com/coclico/coclico/codec/archive"
)

// A maker makes rows of names.
type maker struct{}

func (maker) Make(_ context.Context, o bucket.Object) (*archive.Row, error) {
	return &archive.Row{Name: o.Name, Data: []byte("file of " + o.Name), Size: o.Size, Time: o.Time}, nil
}

func (maker) Reads(context.Context, string) bool { return true }

// done returns a job of 30 pictures in chunks of ten that is done, in a folder.
func done(t *testing.T) (*job.Job, *bucket.Bucket) {
	t.Helper()
	out, err := bucket.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	j := &job.Job{Source: "mem://", Chunk: 10, Model: "m", Fingerprint: "01234567", Software: "test"}
	var listing iter.Seq2[bucket.Object, error] = func(yield func(bucket.Object, error) bool) {
		for i := range 30 {
			if !yield(bucket.Object{Name: fmt.Sprintf("p%02d.png", i), Size: 7, Time: time.Unix(1e9, 0)}, nil) {
				return
			}
		}
	}
	if _, err := job.Write(t.Context(), j, listing, out, nil); err != nil {
		t.Fatal(err)
	}
	w := &worker.Worker{Job: j, Out: out, Maker: maker{}, Jobs: 1, Limit: time.Minute, Log: slog.New(slog.DiscardHandler),
		Origin: archive.Origin{Fingerprint: j.Fingerprint, Kernels: "generic"}}
	for chunk := range j.Chunks() {
		if err := w.Chunk(t.Context(), t.Context(), chunk, false); err != nil {
			t.Fatal(err)
		}
	}
	return j, out
}

// check checks that the archive has all rows, in so many shards.
func check(t *testing.T, out *bucket.Bucket, shards int) {
	t.Helper()
	a, err := archive.Open(out.Folder())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for s, err := range a.Check(t.Context(), nil) {
		if err != nil {
			t.Error(s, err)
		}
	}
	n := 0
	for r, err := range a.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("p%02d.png", n); r.Name != want || string(r.Data) != "file of "+want {
			t.Errorf("row %d is %s with %q", n, r.Name, r.Data)
		}
		n++
	}
	files, err := filepath.Glob(filepath.Join(out.Folder(), "part-*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if n != 30 || len(a.Shards()) != shards || len(files) != shards {
		t.Errorf("%d rows in %d shards, %d files; want 30 in %d", n, len(a.Shards()), len(files), shards)
	}
}

// TestFewerShards merges again into fewer shards: none of the others stays, for
// whoever adds rows would take it for newer than the archive.
func TestFewerShards(t *testing.T) {
	j, out := done(t)
	for i, rows := range []int64{10, 20, 1000, 10} {
		if _, err := Merge(t.Context(), j, out, rows, nil); err != nil {
			t.Fatal(err)
		}
		check(t, out, []int{3, 2, 1, 3}[i])
	}
}

// TestDamagedPart has a part that is cut short, or has another chunk's rows: the
// earlier archive stays.
func TestDamagedPart(t *testing.T) {
	j, out := done(t)
	if _, err := Merge(t.Context(), j, out, 10, nil); err != nil {
		t.Fatal(err)
	}
	path := func(chunk int) string {
		return filepath.Join(out.Folder(), filepath.FromSlash(job.PartName(chunk)))
	}
	other, err := os.ReadFile(path(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{other[:100], other} {
		if err := os.WriteFile(path(2), data, 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Merge(t.Context(), j, out, 30, nil)
		var part *worker.PartError
		if !errors.As(err, &part) || !strings.HasPrefix(err.Error(), job.PartName(2)) || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("error %v", err)
		}
		check(t, out, 3)
	}
}

// TestLostPart removes a part while it is needed: nobody is told to remove it.
func TestLostPart(t *testing.T) {
	j, out := done(t)
	_, err := Merge(t.Context(), j, out, 10, func(s Stage, chunk int) {
		if s == Writing && chunk == 0 {
			if err := out.Remove(t.Context(), job.PartName(1)); err != nil {
				t.Error(err)
			}
		}
	})
	if !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "remove it") {
		t.Errorf("error %v", err)
	}
	if _, err := archive.Open(out.Folder()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a manifest without its shards (%v)", err)
	}
}

// TestMissing has a job that is not done.
func TestMissing(t *testing.T) {
	j, out := done(t)
	if err := out.Remove(t.Context(), job.PartName(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := Merge(t.Context(), j, out, 10, nil); !errors.Is(err, ErrIncomplete) {
		t.Errorf("error %v", err)
	}
}

// TestKilledMerge has drafts of a merge and of workers that were killed, in the
// folder and below it: a merge removes them.
func TestKilledMerge(t *testing.T) {
	j, out := done(t)
	var drafts []string
	for _, folder := range []string{"", job.PartPrefix, job.TryName(0), job.Pictures + "a/"} {
		dir := filepath.Join(out.Folder(), filepath.FromSlash(folder))
		draft, old := filepath.Join(dir, ".coclico-"+strings.Repeat("A", 26)), time.Now().Add(-48*time.Hour)
		if err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(draft, []byte("x"), 0o666), os.Chtimes(draft, old, old)); err != nil {
			t.Fatal(err)
		}
		drafts = append(drafts, draft)
	}
	if _, err := Merge(t.Context(), j, out, 20, nil); err != nil {
		t.Fatal(err)
	}
	for _, draft := range append(drafts, filepath.Join(out.Folder(), "_tries")) {
		if _, err := os.Lstat(draft); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left (%v)", draft, err)
		}
	}
	check(t, out, 2)
}
