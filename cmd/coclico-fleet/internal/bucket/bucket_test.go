package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/coclico/coclico/cmd/internal/batch"
)

// buckets returns an empty bucket of each kind, by its URL. None of them holds
// another.
func buckets(t *testing.T) map[string]string {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "none"),
	} {
		t.Setenv(name, value)
	}
	backend := s3mem.New()
	for _, name := range []string{"b", "c"} {
		if err := backend.CreateBucket(name); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	query := "?use_path_style=true&disable_https=true&endpoint=" + server.URL
	return map[string]string{
		"folder": filepath.Join(t.TempDir(), "a", "b"),
		"file":   "file://" + filepath.ToSlash(t.TempDir()),
		"mem":    "mem://",
		"s3":     "s3://b" + query,
		"prefix": "s3://c/some/where" + query,
	}
}

func open(t *testing.T, where string) *Bucket {
	t.Helper()
	b, err := Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// TestBucket puts, replaces, lists and removes objects, one of them of more than
// five million bytes, which an object store gets in parts.
func TestBucket(t *testing.T) {
	for kind, where := range buckets(t) {
		t.Run(kind, func(t *testing.T) {
			ctx := t.Context()
			b := open(t, where)
			large := bytes.Repeat([]byte("0123456789abcdef"), 6<<20/16)
			for _, data := range [][]byte{[]byte("small"), {}, large} {
				name := fmt.Sprintf("x/%d", len(data))
				if err := b.Put(ctx, name, data); err != nil {
					t.Fatal(err)
				}
				if len(data) > 0 { // see TestClaim
					if err := b.Put(ctx, name, []byte("second")); !errors.Is(err, fs.ErrExist) {
						t.Errorf("a second Put of %d bytes: %v", len(data), err)
					}
				}
				got, o, err := b.Get(ctx, name, 16<<20)
				if err != nil || !bytes.Equal(got, data) || o.Size != int64(len(data)) || o.Time.IsZero() {
					t.Errorf("%d bytes came back as %d, %+v, %v", len(data), len(got), o, err)
				}
				if len(data) > 0 {
					if _, _, err := b.Get(ctx, name, int64(len(data)-1)); !errors.Is(err, ErrLong) {
						t.Errorf("Get of too much: %v", err)
					}
				}
			}
			if err := b.Replace(ctx, "x/5", []byte("other")); err != nil {
				t.Fatal(err)
			}
			if got, _, err := b.Get(ctx, "x/5", 100); string(got) != "other" || err != nil {
				t.Error(string(got), err)
			}
			if has, err := b.Has(ctx, "x/5"); !has || err != nil {
				t.Error(has, err)
			}
			for _, missing := range []string{"x/6", "x", "y/z", "x/5/z"} {
				if has, err := b.Has(ctx, missing); has || err != nil {
					t.Error(missing, has, err)
				}
				if _, _, err := b.Get(ctx, missing, 100); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("Get %s: %v", missing, err)
				}
				if err := b.Remove(ctx, missing); err != nil && missing != "x" {
					t.Errorf("Remove %s: %v", missing, err)
				}
			}
			if err := b.Remove(ctx, "x/0"); err != nil {
				t.Error(err)
			}
			if names := list(t, b, "x/"); !slices.Equal(names, []string{"x/5", fmt.Sprintf("x/%d", len(large))}) {
				t.Error(names)
			}
		})
	}
}

func list(t *testing.T, b *Bucket, prefix string) (names []string) {
	t.Helper()
	for o, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, o.Name)
	}
	return names
}

