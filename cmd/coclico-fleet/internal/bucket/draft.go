package bucket

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/coclico/coclico/cmd/internal/files"
)

// draftMark begins the names of drafts, and a random text of draftRest letters
// and digits ends them. A listing omits them.
const (
	draftMark = ".coclico-"
	draftRest = 26
)

// isDraft reports whether a file has the name of a draft, or of the one that looks
// for room.
func isDraft(name string) bool {
	rest, found := strings.CutPrefix(name, draftMark)
	return found && len(rest) == draftRest || name == files.RoomDraft
}

// createDraft creates a draft in a folder, and the folder.
func createDraft(root *os.Root, dir string) (draft string, file *os.File, err error) {
	draft = path.Join(dir, draftMark+rand.Text())
	for range 100 { // another worker may remove the folder while it is empty
		err = root.MkdirAll(dir, 0o777)
		if errors.Is(err, fs.ErrExist) { // as a file
			return "", nil, errTaken
		}
		if err == nil {
			file, err = files.Root{Root: root}.CreateDraft(draft)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return "", nil, reason(err)
	}
	return draft, file, nil
}

// staleDraft is the age at which a draft is taken for a killed writer's where no
// lock says so.
const staleDraft = 24 * time.Hour

// tidy removes the drafts of killed writers, and folders that are empty without
// them. What it cannot remove stays.
func (f *folder) tidy(ctx context.Context, prefix string) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return
	}
	defer root.Close()
	var folders []string
	start := path.Clean(prefix)
	_ = fs.WalkDir(root.FS(), start, func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return nil
		case d.IsDir() && prefix != "":
			folders = append(folders, name)
		case d.IsDir() && name != start:
			return fs.SkipDir
		case d.Type().IsRegular() && isDraft(d.Name()):
			removeLeft(root, name)
		}
		return nil
	})
	for _, name := range slices.Backward(folders) {
		_ = root.Remove(name) // unless it has files
	}
}

// removeLeft removes a draft that nobody writes any more: nobody has its lock, or,
// where there are no locks, it is old. It has the lock itself meanwhile.
func removeLeft(root *os.Root, draft string) {
	var locked [2]error
	for i := range locked {
		f, err := root.OpenFile(draft, os.O_WRONLY, 0)
		if err != nil {
			return
		}
		defer f.Close()
		locked[i] = files.Lock(f)
	}
	info, err := root.Stat(draft)
	if err != nil || locked[0] != nil {
		return
	}
	// Where there are locks, the second one fails because of the first.
	if errors.Is(locked[1], files.ErrBusy) || time.Since(info.ModTime()) > staleDraft {
		_ = root.Remove(draft)
	}
}
