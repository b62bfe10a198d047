package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/worker"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/model/synth"
)

// tinyModel returns the folder of a model that is not the built-in one.
func tinyModel(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "tiny")
	if err := synth.Write(t.Context(), dir, "tiny", 1, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestHelpOfRaw: plan does not offer raw bits, which it refuses.
func TestHelpOfRaw(t *testing.T) {
	if text := call(t, process.OK, "plan", "--help"); strings.Contains(text, "--raw ") || strings.Contains(text, "--raw)") || !strings.Contains(text, "--clip-bits") {
		t.Error(text)
	}
}

// TestMerge makes an archive of a job's parts, which package archive reads and
// checks.
func TestMerge(t *testing.T) {
	t.Parallel()
	const n = 60
	want, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	out := plan(t, n, 8)
	if text := call(t, process.Failed, "merge", out); !strings.Contains(text, "8 of 8 chunks are missing") {
		t.Error(text)
	}
	if text := call(t, process.OK, "run", out); strings.Contains(text, "no job yet") {
		t.Error(text)
	}
	if text := call(t, process.OK, "merge", out, "--shard-rows", "20"); !strings.Contains(text, "60 rows in 4 shards") {
		t.Error(text)
	}
	a, err := archive.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for s, err := range a.Check(t.Context(), nil) {
		if err != nil {
			t.Error(s, err)
		}
	}
	i := 0
	for r, err := range a.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if r.Name != pictureName(i) || !bytes.Equal(r.Data, want[r.Name]) {
			t.Errorf("row %d: %s %x", i, r.Name, r.Data)
		}
		i++
	}
	if i != n {
		t.Errorf("%d rows of %d", i, n)
	}
	if text := call(t, process.Failed, "merge", out); !strings.Contains(text, "--force replaces it") {
		t.Error(text)
	}
	// A damaged part is an error that says what to do.
	part := filepath.Join(out, filepath.FromSlash(job.PartName(3)))
	if err := os.Truncate(part, 100); err != nil {
		t.Fatal(err)
	}
	if text := call(t, process.Failed, "merge", out, "--force"); !strings.Contains(text, "part-00000003.parquet") || !strings.Contains(text, "remove it") {
		t.Error(text)
	}
	// The job is done all the same.
	list := filepath.Join(out, filepath.FromSlash(job.ErrorName(3)))
	if err := errors.Join(os.MkdirAll(filepath.Dir(list), 0o777), os.WriteFile(list, []byte("[]"), 0o666)); err != nil {
		t.Fatal(err)
	}
	if text := call(t, process.OK, "run", out); !strings.Contains(text, "could not be counted") || !strings.Contains(text, "part-00000003.parquet") {
		t.Error(text)
	}
}

// TestStoppedReport stops a run that counts the errors of its job.
func TestStoppedReport(t *testing.T) {
	t.Parallel()
	var printed bytes.Buffer
	s := &serving{program: &program{screen: terminal.New(&printed, &printed, os.Getenv)}}
	if err := s.open(t.Context(), plan(t, 2, 1)); err != nil {
		t.Fatal(err)
	}
	defer s.out.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.report(ctx); !errors.Is(err, context.Canceled) || interrupted(err) != "stopped with 2 of 2 chunks done; the same command resumes" || printed.Len() > 0 {
		t.Errorf("error %v, and %q", err, printed.String())
	}
}

