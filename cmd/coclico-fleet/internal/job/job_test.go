package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
)

func seq(objects ...bucket.Object) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		for _, o := range objects {
			if !yield(o, nil) {
				return
			}
		}
	}
}

func many(n int) []bucket.Object {
	var objects []bucket.Object
	for i := range n {
		objects = append(objects, bucket.Object{Name: fmt.Sprintf("%06d.jpg", i), Size: int64(i), Time: time.UnixMilli(int64(i)).UTC(), ETag: fmt.Sprint(i)})
	}
	return objects
}

func folder(t *testing.T) (*bucket.Bucket, string) {
	t.Helper()
	dir := t.TempDir()
	b, err := bucket.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return b, dir
}

// TestWrite writes jobs whose names take one list or several, and reads them.
func TestWrite(t *testing.T) {
	for _, c := range []struct{ pictures, chunk, wantChunk, lists int }{
		{1, 0, 1, 1}, {200, 0, 3, 1}, {3000, 7, 7, 1}, {listRows, 256, 256, 1}, {listRows + 1, 0, 256, 2}, {150_000, 1000, 1000, 3}, {70_000, MaxChunk, MaxChunk, 2},
	} {
		b, _ := folder(t)
		objects := many(c.pictures)
		j := &Job{Source: "mem://", Chunk: c.chunk, Model: "m", Fingerprint: "01234567", Software: "v", Params: []string{"--bytes=200"}}
		if _, err := Write(t.Context(), j, seq(objects...), b, nil); err != nil {
			t.Fatal(err)
		}
		again, err := Read(t.Context(), b)
		if err != nil || !reflect.DeepEqual(again, j) {
			t.Fatalf("%+v, want %+v, %v", again, j, err)
		}
		if j.Chunk != c.wantChunk || len(j.Lists) != c.lists || j.Pictures != int64(c.pictures) {
			t.Errorf("%+v: chunks of %d, %d lists", c, j.Chunk, len(j.Lists))
		}
		names := j.Names(b)
		at := 0
		for chunk := range j.Chunks() {
			got, err := names.Chunk(t.Context(), chunk)
			if err != nil || len(got) != j.Size(chunk) || !reflect.DeepEqual(got, objects[at:at+len(got)]) {
				t.Fatalf("chunk %d: %d of %d, %v", chunk, len(got), j.Size(chunk), err)
			}
			at += len(got)
		}
		if at != c.pictures {
			t.Errorf("%d names of %d", at, c.pictures)
		}
	}
}

func TestDefaultChunk(t *testing.T) {
	for _, c := range []struct {
		pictures int64
		paints   bool
		want     int
	}{{1_000_000, false, 256}, {1_000_000, true, 8}, {640, false, 10}, {640, true, 8}, {10, true, 1}} {
		j := &Job{Pictures: c.pictures, Paints: c.paints}
		if got := j.defaultChunk(); got != c.want {
			t.Errorf("%+v: chunks of %d", c, got)
		}
	}
}

