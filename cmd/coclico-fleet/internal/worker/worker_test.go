package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/codec/archive"
)

// A script makes rows, except where it says otherwise.
type script struct {
	mu   sync.Mutex
	made []string
	does map[string]func(context.Context) error
}

func (s *script) Make(ctx context.Context, o bucket.Object) (*archive.Row, error) {
	s.mu.Lock()
	s.made = append(s.made, o.Name)
	do := s.does[o.Name]
	s.mu.Unlock()
	if do != nil {
		if err := do(ctx); err != nil {
			return nil, err
		}
	}
	return &archive.Row{Name: o.Name, Data: []byte("file of " + o.Name), Width: 1, Height: 2, Size: o.Size, Time: o.Time}, nil
}

// Reads implements [Maker] for a source that has everything.
func (s *script) Reads(context.Context, string) bool { return true }

func name(i int) string { return fmt.Sprintf("p%02d.png", i) }

// newWorker returns a worker of a job of n pictures in chunks of ten, in a folder.
func newWorker(t *testing.T, n int) (*Worker, *script) {
	t.Helper()
	out, err := bucket.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	j := &job.Job{Source: "mem://", Chunk: 10, Model: "m", Fingerprint: "01234567", Software: "test"}
	var listing iter.Seq2[bucket.Object, error] = func(yield func(bucket.Object, error) bool) {
		for i := range n {
			if !yield(bucket.Object{Name: name(i), Size: 7, Time: time.Unix(1e9, 0)}, nil) {
				return
			}
		}
	}
	if _, err := job.Write(t.Context(), j, listing, out, nil); err != nil {
		t.Fatal(err)
	}
	s := &script{does: map[string]func(context.Context) error{}}
	return &Worker{
		Job: j, Out: out, Maker: s, Jobs: 3, Limit: time.Minute, Log: slog.New(slog.DiscardHandler),
		Origin: archive.Origin{Fingerprint: j.Fingerprint, Kernels: "generic"},
	}, s
}

// part returns the errors of a chunk's rows, which must be all and in order.
func part(t *testing.T, w *Worker, chunk int) map[string]string {
	t.Helper()
	_, rows, err := ReadPart(t.Context(), w.Out, chunk)
	if err != nil {
		t.Fatal(err)
	}
	failed := map[string]string{}
	for i, r := range rows {
		if r.Name != name(10*chunk+i) {
			t.Errorf("row %d is of %s", i, r.Name)
		}
		if r.Error != "" {
			failed[r.Name] = r.Error
		} else if string(r.Data) != "file of "+r.Name {
			t.Errorf("%s: %q", r.Name, r.Data)
		}
	}
	if len(rows) != w.Job.Size(chunk) {
		t.Errorf("%d rows of %d", len(rows), w.Job.Size(chunk))
	}
	return failed
}

// tries returns the names of what attempts have left.
func tries(t *testing.T, w *Worker) (names []string) {
	t.Helper()
	for o, err := range w.Out.List(t.Context(), job.TryPrefix) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, strings.TrimPrefix(o.Name, job.TryPrefix))
	}
	return names
}

func TestChunk(t *testing.T) {
	w, s := newWorker(t, 25)
	for chunk := range 3 {
		if err := w.Chunk(t.Context(), t.Context(), chunk, false); err != nil {
			t.Fatal(err)
		}
		if failed := part(t, w, chunk); len(failed) > 0 {
			t.Error(failed)
		}
	}
	if err := w.Chunk(t.Context(), t.Context(), 1, false); err != nil || len(s.made) != 25 {
		t.Errorf("%v, %d pictures made: a chunk that is done was done again", err, len(s.made))
	}
	for _, chunk := range []int{-1, 3} {
		if err := w.Chunk(t.Context(), t.Context(), chunk, false); err == nil {
			t.Errorf("chunk %d is done", chunk)
		}
	}
}