// TestDecode paints the pictures of files. One file is damaged.
func TestDecode(t *testing.T) {
	t.Parallel()
	files, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	from, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	const n = 3
	for i := range n {
		name := filepath.Join(from, strings.ReplaceAll(pictureName(i), "/", "-")+job.FileExt)
		if err := os.WriteFile(name, files[pictureName(i)], 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(from, "bad"+job.FileExt), []byte("no file"), 0o666); err != nil {
		t.Fatal(err)
	}
	call(t, process.OK, "plan", from, out, "--decode", "--steps", "2", "--precision", "exact")
	call(t, process.OK, "run", out, "--workers", "2")
	var line statusLine
	if err := json.Unmarshal([]byte(call(t, process.OK, "status", out, "--json")), &line); err != nil {
		t.Fatal(err)
	}
	if line.Work != "decode" || line.Done != n+1 || line.Failed != 1 || line.Failures[0].Name != "bad"+job.FileExt {
		t.Errorf("%+v", line)
	}
	c, err := codec.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range n {
		name := strings.ReplaceAll(pictureName(i), "/", "-") + job.FileExt
		f, err := os.Open(filepath.Join(out, filepath.FromSlash(worker.PictureName(name))))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		file, err := codec.Parse(files[pictureName(i)])
		if err != nil {
			t.Fatal(err)
		}
		sampling := file.Sampling()
		sampling.Steps = 2
		want, err := c.Paint(t.Context(), file, &codec.DecodeOptions{Exact: true, Sampling: &sampling})
		if err != nil {
			t.Fatal(err)
		}
		for y := range want.Bounds().Dy() {
			for x := range want.Bounds().Dx() {
				r, g, b, _ := got.At(x, y).RGBA()
				r2, g2, b2, _ := want.At(x, y).RGBA()
				if r != r2 || g != g2 || b != b2 {
					t.Fatalf("%s: pixel %d, %d differs", name, x, y)
				}
			}
		}
	}
}

// TestUsage has command lines that are refused, and what they are told.
func TestUsage(t *testing.T) {
	t.Parallel()
	out := plan(t, 2, 1)
	secretURL := "nats://" + secret + "@127.0.0.1:4222"
	for _, c := range []struct {
		status int
		says   string
		args   []string
	}{
		{process.Usage, "needs SOURCE and DESTINATION", []string{"plan", "x"}},
		{process.Usage, "--bytes 7: must be a whole number from 40", []string{"plan", pictures, out, "--bytes", "7"}},
		{process.Usage, "without --decode", []string{"plan", pictures, out, "--size", "64"}},
		{process.Usage, "for encoding pictures", []string{"plan", pictures, out, "--decode", "--fit", "whole"}},
		{process.Usage, "size 65: it is a multiple of 8", []string{"plan", pictures, out, "--decode", "--size", "65"}},
		{process.Usage, "--apg has no effect: guidance 1", []string{"plan", pictures, out, "--decode", "--guidance", "1", "--apg", "0"}},
		{process.Failed, "knows no words", []string{"plan", pictures, out, "--decode", "--prompt", "a boat"}},
		{process.Usage, "--raw", []string{"plan", pictures, out, "--raw"}},
		{process.Failed, "has a job already", []string{"plan", pictures, out}},
		{process.Failed, "has no .coclico files", []string{"plan", pictures, t.TempDir(), "--decode"}},
		{process.Failed, "has no job", []string{"run", t.TempDir()}},
		{process.Failed, `no object store "gopher"`, []string{"run", "gopher://x"}},
		{process.Failed, "no password belongs in a URL", []string{"run", "s3://key:word@bucket"}},
		{process.Usage, "either --queue or --shard", []string{"work", out}},
		{process.Usage, "--shard 8/8", []string{"work", out, "--shard", "8/8"}},
		{process.Usage, "none of their variables", []string{"work", out, "--shard", "auto"}},
		{process.Failed, "belongs in a file", []string{"work", "--queue", secretURL}},
		{process.Failed, "without a token", []string{"serve", out, "--listen", "0.0.0.0:0"}},
		{process.Failed, "--tls-cert", []string{"serve", out, "--listen", "0.0.0.0:0", "--token-file", token(t)}},
		{process.Failed, "nowhere: no such file", []string{"serve", out, "--token-file", "nowhere"}},
		{process.Usage, "exclude each other", []string{"serve", out, "--token-file", "nowhere", "--no-auth"}},
		{process.Usage, "unknown flag --nothing", []string{"run", out, "--nothing"}},
	} {
		p := start(t, nil, c.args...)
		if status := p.wait(); status != c.status || !strings.Contains(p.output(), c.says) {
			t.Errorf("%v: status %d, want %d with %q: %s", c.args, status, c.status, c.says, p.output())
		}
		if strings.Contains(p.output(), secret) {
			t.Errorf("%v: the output has the token: %s", c.args, p.output())
		}
	}
}

// TestChanged has pictures that are gone, have changed, or are none, when a
// worker reads them, a name that might lead out of a folder, and a link to one.
func TestChanged(t *testing.T) {
	t.Parallel()
	from, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	whole, err := os.ReadFile(filepath.Join(pictures, filepath.FromSlash(pictureName(0))))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"changed.png", "gone.png", "none.png", `back\slash.png`, "folder/in.png"} {
		data := whole
		if name == "none.png" {
			data = []byte("not a picture")
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(from, name)), 0o777), os.WriteFile(filepath.Join(from, name), data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(pictures, filepath.Join(from, "linked")); err != nil {
		t.Fatal(err)
	}
	if text := call(t, process.OK, "plan", from, out); !strings.Contains(text, "1 linked folder passed over") {
		t.Error(text)
	}
	if err := os.Remove(filepath.Join(from, "gone.png")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from, "changed.png"), append(whole, 0), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(from, "folder")), os.WriteFile(filepath.Join(from, "folder"), nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	if text := call(t, process.OK, "work", out, "--shard", "0/1"); strings.Count(text, `"pictures with errors: coclico-fleet status lists them"`) != 5 {
		t.Errorf("the worker's log is %s", text)
	}
	// Merge is the command that fails because of them: see the README.
	if text := call(t, process.OK, "run", out); !strings.Contains(text, "0 pictures done") || !strings.Contains(text, "5 pictures with errors: coclico-fleet status lists them") {
		t.Error(text)
	}
	if text := call(t, process.Failed, "merge", out); !strings.Contains(text, "5 rows in 1 shards") || !strings.Contains(text, "5 of 5 pictures have errors: coclico-fleet status lists them") {
		t.Error(text)
	}
	text := call(t, process.OK, "status", out)
	for _, want := range []string{"5 of 5 pictures", "5 pictures with errors", "changed.png: has changed since", "gone.png: is no longer", "folder/in.png: is no longer", "none.png: not a picture", "a name with a backslash"} {
		if !strings.Contains(text, want) {
			t.Errorf("status does not say %q: %s", want, text)
		}
	}
}

// TestOrigin: rows record how they are made in the words of coclico archive.
func TestOrigin(t *testing.T) {
	for want, j := range map[string]job.Job{
		`tuned --bytes=200 --prompt="a red fox"`: {Params: []string{"--prompt=a red fox", "--bytes=200"}},
		"tuned defaults":                         {},
		" --apg=0,0,0 --steps=4":                 {Decode: true, Params: []string{"--apg=0,0,0", "--steps=4"}},
	} {
		if o := origin(&j, new(chosen)); o.Profile+" "+o.Params != want {
			t.Errorf("%v: %s, %s", j.Params, o.Profile, o.Params)
		}
	}
}

// TestPace: a worker does several pictures at a time, except those that it paints.
func TestPace(t *testing.T) {
	c, err := codec.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, k := range []struct {
		j     job.Job
		flags []string
		jobs  int
		limit time.Duration
	}{
		{job.Job{}, nil, 8, 10 * time.Minute},
		{job.Job{Params: []string{"--candidates=1"}}, nil, 8, 10 * time.Minute},
		{job.Job{Params: []string{"--candidates=2", "--steps=2"}}, nil, 1, 2 * time.Hour},
		{job.Job{Decode: true}, nil, 1, 2 * time.Hour},
		{job.Job{Decode: true}, []string{"--jobs=3", "--limit=1m"}, 3, time.Minute},
	} {
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		w := addWorkerFlags(flags)
		e, _, err := parseParams(&k.j)
		if err := errors.Join(err, flags.Parse(k.flags), tryParams(t.Context(), &k.j, c)); err != nil {
			t.Fatal(err)
		}
		if jobs, limit := w.pace(e); jobs != k.jobs || limit != k.limit || k.j.Paints != (k.jobs < 8) {
			t.Errorf("%+v %v: %d for %v", k.j, k.flags, jobs, limit)
		}
	}
}

// TestLate has workers whose job is done before they find its queue.
func TestLate(t *testing.T) {
	t.Parallel()
	out := plan(t, 2, 1)
	nobody := "nats://" + freeAddress(t)
	early := start(t, nil, "work", out, "--queue", nobody)
	early.until("the queue cannot be reached yet", 1)
	// What a worker that was killed after its part has left.
	left := filepath.Join(out, filepath.FromSlash(job.TryName(0)), "start-x")
	if err := os.MkdirAll(filepath.Dir(left), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	call(t, process.OK, "work", out, "--shard", "0/1")
	check(t, out, 2, nil)
	if status := early.wait(); status != process.OK || !strings.Contains(early.output(), "the job is done") {
		t.Errorf("a worker that waits: status %d: %s", status, early.output())
	}
	for _, how := range [][]string{{"--queue", nobody}, {"--shard", "0/1"}} {
		if text := call(t, process.OK, append([]string{"work", out}, how...)...); !strings.Contains(text, "the job is done") {
			t.Errorf("%v: %s", how, text)
		}
	}
	if text := call(t, process.Failed, "work", "--queue", nobody, "--idle", "100ms"); !strings.Contains(text, "no queue for 100ms") {
		t.Error(text)
	}
}

func TestAutoShard(t *testing.T) {
	for _, c := range []struct {
		env  string
		want string
	}{
		{"JOB_COMPLETION_INDEX=3 COCLICO_SHARDS=10", "{3 10}"},
		{"SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_STEP=2", "{2 4}"},
		{"SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=8", "{5 8}"},
		{"AWS_BATCH_JOB_ARRAY_INDEX=0 AWS_BATCH_JOB_ARRAY_SIZE=2", "{0 2}"},
		{"CLOUD_RUN_TASK_INDEX=1 CLOUD_RUN_TASK_COUNT=2", "{1 2}"},
		{"BATCH_TASK_INDEX=1 BATCH_TASK_COUNT=2", "{1 2}"},
		{"BATCH_TASK_INDEX=1 BATCH_TASK_COUNT=2 COCLICO_SHARDS=7", "{1 7}"},
		{"JOB_COMPLETION_INDEX=3", "$COCLICO_SHARDS is not a number"},
		{"JOB_COMPLETION_INDEX=x COCLICO_SHARDS=10", "$JOB_COMPLETION_INDEX is not a number"},
		{"JOB_COMPLETION_INDEX=10 COCLICO_SHARDS=10", "not one of 10 shards"},
		{"SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=8 SLURM_ARRAY_TASK_STEP=0", "not one of"},
		{"", "not in an array"},
	} {
		env := map[string]string{}
		for v := range strings.FieldsSeq(c.env) {
			name, value, _ := strings.Cut(v, "=")
			env[name] = value
		}
		s, err := autoShard(func(name string) (string, bool) { v, found := env[name]; return v, found })
		got := fmt.Sprint(s)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", c.env, got, c.want)
		}
	}
}

// TestTold: a queue has no say about folders of the worker's machine.
func TestTold(t *testing.T) {
	for _, bad := range [][]string{{"/out", "s3://in/photos"}, {"s3://out/archive", "/home"}, {"file:///out", "s3://in"}, {"s3://out", "file:///home"}, {"out", "in"}} {
		if err := checkTold(bad...); err == nil || !strings.Contains(err.Error(), "DESTINATION") {
			t.Errorf("%q: error %v", bad, err)
		}
	}
	if err := checkTold("s3://out/archive", "s3://in/photos"); err != nil {
		t.Error(err)
	}
}
