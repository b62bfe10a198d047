package convert

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/coclico/coclico/weights"
)

// A draft is a folder that is being written, under a name of its own. A file in
// it is locked meanwhile, and shows that the folder is a draft.
type draft struct {
	dir  string
	lock *os.File
}

func (d *draft) lockName() string { return filepath.Join(d.dir, ".coclico.lock") }

// newDraft creates the draft of a folder, empty and locked. It is the draft that
// a killed run left, if there is one.
func newDraft(out string) (*draft, error) {
	d := &draft{dir: weights.DraftOf(filepath.Clean(out))}
	err := os.Mkdir(d.dir, 0o777)
	if errors.Is(err, fs.ErrExist) {
		err = d.check()
	}
	if err != nil {
		return nil, err
	}
	if d.lock, err = weights.CreateDraft(weights.Disk{}, d.lockName()); err != nil {
		return nil, err
	}
	if err := d.clear(); err != nil {
		d.lock.Close()
		return nil, err
	}
	return d, nil
}

// check returns an error if what exists is somebody else's: neither an earlier
// run's draft nor an empty folder.
func (d *draft) check() error {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return fmt.Errorf("%s is in the way: %w", d.dir, weights.Cause(err))
	}
	if _, err := os.Lstat(d.lockName()); err != nil && len(entries) > 0 {
		return fmt.Errorf("%s is in the way: it is not the folder of an earlier run; move it away", d.dir)
	}
	return nil
}

// clear removes what an earlier run wrote.
func (d *draft) clear() error {
	entries, err := os.ReadDir(d.dir)
	for _, e := range entries {
		if path := filepath.Join(d.dir, e.Name()); err == nil && path != d.lockName() {
			err = os.RemoveAll(path)
		}
	}
	return err
}

// place gives the folder its name. Its files are synced already. The lock is held
// until then: another run would take the folder for what a killed one left.
func (d *draft) place(out string) error {
	err := weights.SyncFolder(d.dir)
	if err == nil {
		err = weights.RenameDraft(weights.Disk{}, d.lock, d.dir, out)
	}
	if err != nil {
		return errors.Join(weights.NewFileError(out, err), d.discard())
	}
	d.dir = out
	weights.DiscardDraft(weights.Disk{}, d.lock, d.lockName())
	if err := weights.SyncFolder(filepath.Dir(out)); err != nil {
		return weights.NewFileError(out, err)
	}
	return nil
}

// discard removes the folder, and its lock last: a run that is killed meanwhile
// leaves a draft. Another run may use the folder from then on.
func (d *draft) discard() error {
	err := d.clear()
	weights.DiscardDraft(weights.Disk{}, d.lock, d.lockName())
	_ = os.Remove(d.dir)
	return err
}
