package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"

	"github.com/coclico/coclico/weights"
)

// A Cache is a folder of models from a hub. The cache "" is empty.
type Cache string

// ErrNotThere means that a model, or a revision of it, is not in the cache.
var ErrNotThere = errors.New("not in the cache")

func (c Cache) repo(r Repo) string           { return filepath.Join(string(c), r.folder()) }
func (c Cache) blob(r Repo, h string) string { return filepath.Join(c.repo(r), "blobs", h) }
func (c Cache) lock(r Repo, h string) string {
	return filepath.Join(string(c), ".locks", r.folder(), h+".lock")
}
func (c Cache) snapshot(r Repo, commit string) string {
	return filepath.Join(c.repo(r), "snapshots", commit)
}
func (c Cache) ref(r Repo, revision string) string {
	return filepath.Join(c.repo(r), "refs", filepath.FromSlash(revision))
}

// Repos returns the models that the cache holds, even if only a part of a
// download, sorted by name.
func (c Cache) Repos() ([]Repo, error) {
	entries, err := os.ReadDir(string(c))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // HOME may be /dev/null
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Repo
	for _, e := range entries {
		r, ok := parseFolder(e.Name())
		if !ok {
			continue
		}
		if info, err := os.Stat(c.repo(r)); err == nil && info.IsDir() { // perhaps a link to another disk
			all = append(all, r)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].String() < all[j].String() })
	return all, nil
}

// Default returns the folder and the revision of a model that is meant where no
// revision is specified: the repo's default, or main where only that is in the
// cache. The error wraps [ErrNotThere] if neither is.
func (c Cache) Default(r Repo) (dir, revision string, err error) {
	revision = r.DefaultRevision()
	dir, err = c.Folder(r, revision)
	if errors.Is(err, ErrNotThere) && revision != MainRevision {
		revision = MainRevision
		dir, err = c.Folder(r, revision)
	}
	return dir, revision, err
}

// Folder returns the folder of a model's revision. The error wraps
// [ErrNotThere] if it is not in the cache.
func (c Cache) Folder(r Repo, revision string) (string, error) {
	if err := CheckRevision(revision); err != nil {
		return "", err
	}
	if c == "" {
		return "", fmt.Errorf("%s at %s: %w", r, revision, ErrNotThere)
	}
	commit := revision
	if !isCommit(revision) {
		var err error
		if commit, err = c.commit(r, revision); err != nil {
			return "", err
		}
	}
	dir := c.snapshot(r, commit)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("%s at %s: %w", r, revision, ErrNotThere)
	}
	return dir, nil
}

// commit returns the commit of a branch or a tag. If the ref is missing, as
// after an interrupted download, a single snapshot stands for main.
func (c Cache) commit(r Repo, revision string) (string, error) {
	data, err := readSmall(c.ref(r, revision))
	commit := strings.TrimSpace(string(data))
	if err == nil && isCommit(commit) {
		return commit, nil
	}
	if all := c.Commits(r); err != nil && revision == MainRevision && len(all) == 1 {
		return all[0], nil
	}
	return "", fmt.Errorf("%s at %s: %w", r, revision, ErrNotThere)
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1024))
}

// Commits returns the commits of a model that have a snapshot.
func (c Cache) Commits(r Repo) []string {
	entries, err := os.ReadDir(filepath.Join(c.repo(r), "snapshots"))
	if err != nil {
		return nil
	}
	var all []string
	for _, e := range entries {
		if e.IsDir() && isCommit(e.Name()) {
			all = append(all, e.Name())
		}
	}
	return all
}

// Path returns the folder of a model, with everything that belongs to it.
func (c Cache) Path(r Repo) string { return c.repo(r) }

// Size returns the number of bytes that all revisions of a model take on the
// disk. Files outside its folder, which Python may share between models, do not
// count.
func (c Cache) Size(r Repo) int64 {
	total := int64(0)
	var seen []fs.FileInfo // a blob and its hard link in a snapshot are one
	_ = filepath.WalkDir(c.repo(r), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if err == nil && !slices.ContainsFunc(seen, func(other fs.FileInfo) bool { return os.SameFile(info, other) }) {
			seen = append(seen, info)
			total += info.Size()
		}
		return nil
	})
	return total
}

// Remove deletes all revisions of a model from the cache. It refuses to follow
// a link to a folder elsewhere, in which other things may be.
func (c Cache) Remove(r Repo) error {
	info, err := os.Lstat(c.repo(r))
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", r, ErrNotThere)
	case !info.IsDir():
		return fmt.Errorf("%s: is a link: delete it and its target by hand", c.repo(r))
	}
	err = os.RemoveAll(c.repo(r))
	return errors.Join(err, os.RemoveAll(filepath.Dir(c.lock(r, ""))))
}

// has reports whether the cache has all of a file: as a blob, or in the
// snapshot itself, where the system has no links.
func (c Cache) has(r Repo, commit string, f File) bool {
	if f.Hash == "" {
		return false
	}
	return f.whole(c.blob(r, f.Hash)) || f.whole(filepath.Join(c.snapshot(r, commit), filepath.FromSlash(f.Path)))
}

// whole reports whether path is a file of f's size, or a link to one.
func (f File) whole(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() == f.Size
}

// part returns the number of bytes of a file that an earlier download has left.
func (c Cache) part(r Repo, f File) int64 {
	if f.Hash == "" {
		return 0
	}
	return f.part(c.blob(r, f.Hash))
}

// part is that number for a file that is downloaded to path.
func (f File) part(path string) int64 {
	info, err := os.Stat(path + incomplete)
	if err != nil || info.Size() > f.Size {
		return 0
	}
	return info.Size()
}

const incomplete = ".incomplete"

// link puts a file's blob into the snapshot, unless the file is there already:
// as a link, or as a copy where the system has no links.
func (c Cache) link(ctx context.Context, r Repo, commit string, f File, noSymlinks bool) error {
	path := filepath.Join(c.snapshot(r, commit), filepath.FromSlash(f.Path))
	blob := c.blob(r, f.Hash)
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Size() == f.Size {
		return nil
	}
	if info, err := os.Stat(path); err == nil {
		if of, err := os.Stat(blob); err == nil && os.SameFile(info, of) {
			return nil
		}
	}
	if !f.whole(blob) && f.whole(path) { // a link to another disk, which has took as it is
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	target, err := filepath.Rel(filepath.Dir(path), blob)
	if err != nil {
		return err
	}
	temp := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%08x.tmp", rand.Uint32()))
	if noSymlinks {
		err = errors.ErrUnsupported
	} else {
		err = os.Symlink(target, temp)
	}
	if err != nil {
		err = hardLink(blob, temp)
	}
	if err != nil {
		return copyFile(ctx, blob, path)
	}
	if err = os.Rename(temp, path); err != nil {
		os.Remove(temp)
	}
	return err
}

// hardLink is a variable for tests.
var hardLink = os.Link

// copyFile copies a file. It may have gigabytes: it is written as a draft, which
// the next pull replaces if this one is killed.
func copyFile(ctx context.Context, from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	return weights.WriteFile(to, func(w io.Writer) error {
		_, err := io.Copy(w, &reporting{ctx: ctx, r: r})
		return err
	})
}

// setRef records the commit of a branch or a tag.
func (c Cache) setRef(r Repo, revision, commit string) error {
	if isCommit(revision) {
		return nil
	}
	path := c.ref(r, revision)
	if data, err := readSmall(path); err == nil && string(data) == commit {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return weights.WriteFile(path, func(w io.Writer) error {
		_, err := io.WriteString(w, commit)
		return err
	})
}