// TestKilledWriters has drafts of workers that were killed while they wrote: the
// next one removes them, and its own folder of tries.
func TestKilledWriters(t *testing.T) {
	w, _ := newWorker(t, 10)
	w.Starts = true
	for _, folder := range []string{job.PartPrefix, job.ErrorPrefix, job.TryName(0)} {
		dir := filepath.Join(w.Out.Folder(), filepath.FromSlash(folder))
		draft, old := filepath.Join(dir, ".coclico-"+strings.Repeat("A", 26)), time.Now().Add(-48*time.Hour)
		if err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(draft, []byte("x"), 0o666), os.Chtimes(draft, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Chunk(t.Context(), t.Context(), 0, false); err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, folder := range []string{job.PartPrefix, job.ErrorPrefix, job.TryPrefix + "*/"} {
		names, err := filepath.Glob(filepath.Join(w.Out.Folder(), filepath.FromSlash(folder)+".*"))
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, names...)
	}
	folders, err := filepath.Glob(filepath.Join(w.Out.Folder(), filepath.FromSlash(job.TryName(0))))
	if err != nil || len(left)+len(folders) > 0 {
		t.Errorf("left %v, %v (%v)", left, folders, err)
	}
}

// TestRowsWithErrors has pictures that cannot be read, panic, or do not end.
func TestRowsWithErrors(t *testing.T) {
	w, s := newWorker(t, 10)
	var log bytes.Buffer
	w.Log = slog.New(slog.NewTextHandler(&log, nil))
	s.does[name(1)] = func(context.Context) error { return PictureError("not a picture") }
	s.does[name(2)] = func(context.Context) error { panic("bad\nstack") }
	w.Limit = 2 * time.Second // and not less, since others may take long on a loaded machine
	release := make(chan struct{})
	s.does[name(3)] = func(context.Context) error { <-release; return nil }
	s.does[name(4)] = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	s.does[name(5)] = func(context.Context) error { return PictureError(strings.Repeat("long\xff", 2000)) }
	if err := w.Chunk(t.Context(), t.Context(), 0, false); err != nil {
		t.Fatal(err)
	}
	failed := part(t, w, 0)
	for i, want := range map[int]string{1: "not a picture", 2: "makes the program panic: bad", 3: "takes longer than 2s", 4: "takes longer than 2s", 5: "long?long?"} {
		if !strings.Contains(failed[name(i)], want) || strings.Contains(failed[name(i)], "stack") {
			t.Errorf("%s: %q, want %q", name(i), failed[name(i)], want)
		}
	}
	if !strings.Contains(log.String(), `row=2 panic="bad\nstack"`) || strings.Contains(log.String(), name(2)) {
		t.Errorf("the log names a picture, or not its row: %s", &log)
	}
	if w.Stuck() == 0 {
		t.Error("no picture is stuck")
	}
	close(release)
	for w.Stuck() > 0 {
		time.Sleep(time.Millisecond)
	}
	data, _, err := w.Out.Get(t.Context(), job.ErrorName(0), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var list []Failure
	if err := json.Unmarshal(data, &list); err != nil || len(list) != len(failed) || list[0].Name != name(1) {
		t.Error(list, err)
	}
}

// count returns how many of the names begin with a prefix.
func count(names []string, prefix string) (n int) {
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			n++
		}
	}
	return n
}

// TestCareful counts the processes that have ended on a picture by their notes.
func TestCareful(t *testing.T) {
	w, s := newWorker(t, 10)
	s.does[name(6)] = func(context.Context) error { return errors.New("the process ends here") }
	for n := 1; n <= 2; n++ {
		if err := w.Chunk(t.Context(), t.Context(), 0, true); err == nil {
			t.Fatal("no error")
		}
		// Nobody has withdrawn the note of a process that has ended.
		a, err := w.tries(t.Context(), 0, make([]bucket.Object, 10))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.note(t.Context(), 6); err != nil {
			t.Fatal(err)
		}
		if got := tries(t, w); count(got, "part-00000000/note-0006-") != n || !slices.Contains(got, "part-00000000/row-0005.parquet") {
			t.Fatal(got)
		}
	}
	if err := w.Chunk(t.Context(), t.Context(), 0, false); err != nil {
		t.Fatal(err)
	}
	if failed := part(t, w, 0); len(failed) != 1 || !strings.Contains(failed[name(6)], "ended twice") {
		t.Error(failed)
	}
	if got := tries(t, w); got != nil {
		t.Error("left:", got)
	}
	if len(s.made) != 7+1+3 {
		t.Errorf("%d pictures were made, want each once but the bad one: %v", len(s.made), s.made)
	}
}

// TestFailedKept keeps the other rows of a chunk with a picture that could not be
// fetched, and keeps them once.
func TestFailedKept(t *testing.T) {
	w, s := newWorker(t, 10)
	w.Jobs = 1
	s.does[name(6)] = func(context.Context) error { return errors.New("the store is away") }
	for range 3 {
		if err := w.Chunk(t.Context(), t.Context(), 0, false); err == nil || err.Error() != "the store is away" {
			t.Fatal(err)
		}
		if got := tries(t, w); len(got) != 1 || count(got, "part-00000000/kept-") != 1 {
			t.Fatal(got)
		}
	}
	delete(s.does, name(6))
	if err := w.Chunk(t.Context(), t.Context(), 0, false); err != nil {
		t.Fatal(err)
	}
	if failed := part(t, w, 0); len(failed) > 0 || tries(t, w) != nil {
		t.Error(failed, tries(t, w))
	}
	if len(s.made) != 7+1+1+4 {
		t.Errorf("%d pictures were made, want each once but the bad one: %v", len(s.made), s.made)
	}
}