// TestList lists names whose order is not that of a walk through folders, more
// than an object store has on a page.
func TestList(t *testing.T) {
	for kind, where := range buckets(t) {
		t.Run(kind, func(t *testing.T) {
			b := open(t, where)
			var want []string
			for i := range 1200 {
				want = append(want, fmt.Sprintf("a/%04d", i))
			}
			want = append(want, "a-b", "a.png", "a0", "b/c/d", "b/c-d", "z__0x2f__z", "é", "x../y", "b/c.d")
			var group sync.WaitGroup
			for part := range slices.Chunk(want, 200) {
				group.Go(func() {
					for _, name := range part {
						if kind == "folder" || kind == "file" { // without the syncs of Put
							path := filepath.Join(b.Folder(), filepath.FromSlash(name))
							if os.MkdirAll(filepath.Dir(path), 0o777) != nil || os.WriteFile(path, nil, 0o666) != nil {
								t.Error(name)
							}
						} else if err := b.Put(t.Context(), name, nil); err != nil {
							t.Error(err)
						}
					}
				})
			}
			group.Wait()
			slices.Sort(want)
			if got := list(t, b, ""); !slices.Equal(got, want) {
				t.Errorf("%d names, want %d in order", len(got), len(want))
			}
			if got := list(t, b, "a/00"); len(got) != 100 || got[0] != "a/0000" {
				t.Error(len(got))
			}
			if got := list(t, b, "b/c"); !slices.Equal(got, []string{"b/c-d", "b/c.d", "b/c/d"}) {
				t.Error(got)
			}
			if got := list(t, b, "none/"); got != nil {
				t.Error(got)
			}
			if _, _, err := b.Get(t.Context(), "x../y", 10); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPassed lists a folder with what is no object, which is counted.
func TestPassed(t *testing.T) {
	b, other := open(t, t.TempDir()), t.TempDir()
	for _, name := range []string{"a/x.png", "a/.hidden.png", ".git/x.png"} {
		if err := b.Put(t.Context(), name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"file.png": "a/x.png", "linked": other, "nowhere.png": "nothing"} {
		if err := os.Symlink(to, filepath.Join(b.Folder(), link)); err != nil {
			t.Skip(err)
		}
	}
	if got := list(t, b, ""); !slices.Equal(got, []string{"a/x.png", "file.png"}) {
		t.Error(got)
	}
	b.Passed = &batch.Passed{Keep: true}
	list(t, b, "")
	if got := b.Passed.Names; !slices.Equal(got, []string{".git", "a/.hidden.png", "linked", "nowhere.png"}) {
		t.Error(got)
	}
	if got := b.Passed.String(); got != "1 other file passed over: 1 .png; 1 linked folder passed over; 2 hidden names passed over" {
		t.Error(got)
	}
}

// TestLockedFolder: a folder that cannot be read is an error, and no object.
func TestLockedFolder(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("every folder can be read here")
	}
	b := open(t, t.TempDir())
	if err := b.Put(t.Context(), "a/locked/x.png", []byte("x")); err != nil {
		t.Fatal(err)
	}
	locked := filepath.Join(b.Folder(), "a", "locked")
	if err := os.Chmod(locked, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(locked, 0o777)
	for o, err := range b.List(t.Context(), "a/") {
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "a/locked") {
			t.Errorf("%+v, %v", o, err)
		}
	}
	if got := list(t, b, "a/x"); got != nil {
		t.Error(got)
	}
}

// TestPutOnce has many put the same object: one wins, and its bytes stay.
func TestPutOnce(t *testing.T) {
	for kind, where := range buckets(t) {
		if kind == "s3" || kind == "prefix" {
			continue // gofakes3 does not put atomically
		}
		t.Run(kind, func(t *testing.T) {
			b := open(t, where)
			var winner atomic.Int64
			var wins atomic.Int64
			var group sync.WaitGroup
			for i := range 16 {
				group.Go(func() {
					err := b.Put(t.Context(), "p/x", []byte{byte(i)})
					switch {
					case err == nil:
						wins.Add(1)
						winner.Store(int64(i))
					case !errors.Is(err, fs.ErrExist):
						t.Error(err)
					}
				})
			}
			group.Wait()
			got, _, err := b.Get(t.Context(), "p/x", 10)
			if wins.Load() != 1 || err != nil || len(got) != 1 || int64(got[0]) != winner.Load() {
				t.Errorf("%d winners, the last %d; %v, %v", wins.Load(), winner.Load(), got, err)
			}
			if names := list(t, b, ""); !slices.Equal(names, []string{"p/x"}) {
				t.Error(names)
			}
		})
	}
}

// TestClaim has an empty file in the place of an object. A process leaves it
// when it is killed while it puts the object into a folder without links. It is
// ignored, and the next process that puts the object replaces it. A claim that
// is filled in time is another process's object.
func TestClaim(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	for _, name := range []string{"left", "filled"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if has, err := b.Has(t.Context(), name); has || err != nil {
			t.Errorf("an empty file is an object: %v, %v", has, err)
		}
	}
	if err := b.Put(t.Context(), "left", []byte("x")); err != nil {
		t.Error(err)
	}
	if err := b.Put(t.Context(), "left", []byte("y")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second Put: %v", err)
	}
	time.AfterFunc(claimTime/4, func() { os.WriteFile(filepath.Join(dir, "filled"), []byte("x"), 0o666) })
	if err := b.Put(t.Context(), "filled", []byte("y")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Put where another is about to: %v", err)
	}
	for _, name := range []string{"left", "filled"} {
		if got, _, err := b.Get(t.Context(), name, 10); string(got) != "x" || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestFault has writes that fail, before or after they are done.
func TestFault(t *testing.T) {
	b := open(t, t.TempDir())
	calls := 0
	broken := errors.New("broken")
	b.Fault = func(_ string, after bool) error {
		if calls++; calls == 1 {
			return broken
		}
		return nil
	}
	if err := b.Put(t.Context(), "a", []byte("a")); err != nil || calls != 3 {
		t.Error(err, calls)
	}
	b.Fault = func(_ string, after bool) error {
		if after {
			return broken
		}
		return nil
	}
	if err := b.Put(t.Context(), "b", []byte("b")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v, want that the first try has written it", err)
	}
	b.Fault = func(string, bool) error { return broken }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Put(ctx, "c", []byte("c")); err == nil {
		t.Error("no error")
	}
}

// TestNames has names from strangers that must not lead out of a folder.
func TestNames(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "in")
	b := open(t, dir)
	for _, name := range []string{"", "/", "/a", "a/", "..", "../a", "a/../b", "a/..", "./a", "a//b", "a/./b", "a\\b", "a\x00b", "a\nb", "\x7f", "a\xff", strings.Repeat("a", 1025)} {
		if CheckName(name) == nil {
			t.Errorf("%q is taken", name)
		}
		if err := b.Put(t.Context(), name, nil); err == nil {
			t.Errorf("%q is written", name)
		}
		if _, _, err := b.Get(t.Context(), name, 1); err == nil {
			t.Errorf("%q is read", name)
		}
	}
	for _, name := range []string{"a", "a/b", "...", "a..b/..c", ".hidden", "ü/日本.png", strings.Repeat("a", 1024)} {
		if err := CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	// Nor does a link that somebody has put into the folder.
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outer, filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	if err := b.Put(t.Context(), "link/a", nil); err == nil {
		t.Error("a link leads out of the folder")
	}
}

// TestUnheld puts objects whose names a folder cannot hold: in no second try, and
// never as if the object existed.
func TestUnheld(t *testing.T) {
	b := open(t, t.TempDir())
	for _, name := range []string{"a/b", "c"} {
		if err := b.Put(t.Context(), name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "c/d", "c/d/e", strings.Repeat("x", 256), strings.Repeat("x", 256) + "/y", strings.Repeat("x/", 512) + "y", "a//b"} {
		for _, put := range []func(context.Context, string, []byte) error{b.Put, b.Replace} {
			var unheld NameError
			if err := put(t.Context(), name, []byte("x")); !errors.As(err, &unheld) {
				t.Errorf("%.20s: error %v", name, err)
			}
		}
	}
}

func TestOpenErrors(t *testing.T) {
	for where, want := range map[string]string{
		"":                     "empty name",
		"gopher://x":           `no object store "gopher"`,
		"s3://key:word@b":      "no password",
		"s3://b/../c":          "lead out",
		"file://host/x":        "not the URL of a folder",
		"file:///x?metadata=1": "not the URL of a folder",
	} {
		if _, err := Open(t.Context(), where); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", where, err, want)
		}
	}
}
