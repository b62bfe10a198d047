package hub_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub"
	"github.com/coclico/coclico/weights/hub/hubtest"
)

const (
	both = "model.safetensors" // of two towers

	// The kept tensors: more than two of the blocks at which a pull resumes.
	textSize = 9 << 20
	block    = 4 << 20
)

// towers returns a safetensors file of two towers, the text's of size bytes.
func towers(t *testing.T, seed uint32, size int) []byte {
	t.Helper()
	specs := []weights.Spec{
		{Name: "logit_scale", DType: weights.F32}, {Name: "text_model.a", DType: weights.F32, Shape: []int{size / 4}},
		{Name: "text_projection.weight", DType: weights.F32, Shape: []int{2, 5}}, {Name: "vision_model.a", DType: weights.F32, Shape: []int{1 << 18}},
		{Name: "text_model.half", DType: weights.F16, Shape: []int{7}},
	}
	var b bytes.Buffer
	err := weights.WriteSafetensors(&b, specs, func(i int, w io.Writer) error {
		n := specs[i].DType.Size()
		for _, d := range specs[i].Shape {
			n *= d
		}
		_, err := w.Write(hubtest.Noise(n, seed+uint32(i)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var selection = hub.Selection{
	File: both, Keep: func(name string) bool { return strings.HasPrefix(name, "text_") },
	Needed: []string{"vocab.json"}, Optional: []string{"extra.json", "none.json"},
}

func towerHub(t *testing.T, size int) *hubtest.Hub {
	return hubtest.New(t, map[string][]byte{both: towers(t, 1, size), "vocab.json": []byte("{}"), "extra.json": []byte("[]"), "README.md": []byte("---\nlicense: mit\n---\n")})
}

func excerpt(ctx context.Context, c *hub.Client, path string) (*hub.Excerpt, string, error) {
	e, err := c.PlanExcerpt(ctx, repo, "main", selection, path)
	if err != nil {
		return nil, "", err
	}
	sum, err := c.PullExcerpt(ctx, e, nil)
	return e, sum, err
}

// checkExcerpt compares a pulled file with the tensors of the hub's.
func checkExcerpt(t *testing.T, f *hubtest.Hub, path, sum string) {
	t.Helper()
	whole := filepath.Join(t.TempDir(), both)
	if err := os.WriteFile(whole, f.Files[both], 0o666); err != nil {
		t.Fatal(err)
	}
	a, err := weights.OpenFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := weights.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if want := []string{"text_model.a", "text_model.half", "text_projection.weight"}; !slices.Equal(b.Names(), want) {
		t.Errorf("the file has %v, want %v", b.Names(), want)
	}
	for _, name := range b.Names() {
		x, _ := a.Lookup(name)
		y, _ := b.Lookup(name)
		if x.DType != y.DType || !slices.Equal(x.Shape, y.Shape) || !bytes.Equal(x.Data, y.Data) {
			t.Errorf("%s differs", name)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil || fmt.Sprintf("%x", sha256.Sum256(data)) != sum {
		t.Errorf("the hash is %s, which the file does not have (%v)", sum, err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("%v beside the file", entries)
	}
}

// TestExcerpt: only the tensors' bytes come, in two ranges, and the small files
// are planned.
func TestExcerpt(t *testing.T) {
	f := towerHub(t, textSize)
	c := client(f, t)
	path := filepath.Join(t.TempDir(), "new", "text.safetensors")
	e, err := c.PlanExcerpt(t.Context(), repo, "main", selection, path)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, i := range e.Plan.Files {
		files = append(files, i.Path)
	}
	if want := []string{"vocab.json", "extra.json", "README.md"}; !slices.Equal(files, want) || e.Plan.License.Name != "mit" {
		t.Errorf("the plan has %v and the license %q", files, e.Plan.License.Name)
	}
	head := f.Files[both][:8+binary.LittleEndian.Uint64(f.Files[both])]
	if e.Header != fmt.Sprintf("%x", sha256.Sum256(head)) || e.Of.Size != int64(len(f.Files[both])) || e.Item.Have != 0 {
		t.Errorf("planned: %+v", e)
	}
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		t.Error("a plan writes")
	}
	last, calls := int64(0), 0
	sum, err := c.PullExcerpt(t.Context(), e, func(done int64) {
		if done < last {
			t.Errorf("progress goes from %d to %d", last, done)
		}
		last = done
		calls++
	})
	if err != nil {
		t.Fatal(err)
	}
	checkExcerpt(t, f, path, sum)
	if last != e.Item.Size || calls < 10 {
		t.Errorf("progress ends with %d of %d after %d calls", last, e.Item.Size, calls)
	}
	if n, most := f.Sent(both), int64(len(head)+textSize+40+14); n != most || f.Gets(both) != 4 {
		t.Errorf("%d bytes in %d requests, want %d in 4", n, f.Gets(both), most)
	}
	if _, again, err := excerpt(t.Context(), c, path); err != nil || again != sum || f.Gets(both) != 6 {
		t.Errorf("again: %s, %v, %d requests", again, err, f.Gets(both))
	}
}

// TestExcerptCuts: a connection that is cut again and again.
func TestExcerptCuts(t *testing.T) {
	f := towerHub(t, textSize)
	f.Serve = cutAll(f, 1<<20)
	path := filepath.Join(t.TempDir(), both)
	_, sum, err := excerpt(t.Context(), client(f, t), path)
	if err != nil {
		t.Fatal(err)
	}
	checkExcerpt(t, f, path, sum)
	if n := f.Sent(both); n > int64(len(f.Files[both])) {
		t.Errorf("%d bytes sent of a file of %d", n, len(f.Files[both]))
	}
}

// cutAll serves n bytes of each request.
func cutAll(f *hubtest.Hub, n int) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, r *http.Request, path string) bool {
		w.Header().Set("ETag", `"one"`)
		http.ServeContent(&cutting{w, n}, r, "", time.Time{}, bytes.NewReader(f.Files[path]))
		return true
	}
}

// TestExcerptResume: a pull that was ended resumes at a whole block, and starts
// again on what is not its own.
func TestExcerptResume(t *testing.T) {
	f := towerHub(t, textSize)
	c := client(f, t)
	path := filepath.Join(t.TempDir(), both)
	ctx, cancel := context.WithCancel(t.Context())
	e, err := c.PlanExcerpt(ctx, repo, "main", selection, path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.PullExcerpt(ctx, e, func(done int64) {
		if done > block+block/2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	names, err := filepath.Glob(path + ".*.incomplete")
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	left, err := os.ReadFile(names[0])
	if err != nil || len(left) <= block || len(left) >= 2*block {
		t.Fatalf("%d bytes are left, %v", len(left), err)
	}
	if err := os.WriteFile(path+".0.incomplete", nil, 0o666); err != nil { // of another version
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		left []byte
		have int64
	}{
		{"what came", left, block},
		{"torn after the block", append(left[:block:block], make([]byte, block/2)...), block},
		{"one block", left[:block], 0}, // which may not have been synced
		{"one byte more", left[:block+1], block},
		{"another header", append([]byte{1}, left[1:]...), 0},
		{"nothing", nil, 0},
		{"too long", append(slices.Clone(left), make([]byte, textSize)...), 0},
	} {
		if err := errors.Join(os.RemoveAll(path), os.WriteFile(names[0], tt.left, 0o666)); err != nil {
			t.Fatal(err)
		}
		before := f.Sent(both)
		e, sum, err := excerpt(t.Context(), c, path)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if e.Item.Have != tt.have {
			t.Errorf("%s: %d bytes exist, want %d", tt.name, e.Item.Have, tt.have)
		}
		checkExcerpt(t, f, path, sum)
		if n := f.Sent(both) - before; n > e.Item.Size-tt.have+4096 {
			t.Errorf("%s: %d bytes came", tt.name, n)
		}
	}
}

// TestExcerptRefusals: servers that do not send the requested bytes, and files
// that have no part to take.
func TestExcerptRefusals(t *testing.T) {
	// data returns whether a request is for the tensors and not for the header.
	data := func(r *http.Request) bool {
		return !strings.HasPrefix(r.Header.Get("Range"), "bytes=0-") && !strings.HasPrefix(r.Header.Get("Range"), "bytes=8-")
	}
	answer := func(contentRange string, n int) func(f *hubtest.Hub) {
		return func(f *hubtest.Hub) {
			f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
				if data(r) {
					w.Header().Set("ETag", `"not-a-hash-1"`)
					w.Header().Set("Content-Range", contentRange)
					w.WriteHeader(http.StatusPartialContent)
					w.Write(make([]byte, n))
				}
				return data(r)
			}
		}
	}
	header := func(text string) func(f *hubtest.Hub) {
		return func(f *hubtest.Hub) {
			f.Files[both] = append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
		}
	}
	many := "{"
	for i := range 600 {
		name := []string{"text_", "other_"}[i%2]
		many += fmt.Sprintf(`"%s%d":{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]},`, name, i, i, i+1)
	}
	many = strings.TrimSuffix(many, ",") + "}"
	for _, tt := range []struct {
		name string
		edit func(f *hubtest.Hub)
		want string
	}{
		{"no ranges", func(f *hubtest.Hub) {
			f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool { r.Header.Del("Range"); return false }
		}, "does not send parts of files"},
		{"no ranges of the tensors", func(f *hubtest.Hub) {
			f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
				if data(r) {
					r.Header.Del("Range")
				}
				return false
			}
		}, "does not send parts of files"},
		{"another place", answer("bytes 0-9/100", 10), `sends "bytes 0-9/100", not the bytes from`},
		{"no place", answer("", 10), "not the bytes from"},
		{"nonsense", answer(strings.Repeat("x", 5000), 10), "not the bytes from"},
		{"changed", func(f *hubtest.Hub) {
			f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
				tag := `"one"`
				if data(r) {
					tag = `"two"`
					if r.Header.Get("If-Range") != `"one"` {
						t.Errorf("If-Range is %q", r.Header.Get("If-Range"))
					}
				}
				w.Header().Set("ETag", tag)
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.Files[path]))
				return true
			}
		}, "has changed"},
		{"a page", func(f *hubtest.Hub) {
			f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
				w.Header().Set("Content-Type", "text/html")
				return true
			}
		}, "web page"},
		{"gated", func(f *hubtest.Hub) { f.Token = "hf_x" }, "needs a token"},
		{"no weights", func(f *hubtest.Hub) { delete(f.Files, both) }, "no " + both},
		{"no vocabulary", func(f *hubtest.Hub) { delete(f.Files, "vocab.json") }, "no vocab.json"},
		{"a large vocabulary", func(f *hubtest.Hub) { f.Files["vocab.json"] = make([]byte, 9<<20) }, "vocab.json has 9437184 bytes"},
		{"short", func(f *hubtest.Hub) { f.Files[both] = []byte("short") }, "shorter than 8 bytes"},
		{"something else", func(f *hubtest.Hub) { f.Files[both] = bytes.Repeat([]byte{0xff}, 100) }, "not a safetensors file"},
		{"a header of 16 MiB", func(f *hubtest.Hub) { copy(f.Files[both], []byte{0, 0, 0, 1, 0, 0, 0, 0}) }, "at most 8388608"},
		{"not the tensors", header(`{}`), "none of the tensors"},
		{"a lie", header(`{"text_a":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}`), "text_a"},
		{"larger than any file", header(`{"text_a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,4]}}`), "64 GiB"},
		{"scattered", func(f *hubtest.Hub) {
			header(many)(f)
			f.Files[both] = append(f.Files[both], make([]byte, 600)...)
		}, "lie in 300 places"},
	} {
		f := towerHub(t, 1<<16)
		tt.edit(f)
		path := filepath.Join(t.TempDir(), both)
		_, _, err := excerpt(t.Context(), client(f, t), path)
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 500 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: there is a file", tt.name)
		}
		if f.Sent(both) > 4<<20 || f.Gets(both) > 20 {
			t.Errorf("%s: %d bytes in %d requests", tt.name, f.Sent(both), f.Gets(both))
		}
	}
	// Too little, again and again, is an error after five times; a length that
	// is not the range's is one at once.
	f := towerHub(t, 1<<16)
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if data(r) {
			w.Header().Set("ETag", `"not-a-hash-1"`)
			w.Header().Set("Content-Range", strings.Replace(r.Header.Get("Range"), "=", " ", 1)+"/*")
			w.WriteHeader(http.StatusPartialContent)
			http.NewResponseController(w).Flush() // so that it names no length
			w.Write(make([]byte, 10))
		}
		return data(r)
	}
	if _, _, err := excerpt(t.Context(), client(f, t), filepath.Join(t.TempDir(), both)); err == nil || !strings.Contains(err.Error(), "cut short after 10 of") || f.Gets(both) != 7 {
		t.Errorf("cut short: %v after %d requests", err, f.Gets(both))
	}
	before := f.Gets(both)
	inner := f.Serve
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		w.Header().Set("Content-Length", "10")
		if !data(r) {
			w.Header().Del("Content-Length")
		}
		return inner(w, r, path)
	}
	if _, _, err := excerpt(t.Context(), client(f, t), filepath.Join(t.TempDir(), both)); err == nil || !strings.Contains(err.Error(), "sends 10 bytes") || f.Gets(both)-before != 3 {
		t.Errorf("a wrong length: %v after %d requests", err, f.Gets(both)-before)
	}
	c := client(f, t)
	c.Offline = true
	if _, _, err := excerpt(t.Context(), c, filepath.Join(t.TempDir(), both)); err == nil || !strings.Contains(err.Error(), "HF_HUB_OFFLINE") {
		t.Errorf("offline: %v", err)
	}
}

// TestExcerptChanged: what has come of a file that changes is thrown away.
func TestExcerptChanged(t *testing.T) {
	f := towerHub(t, textSize)
	f.Serve = func(w http.ResponseWriter, r *http.Request, path string) bool {
		if f.Gets(both) > 3 {
			f.Files[both] = towers(t, 9, textSize)
			w.Header().Set("ETag", `"two"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.Files[path]))
			return true
		}
		return cutAll(f, 6<<20)(w, r, path)
	}
	dir := t.TempDir()
	_, _, err := excerpt(t.Context(), client(f, t), filepath.Join(dir, both))
	if err == nil || !strings.Contains(err.Error(), "has changed") {
		t.Errorf("error %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("%v is left", entries)
	}
}

// TestTwoExcerpts: of pulls at the same time, one downloads.
func TestTwoExcerpts(t *testing.T) {
	f := towerHub(t, textSize)
	c := client(f, t)
	path := filepath.Join(t.TempDir(), both)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, _, err := excerpt(t.Context(), c, path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := f.Sent(both); n > textSize+1<<20 {
		t.Errorf("%d bytes came", n)
	}
}