// TestForeignRows has rows of another model, other names and rubbish among what
// attempts have left.
func TestForeignRows(t *testing.T) {
	w, s := newWorker(t, 10)
	for i, o := range []archive.Origin{{Fingerprint: "76543210"}, w.Origin} {
		rows := []*archive.Row{{Name: "no such name", Data: []byte("x")}}
		if i == 0 {
			rows = []*archive.Row{{Name: name(1), Data: []byte("another model's")}}
		}
		data, err := encodeShard(&o, rows)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Out.Put(t.Context(), fmt.Sprintf("%skept-%d.parquet", job.TryName(0), i), data); err != nil {
			t.Fatal(err)
		}
	}
	for _, rubbish := range []string{"kept-x.parquet", "note-9999-1", "note--1-1", "note-x", "other"} {
		if err := w.Out.Put(t.Context(), job.TryName(0)+rubbish, []byte("rubbish")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Chunk(t.Context(), t.Context(), 0, false); err != nil {
		t.Fatal(err)
	}
	if failed := part(t, w, 0); len(failed) > 0 || len(s.made) != 10 || tries(t, w) != nil {
		t.Error(failed, s.made, tries(t, w))
	}
}

// TestFaults fails every seventh write, in turn before and after it is done, with
// two workers at the same chunks.
func TestFaults(t *testing.T) {
	w, s := newWorker(t, 100)
	s.does[name(33)] = func(context.Context) error { return PictureError("bad") }
	var mu sync.Mutex
	calls := 0
	failed := map[string]int{} // no name fails as often as it is tried
	w.Out.Fault = func(name string, after bool) error {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls%7 == 0 && failed[name] < 2 {
			failed[name]++
			return errors.New("broken")
		}
		return nil
	}
	second := &Worker{Job: w.Job, Out: w.Out, Maker: s, Jobs: 2, Limit: w.Limit, Log: w.Log, Origin: w.Origin, Starts: true}
	var group sync.WaitGroup
	for _, w := range []*Worker{w, second} {
		group.Go(func() {
			for chunk := range 10 {
				if err := w.Chunk(t.Context(), t.Context(), chunk, chunk%2 == 1); err != nil {
					t.Error(chunk, err)
				}
			}
		})
	}
	group.Wait()
	for chunk := range 10 {
		want := 0
		if chunk == 3 {
			want = 1
		}
		if failed := part(t, w, chunk); len(failed) != want {
			t.Error(chunk, failed)
		}
	}
}

// TestRetry does rows with errors again, and no others.
func TestRetry(t *testing.T) {
	w, s := newWorker(t, 30)
	bad := func(context.Context) error { return PictureError("bad") }
	s.does[name(11)], s.does[name(12)] = bad, bad
	for chunk := range 3 {
		if err := w.Chunk(t.Context(), t.Context(), chunk, false); err != nil {
			t.Fatal(err)
		}
	}
	// A list of errors of a worker that another one was faster than.
	if err := w.Out.Put(t.Context(), job.ErrorName(2), []byte(`[{"name":"p20.png","error":"stale"}]`)); err != nil {
		t.Fatal(err)
	}
	n := 0
	for f, err := range FailedChunks(t.Context(), w.Job, w.Out) {
		if err != nil || f.Chunk != 1 || len(f.Failures) != 2 {
			t.Fatal(f, err)
		}
		if err := f.Retry(t.Context(), w.Out); err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d chunks failed", n)
	}
	if _, _, err := ReadPart(t.Context(), w.Out, 1); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the part is still there:", err)
	}
	delete(s.does, name(11))
	delete(s.does, name(12))
	s.made = nil
	if err := w.Chunk(t.Context(), t.Context(), 1, false); err != nil {
		t.Fatal(err)
	}
	slices.Sort(s.made)
	if !slices.Equal(s.made, []string{name(11), name(12)}) {
		t.Error(s.made)
	}
	if failed := part(t, w, 1); len(failed) > 0 || tries(t, w) != nil {
		t.Error(failed, tries(t, w))
	}
}

// TestSameParts has two workers make the same part, byte for byte.
func TestSameParts(t *testing.T) {
	var parts [2][]byte
	for i := range parts {
		w, _ := newWorker(t, 10)
		if err := w.Chunk(t.Context(), t.Context(), 0, i == 1); err != nil {
			t.Fatal(err)
		}
		var err error
		if parts[i], _, err = w.Out.Get(t.Context(), job.PartName(0), 1<<20); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(parts[0], parts[1]) {
		t.Error("the parts differ")
	}
}

// TestKeptLarge keeps the rows of a chunk of the longest files.
func TestKeptLarge(t *testing.T) {
	const n = 260
	rows := make([]*archive.Row, n)
	sources := make([]bucket.Object, n)
	data := make([]byte, archive.MaxData)
	for i := range rows {
		sources[i].Name = fmt.Sprintf("p%03d.png", i)
		rows[i] = &archive.Row{Name: sources[i].Name, Data: data}
	}
	w, _ := newWorker(t, 10)
	a := &attempt{out: w.Out, origin: &w.Origin, sources: sources, rows: rows}
	if err := a.keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := w.tries(t.Context(), 0, sources)
	if err != nil {
		t.Fatal(err)
	}
	if b.found != n {
		t.Errorf("%d rows of %d were kept", b.found, n)
	}
}
