package hub_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/weights/hub"
	"github.com/coclico/coclico/weights/hub/hubtest"
)

func TestVerifyAndRemove(t *testing.T) {
	for name, noSymlinks := range map[string]bool{"symbolic links": false, "hard links": true} {
		t.Run(name, func(t *testing.T) { verifyAndRemove(t, noSymlinks) })
	}
}

func verifyAndRemove(t *testing.T, noSymlinks bool) {
	f := newHub(t)
	c := client(f, t)
	c.NoSymlinks = noSymlinks
	_, dir := mustPull(t, c)
	blob := filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "blobs", hubtest.BlobName(unet, f.Files[unet]))
	if err := os.WriteFile(blob, hubtest.Noise(unetSize, 55), 0o666); err != nil {
		t.Fatal(err)
	}
	checks, err := hub.Verify(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range checks {
		if check.Right != (check.Path != unet) {
			t.Errorf("%+v", check)
		}
	}
	for _, check := range checks {
		if check.Right {
			continue
		}
		for _, file := range check.Files {
			if err := os.Remove(file); err != nil {
				t.Error(err)
			}
		}
	}
	mustPull(t, c) // which downloads again what was deleted
	if got, _ := os.ReadFile(filepath.Join(dir, unet)); !bytes.Equal(got, f.Files[unet]) {
		t.Error("still the wrong file")
	}
	if repos, err := c.Cache.Repos(); err != nil || !slices.Equal(repos, []hub.Repo{repo}) {
		t.Errorf("repos %v (%v)", repos, err)
	}
	if n, whole := c.Cache.Size(repo), sizeOf(f); n != whole {
		t.Errorf("size %d, not %d", n, whole)
	}
	if err := c.Cache.Remove(repo); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Cache.Folder(repo, "main"); !errors.Is(err, hub.ErrNotThere) {
		t.Errorf("error %v", err)
	}
	if err := c.Cache.Remove(repo); !errors.Is(err, hub.ErrNotThere) {
		t.Errorf("error %v", err)
	}
}

// sizeOf returns the size on the disk of a pull of everything: that of each
// blob and of the ref.
func sizeOf(f *hubtest.Hub) int64 {
	blobs := map[string]int{}
	for _, name := range want {
		blobs[hubtest.BlobName(name, f.Files[name])] = len(f.Files[name])
	}
	total := len(hubtest.Commit)
	for _, n := range blobs {
		total += n
	}
	return int64(total)
}

// TestReadOnly: a complete cache is not written to. (A missing place for locks
// stands for missing permissions, which root does not need.)
func TestReadOnly(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	_, dir := mustPull(t, c)
	locks := filepath.Join(string(c.Cache), ".locks")
	if err := errors.Join(os.RemoveAll(locks), os.WriteFile(locks, nil, 0o444)); err != nil {
		t.Fatal(err)
	}
	if _, again, err := pull(c, hub.Everything); err != nil || again != dir {
		t.Errorf("%s, %v", again, err)
	}
}

// TestLinkInTheWay: nothing is written through a link with the name of a
// download, and a link with the name of a model is not deleted.
func TestLinkInTheWay(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	base := filepath.Join(string(c.Cache), "models--someone--tiny-unclip")
	part := filepath.Join(base, "blobs", hubtest.BlobName(unet, f.Files[unet])+".incomplete")
	mine := filepath.Join(t.TempDir(), "mine")
	if err := errors.Join(os.MkdirAll(filepath.Dir(part), 0o777), os.WriteFile(mine, []byte("mine"), 0o666)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(mine, part); err != nil {
		t.Skip(err)
	}
	_, dir := mustPull(t, c)
	if got, _ := os.ReadFile(filepath.Join(dir, unet)); !bytes.Equal(got, f.Files[unet]) {
		t.Error("wrong file")
	}
	if got, _ := os.ReadFile(mine); string(got) != "mine" {
		t.Errorf("%d bytes written through the link", len(got))
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := errors.Join(os.Rename(base, elsewhere), os.Symlink(elsewhere, base)); err != nil {
		t.Fatal(err)
	}
	if repos, err := c.Cache.Repos(); err != nil || len(repos) != 1 {
		t.Errorf("repos %v (%v)", repos, err)
	}
	if names, err := hub.Readable(dir); err != nil || len(names) != len(want) {
		t.Errorf("%d files (%v)", len(names), err)
	}
	if err := c.Cache.Remove(repo); err == nil || !strings.Contains(err.Error(), "is a link") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, unet)); err != nil {
		t.Error(err)
	}
}