// TestListing has names that are no pictures, hidden, or no names for an archive.
func TestListing(t *testing.T) {
	b, _ := folder(t)
	j := &Job{Model: "m", Fingerprint: "01234567"}
	objects := seq(bucket.Object{Name: ".a.png"}, bucket.Object{Name: "a.PNG"}, bucket.Object{Name: "a.txt"}, bucket.Object{Name: "b"},
		bucket.Object{Name: "b\xff.png"}, bucket.Object{Name: "c.jpeg"}, bucket.Object{Name: strings.Repeat("d", 1025) + ".png"})
	sum, err := Write(t.Context(), j, objects, b, nil)
	if err != nil || j.Pictures != 2 || sum.Others != 3 || sum.Unnamed != 2 {
		t.Errorf("%d pictures, %+v, %v", j.Pictures, sum, err)
	}
	if _, err := Write(t.Context(), &Job{}, seq(many(3)...), b, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second job: %v", err)
	}
	for name, listing := range map[string]iter.Seq2[bucket.Object, error]{
		"nothing": seq(bucket.Object{Name: "a.txt"}),
		"order":   seq(bucket.Object{Name: "b.png"}, bucket.Object{Name: "a.png"}),
		"twice":   seq(bucket.Object{Name: "b.png"}, bucket.Object{Name: "b.png"}),
		"error":   func(yield func(bucket.Object, error) bool) { yield(bucket.Object{}, errors.New("broken")) },
	} {
		b, _ := folder(t)
		if _, err := Write(t.Context(), &Job{Fingerprint: "01234567"}, listing, b, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := Read(t.Context(), b); !errors.Is(err, ErrNone) {
			t.Errorf("%s: a job was written: %v", name, err)
		}
	}
}

// TestHostile changes a job in ways that could make a worker allocate too much,
// read outside of the job, or panic.
func TestHostile(t *testing.T) {
	b, dir := folder(t)
	j := &Job{Source: "mem://", Chunk: 10, Model: "m", Fingerprint: "01234567"}
	if _, err := Write(t.Context(), j, seq(many(25)...), b, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, filepath.FromSlash(Name))
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(map[string]any){
		"version":     func(m map[string]any) { m["version"] = 2 },
		"id":          func(m map[string]any) { m["id"] = "../../etc" },
		"fingerprint": func(m map[string]any) { m["fingerprint"] = "xyz" },
		"no chunk":    func(m map[string]any) { m["chunk"] = 0 },
		"chunk":       func(m map[string]any) { m["chunk"] = 1 << 30 },
		"pictures":    func(m map[string]any) { m["pictures"] = 1 << 60 },
		"negative":    func(m map[string]any) { m["pictures"] = -1 },
		"rows":        func(m map[string]any) { m["rows"] = 15 },
		"no lists":    func(m map[string]any) { m["lists"] = nil },
		"list":        func(m map[string]any) { m["lists"].([]any)[0].(map[string]any)["name"] = "_job/other" },
		"list rows":   func(m map[string]any) { m["lists"].([]any)[0].(map[string]any)["rows"] = 24 },
		"type":        func(m map[string]any) { m["chunk"] = "ten" },
	} {
		var m map[string]any
		if err := json.Unmarshal(good, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(t.Context(), b); err == nil || errors.Is(err, ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A list that was changed is not even parsed.
	list := filepath.Join(dir, filepath.FromSlash(j.Lists[0].Name))
	data, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(list, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Names(b).Chunk(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Error(err)
	}
}

// TestClock steps the clock by days while a job is done: parts are early, late
// and in the future. The rate is of the latest ten minutes by the bucket's clock.
func TestClock(t *testing.T) {
	b, dir := folder(t)
	j := &Job{Source: "mem://", Chunk: 10, Model: "m", Fingerprint: "01234567"}
	if _, err := Write(t.Context(), j, seq(many(100)...), b, nil); err != nil {
		t.Fatal(err)
	}
	status := func() Status {
		t.Helper()
		s, err := ReadStatus(t.Context(), j, b)
		if err != nil || s.Rate < 0 || s.Left < 0 {
			t.Fatal(s, err)
		}
		return s
	}
	if s := status(); s.Done != 0 || s.Rate != 0 || s.Left != 0 {
		t.Error(s)
	}
	day := 24 * time.Hour
	now := time.Now()
	for i, at := range []time.Duration{0, time.Second, -day, -day + time.Second, 30 * day, 30*day + 10*time.Second, 30*day + 20*time.Second} {
		if err := b.Put(context.Background(), PartName(i), []byte("part")); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(dir, filepath.FromSlash(PartName(i))), now.Add(at), now.Add(at)); err != nil {
			t.Fatal(err)
		}
		status()
	}
	// Other objects do not count, nor does an empty one: a killed worker's.
	for _, name := range []string{"_parts/part-99999999.parquet", "_parts/part-00000001.parquet.tmp", "_parts/x", PartName(8)} {
		if err := b.Put(context.Background(), name, nil); err != nil {
			t.Fatal(err)
		}
	}
	s := status()
	if s.Done != 7 || s.Pictures != 70 || s.Rate != 1 || s.Left != 30*time.Second {
		t.Errorf("%+v, want 7 chunks, 1 picture a second and 30 seconds left", s)
	}
	missing, err := Missing(t.Context(), j, b)
	if err != nil || !reflect.DeepEqual(missing, []int{7, 8, 9}) {
		t.Error(missing, err)
	}
}

// TestSample has more and fewer names than are asked for. Each name is returned
// some time.
func TestSample(t *testing.T) {
	n := &Names{job: &Job{Pictures: 25, Chunk: 5, Rows: 25}, rows: make([]nameRow, 25)}
	for i := range n.rows {
		n.rows[i].Name = fmt.Sprint(i)
	}
	for count, step := range map[int]int{1: 25, 3: 9, 10: 3} {
		seen := map[string]bool{}
		for range 1000 {
			objects, err := n.Sample(t.Context(), 4, count)
			if err != nil || len(objects) == 0 || len(objects) > count {
				t.Fatalf("%d of 25: %d, %v", count, len(objects), err)
			}
			first, err := strconv.Atoi(objects[0].Name)
			if err != nil || first >= step {
				t.Fatalf("%d of 25: from %s, want one before %d", count, objects[0].Name, step)
			}
			for i, o := range objects {
				seen[o.Name] = true
				if o.Name != strconv.Itoa(first+i*step) {
					t.Fatalf("%d of 25: %v, want each %d", count, objects, step)
				}
			}
		}
		if len(seen) != 25 {
			t.Errorf("%d of 25: only %d in 1,000 times", count, len(seen))
		}
	}
	if all, err := n.Sample(t.Context(), 0, 100); err != nil || len(all) != 25 {
		t.Errorf("100 of 25: %d, %v", len(all), err)
	}
}
