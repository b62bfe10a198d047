package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/files/filestest"
)

// upper returns a runner that writes texts in capitals.
func upper(out string) *Runner[string] {
	return &Runner[string]{
		Store: testPlan(out).On(files.OS{}), Ahead: 3, Memory: 100,
		Open: func(_ context.Context, j Job) (*Input[string], error) {
			return &Input[string]{Memory: 40, Read: func() (string, error) {
				data, err := os.ReadFile(j.Input)
				return string(data), err
			}}, nil
		},
		Work: func(_ context.Context, j Job, text string) (func(io.Writer) error, error) {
			if strings.Contains(text, "bad") {
				return nil, fmt.Errorf("%s: bad", j.Input)
			}
			return writes(strings.ToUpper(text)), nil
		},
		Begin:  func(int, Job) {},
		Report: func(int, Result) {},
	}
}

func planOf(r *Runner[string]) *Plan { return r.Store.(folder).plan }

// writes returns what writes a text.
func writes(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func jobsOf(t *testing.T, r *Runner[string], inputs ...string) []Job {
	t.Helper()
	jobs, _, err := planOf(r).Jobs(t.Context(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// names lists the files below a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			list = append(list, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestOpenDropped: no result keeps what opens its input, which may be all of it.
func TestOpenDropped(t *testing.T) {
	in := t.TempDir()
	tree(t, in, "a.txt", "bad.txt")
	r := upper(filepath.Join(t.TempDir(), "out"))
	opened := 0
	open := r.Open
	r.Open = func(ctx context.Context, j Job) (*Input[string], error) {
		if j.Open != nil {
			opened++
		}
		return open(ctx, j)
	}
	results := 0
	r.Report = func(_ int, result Result) {
		if results++; result.Open != nil {
			t.Errorf("the result of %s has it", result.Input)
		}
	}
	jobs := jobsOf(t, r, in+"/.")
	for i := range jobs {
		jobs[i].Open = func(context.Context) (files.File, error) { return nil, errors.New("not called") }
	}
	if s, err := r.Run(t.Context(), Each(jobs)); err != nil || len(s.Failed) != 1 || s.Failed[0].Open != nil || opened != 2 || results != 2 {
		t.Errorf("%+v, %v: %d opened, %d results", s, err, opened, results)
	}
}

// TestRun: everything except the bad file is done, in order, and a second run
// has nothing to do.
func TestRun(t *testing.T) {
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "new", "out")
	tree(t, in, "a.txt", "b/bad.txt", "b/c.txt", "d.txt", "e.txt", "f.txt")
	r := upper(out)
	var order []string
	r.Report = func(i int, result Result) {
		order = append(order, fmt.Sprintf("%d %s %s", i, filepath.Base(result.Input), result.Status))
	}
	jobs := jobsOf(t, r, in+"/.")
	s, err := r.Run(t.Context(), Each(jobs))
	if err != nil || s.Done != 5 || len(s.Failed) != 1 || s.Unchanged != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	if want := []string{"0 a.txt done", "1 bad.txt failed", "2 c.txt done", "3 d.txt done", "4 e.txt done", "5 f.txt done"}; !slices.Equal(order, want) {
		t.Errorf("reported %q", order)
	}
	if data, err := os.ReadFile(filepath.Join(out, "b", "c.txt.up")); err != nil || string(data) != "B/C.TXT" {
		t.Errorf("%q, %v", data, err)
	}
	if got, want := names(t, out), []string{"a.txt.up", "b/c.txt.up", "d.txt.up", "e.txt.up", "f.txt.up"}; !slices.Equal(got, want) {
		t.Errorf("files %q", got)
	}
	newer(t, out) // by any file system's clock
	if s, err = r.Run(t.Context(), Each(jobs)); err != nil || s.Done != 0 || s.Unchanged != 5 || len(s.Failed) != 1 {
		t.Errorf("again: %+v, %v", s, err)
	}
	r.Force = true
	if s, err = r.Run(t.Context(), Each(jobs)); err != nil || s.Done != 5 || s.Unchanged != 0 {
		t.Errorf("forced: %+v, %v", s, err)
	}
}

// newer makes results a minute newer than they are.
func newer(t *testing.T, dir string) {
	t.Helper()
	then := time.Now().Add(time.Minute)
	for _, name := range names(t, dir) {
		if err := os.Chtimes(filepath.Join(dir, filepath.FromSlash(name)), then, then); err != nil {
			t.Fatal(err)
		}
	}
}

// TestChangedMeanwhile: a result is not kept if its source is another file by
// then, which it would be newer than.
func TestChangedMeanwhile(t *testing.T) {
	dir := t.TempDir()
	tree(t, dir, "in/a.txt", "in/b.txt")
	r := upper(filepath.Join(dir, "out"))
	work := r.Work
	r.Work = func(ctx context.Context, j Job, text string) (func(io.Writer) error, error) {
		if filepath.Base(j.Input) == "a.txt" {
			tick(t, dir)
			if text == "in/a.txt" {
				tree(t, dir, "in/new.txt") // which changes the folder's times, and no input
				if err := os.WriteFile(j.Input, []byte("another"), 0o666); err != nil {
					t.Error(err)
				}
			}
		}
		return work(ctx, j, text)
	}
	for i, want := range []string{"in/b.txt.up", "in/a.txt.up in/b.txt.up in/new.txt.up"} {
		s, err := r.Run(t.Context(), Each(jobsOf(t, r, filepath.Join(dir, "in"))))
		if err != nil || len(s.Failed) != 1-i || i == 0 && !strings.Contains(s.Failed[0].Err.Error(), "a.txt.up: its source changed") {
			t.Errorf("run %d: %+v, %v", i, s, err)
		}
		if got := strings.Join(names(t, planOf(r).Out), " "); got != want {
			t.Errorf("run %d: results %s, want %s", i, got, want)
		}
	}
}

// TestSynced: among many files, each is on the disk before it has its name.
func TestSynced(t *testing.T) {
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	tree(t, in, "a.txt", "b.txt")
	r, disk := upper(out), new(filestest.Recorder)
	r.Store = planOf(r).On(disk)
	if s, err := r.Run(t.Context(), Each(jobsOf(t, r, in+"/."))); err != nil || s.Done != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	want := []string{
		"create .a.txt.up.part", "write .a.txt.up.part", "sync .a.txt.up.part", "rename .a.txt.up.part to a.txt.up", "sync folder out",
		"create .b.txt.up.part", "write .b.txt.up.part", "sync .b.txt.up.part", "rename .b.txt.up.part to b.txt.up", "sync folder out",
	}
	if got := disk.Ops(); !slices.Equal(got, want) {
		t.Errorf("done:\n%q, want\n%q", got, want)
	}
}

// TestFull: a full disk ends the run with one error that names the result, and
// leaves whole files only.
func TestFull(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	tree(t, in, "a.txt", "b.txt", "c.txt")
	r := upper(out)
	full := syscall.ENOSPC
	if runtime.GOOS == "windows" {
		full = 112
	}
	r.Store = planOf(r).On(&filestest.Recorder{Fail: "write .b.txt.up.part", Err: &os.PathError{Op: "write", Path: "part", Err: full}})
	s, err := r.Run(t.Context(), Each(jobsOf(t, r, in+"/.")))
	if want := filepath.Join(out, "b.txt.up") + ": no space left on the device"; err == nil || err.Error() != want || s.Done != 1 {
		t.Errorf("%+v, error %v", s, err)
	}
	if got := names(t, out); !slices.Equal(got, []string{"a.txt.up"}) {
		t.Errorf("files %q", got)
	}
}

// TestUnsynced: what may not be on the disk does not get its name.
func TestUnsynced(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	tree(t, in, "a.txt")
	r := upper(out)
	r.Store = planOf(r).On(&filestest.Recorder{Fail: "sync .a.txt.up.part"})
	s, err := r.Run(t.Context(), Each(jobsOf(t, r, in+"/.")))
	if err != nil || s.Done != 0 || len(s.Failed) != 1 {
		t.Errorf("%+v, error %v", s, err)
	}
	if got := names(t, out); len(got) > 0 {
		t.Errorf("files %q", got)
	}
}

// TestLeftovers: what a killed run left is overwritten, and what another one is
// writing is left alone.
func TestLeftovers(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	tree(t, in, "a.txt")
	tree(t, out, ".a.txt.up.part")
	r := upper(out)
	jobs := jobsOf(t, r, in+"/.")
	if s, err := r.Run(t.Context(), Each(jobs)); err != nil || s.Done != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if got := names(t, out); !slices.Equal(got, []string{"a.txt.up"}) {
		t.Errorf("files %q", got)
	}
	if runtime.GOOS == "windows" {
		return
	}
	other, err := files.OS{}.Create(filepath.Join(out, ".a.txt.up.part"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	r.Force = true
	if s, err := r.Run(t.Context(), Each(jobs)); err != nil || len(s.Failed) != 1 || !errors.Is(s.Failed[0].Err, files.ErrBusy) {
		t.Errorf("while another run writes: %+v, %v", s, err)
	}
}

// TestUnread: a name that cannot be looked up is a failure and is not passed over,
// and a folder that could not be opened fails with the reason of then.
func TestUnread(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	tree(t, in, "a.txt", "sub/b.txt", "z.txt")
	for _, name := range []string{"loop.txt", ".loop.txt"} {
		if err := os.Symlink(name, filepath.Join(in, name)); err != nil {
			t.Skip(err)
		}
	}
	r := upper(out)
	planOf(r).Wanted = func(path string) (wanted bool) {
		var err error
		switch sub, away := filepath.Join(in, "sub"), filepath.Join(out, "sub"); filepath.Base(path) {
		case "a.txt":
			err = os.Rename(sub, away)
		case "z.txt":
			err = os.Rename(away, sub)
		}
		if err != nil {
			t.Error(err)
		}
		return true
	}
	jobs, passed, err := planOf(r).Jobs(t.Context(), []string{in + "/."})
	if err != nil || len(passed.Names) != 1 || passed.String() != "1 hidden name passed over" {
		t.Errorf("%+v, %v", passed, err)
	}
	s, err := r.Run(t.Context(), Each(jobs))
	if err != nil || s.Done != 2 || len(s.Failed) != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, why := os.Stat(filepath.Join(in, "loop.txt")); s.Failed[0].Err.Error() != files.Named(filepath.Join(in, "loop.txt"), why).Error() {
		t.Errorf("error %v, want %v", s.Failed[0].Err, why)
	}
	if err := s.Failed[1].Err; !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), filepath.Join(in, "sub")+": ") {
		t.Errorf("error %v", err)
	}
}

// TestStop: when the context ends, complete results stay and nothing else.
func TestStop(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	tree(t, in, "a.txt", "b.txt", "c.txt", "d.txt", "e.txt")
	r := upper(out)
	ctx, stop := context.WithCancel(t.Context())
	work := r.Work
	r.Work = func(c context.Context, j Job, text string) (func(io.Writer) error, error) {
		if filepath.Base(j.Input) == "c.txt" {
			stop()
			return nil, c.Err()
		}
		return work(c, j, text)
	}
	s, err := r.Run(ctx, Each(jobsOf(t, r, in+"/.")))
	if !errors.Is(err, context.Canceled) || s.Done != 2 || len(s.Failed) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if got := names(t, out); !slices.Equal(got, []string{"a.txt.up", "b.txt.up"}) {
		t.Errorf("files %q", got)
	}
}

// TestMemory: inputs never take more than the budget together, and an input
// larger than all of it runs alone.
func TestMemory(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	var texts []string
	for i := range 40 {
		texts = append(texts, fmt.Sprintf("%02d.txt", i))
	}
	tree(t, in, texts...)
	r := upper(out)
	r.Ahead = 16
	var held, most atomic.Int64
	r.Open = func(_ context.Context, j Job) (*Input[string], error) {
		need := int64(30)
		if strings.HasSuffix(j.Input, "7.txt") {
			need = 500
		}
		return &Input[string]{Memory: need, Read: func() (string, error) {
			n := held.Add(need)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			if need == 500 && n != 500 {
				t.Errorf("%d bytes held with one of 500", n)
			}
			return j.Input, nil
		}}, nil
	}
	r.Work = func(_ context.Context, j Job, text string) (func(io.Writer) error, error) {
		if strings.HasSuffix(text, "7.txt") {
			held.Add(-500)
		} else {
			held.Add(-30)
		}
		return writes(text), nil
	}
	if s, err := r.Run(t.Context(), Each(jobsOf(t, r, in))); err != nil || s.Done != 40 {
		t.Errorf("%+v, %v", s, err)
	}
	if most.Load() != 500 {
		t.Errorf("%d bytes held at most", most.Load())
	}
}
