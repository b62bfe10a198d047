package hub

import (
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
)

// A Cache is the folder in which models of a hub are kept. There is nothing in
// the cache "".
type Cache string

// ErrNotThere says that a model or a revision of it is not in the cache.
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

// Repos lists the models of which there is anything, were it a part of a
// download, by name.
func (c Cache) Repos() ([]Repo, error) {
	entries, err := os.ReadDir(string(c))
	if errors.Is(err, fs.ErrNotExist) {
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

// Folder returns the folder of a model's revision. The error wraps ErrNotThere
// if there is none.
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

// commit finds the commit of a branch or a tag. Where the ref is missing, as
// after a cut download, a single snapshot stands for main.
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

// Commits lists the commits of which there is a snapshot.
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

// Path returns the folder in which everything of a model is.
func (c Cache) Path(r Repo) string { return c.repo(r) }

// Size returns the bytes that all revisions of a model take on the disk. What
// lies outside its folder, as files do that Python shares between models, does
// not count.
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

// Remove deletes all revisions of a model from the cache. A folder elsewhere to
// which the cache has but a link is refused: who has put it there knows what
// else is in it.
func (c Cache) Remove(r Repo) error {
	info, err := os.Lstat(c.repo(r))
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", r, ErrNotThere)
	case !info.IsDir():
		return fmt.Errorf("%s: is a link: delete it and the folder that it leads to yourself", c.repo(r))
	}
	err = os.RemoveAll(c.repo(r))
	return errors.Join(err, os.RemoveAll(filepath.Dir(c.lock(r, ""))))
}

// has reports whether all of a file is there: as a blob, or in the snapshot
// itself, where the system has no links.
func (c Cache) has(r Repo, commit string, f File) bool {
	if f.Hash == "" {
		return false
	}
	for _, path := range []string{c.blob(r, f.Hash), filepath.Join(c.snapshot(r, commit), filepath.FromSlash(f.Path))} {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() == f.Size {
			return true
		}
	}
	return false
}

// part returns how much of a file an earlier download left.
func (c Cache) part(r Repo, f File) int64 {
	info, err := os.Stat(c.blob(r, f.Hash) + incomplete)
	if err != nil || f.Hash == "" || info.Size() > f.Size {
		return 0
	}
	return info.Size()
}

const incomplete = ".incomplete"

// link puts a file's blob into the snapshot, unless it is there: as a link to
// it, or as a file of its own where the system has no links.
func (c Cache) link(r Repo, commit string, f File, noSymlinks bool) error {
	path := filepath.Join(c.snapshot(r, commit), filepath.FromSlash(f.Path))
	blob := c.blob(r, f.Hash)
	if there, err := os.Lstat(path); err == nil && there.Mode().IsRegular() && there.Size() == f.Size {
		return nil
	}
	if there, err := os.Stat(path); err == nil {
		if of, err := os.Stat(blob); err == nil && os.SameFile(there, of) {
			return nil
		}
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
		err = os.Link(blob, temp)
	}
	if err != nil {
		err = copyFile(blob, temp)
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
	}
	return err
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}

// setRef notes the commit that a branch or a tag is at.
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
	temp := fmt.Sprintf("%s.%08x.tmp", path, rand.Uint32())
	err := os.WriteFile(temp, []byte(commit), 0o666)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
	}
	return err
}