// TestVerifyGone: a link to nothing is a result, not an error.
func TestVerifyGone(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	_, dir := mustPull(t, c)
	if err := os.Remove(filepath.Join(string(c.Cache), "models--someone--tiny-unclip", "blobs", hubtest.BlobName(unet, f.Files[unet]))); err != nil {
		t.Fatal(err)
	}
	checks, err := hub.Verify(context.Background(), dir, nil)
	if err != nil || len(checks) != len(want) {
		t.Fatalf("%d files, %v", len(checks), err)
	}
	for _, check := range checks {
		if check.Gone != (check.Path == unet) {
			t.Errorf("%+v", check)
		}
	}
}

// TestReadableThroughLinks: a part may be a link to a folder elsewhere.
func TestReadableThroughLinks(t *testing.T) {
	dir, vae := t.TempDir(), t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(vae, "config.json"), nil, 0o666), os.WriteFile(filepath.Join(dir, "README.md"), nil, 0o666), os.Mkdir(filepath.Join(dir, "no.json"), 0o777)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(vae, filepath.Join(dir, "vae")); err != nil {
		t.Skip(err)
	}
	if names, err := hub.Readable(dir); err != nil || !slices.Equal(names, []string{"README.md", "vae/config.json"}) {
		t.Errorf("%v, %v", names, err)
	}
	if _, err := hub.Readable(filepath.Join(dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestCopies: where the system has no links, a snapshot consists of copies,
// which a second pull leaves alone.
func TestCopies(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	_, dir := mustPull(t, c)
	file := filepath.Join(dir, unet)
	if err := errors.Join(os.Remove(file), os.WriteFile(file, f.Files[unet], 0o666)); err != nil {
		t.Fatal(err)
	}
	before, err := os.Lstat(file)
	if err != nil {
		t.Fatal(err)
	}
	mustPull(t, c)
	if after, err := os.Lstat(file); err != nil || !os.SameFile(before, after) {
		t.Errorf("another file (%v)", err)
	}
}

// TestMovedAway: a file that its user has moved to another disk, with a link to
// it in the snapshot, is used as it is.
func TestMovedAway(t *testing.T) {
	f := newHub(t)
	c := client(f, t)
	_, dir := mustPull(t, c)
	file, elsewhere := filepath.Join(dir, unet), filepath.Join(t.TempDir(), "unet.safetensors")
	blob, err := filepath.EvalSymlinks(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Rename(blob, elsewhere), os.Remove(file)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, file); err != nil {
		t.Skip(err)
	}
	p, _ := mustPull(t, c)
	if target, err := os.Readlink(file); err != nil || target != elsewhere || p.Left() != 0 {
		t.Errorf("%d bytes to download, and the link leads to %s (%v)", p.Left(), target, err)
	}
	if got, err := os.ReadFile(file); !bytes.Equal(got, f.Files[unet]) {
		t.Errorf("other bytes (%v)", err)
	}
}

// TestDefaultRevision: another revision of the default model, which Python has
// downloaded, serves where the pinned one is not in the cache.
func TestDefaultRevision(t *testing.T) {
	cache := hub.Cache(t.TempDir())
	r := hub.DefaultRepo()
	if _, _, err := cache.Default(r); !errors.Is(err, hub.ErrNotThere) {
		t.Errorf("error %v", err)
	}
	base := cache.Path(r)
	other := strings.Repeat("1", 40)
	if err := errors.Join(os.MkdirAll(filepath.Join(base, "snapshots", other), 0o777), os.MkdirAll(filepath.Join(base, "refs"), 0o777), os.WriteFile(filepath.Join(base, "refs", "main"), []byte(other), 0o666)); err != nil {
		t.Fatal(err)
	}
	if dir, revision, err := cache.Default(r); filepath.Base(dir) != other || revision != "main" || err != nil {
		t.Errorf("%s, %s, %v", dir, revision, err)
	}
	if err := os.Mkdir(filepath.Join(base, "snapshots", hub.DefaultCommit), 0o777); err != nil {
		t.Fatal(err)
	}
	if dir, revision, err := cache.Default(r); filepath.Base(dir) != hub.DefaultCommit || revision != hub.DefaultCommit || err != nil {
		t.Errorf("%s, %s, %v", dir, revision, err)
	}
}
