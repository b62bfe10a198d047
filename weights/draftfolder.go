package weights

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A DraftFolder is a folder that is being written, under a name of its own. A
// file in it is locked meanwhile, and shows that the folder is a draft.
type DraftFolder struct {
	Dir  string // where it is
	out  string // where it will be
	lock *os.File
}

func (d *DraftFolder) lockName() string { return filepath.Join(d.Dir, ".coclico.lock") }

// CreateDraftFolder creates the draft of the folder out, empty and locked. It is
// the draft that a killed run left, if there is one. The error is [ErrBusy] if
// another process has it, and any other if a folder of its name is somebody
// else's.
func CreateDraftFolder(out string) (*DraftFolder, error) {
	out = filepath.Clean(out)
	d := &DraftFolder{Dir: DraftOf(out), out: out}
	err := os.Mkdir(d.Dir, 0o777)
	if errors.Is(err, fs.ErrExist) {
		err = d.check()
	}
	if err != nil {
		return nil, err
	}
	if d.lock, err = CreateDraft(Disk{}, d.lockName()); err != nil {
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
func (d *DraftFolder) check() error {
	entries, err := os.ReadDir(d.Dir)
	if err != nil {
		return fmt.Errorf("%s is in the way: %w", d.Dir, Cause(err))
	}
	if _, err := os.Lstat(d.lockName()); err != nil && len(entries) > 0 {
		return fmt.Errorf("%s is in the way: it is not the folder of an earlier run; move it away", d.Dir)
	}
	return nil
}

// clear removes what an earlier run wrote.
func (d *DraftFolder) clear() error {
	entries, err := os.ReadDir(d.Dir)
	for _, e := range entries {
		if path := filepath.Join(d.Dir, e.Name()); err == nil && path != d.lockName() {
			err = os.RemoveAll(path)
		}
	}
	return err
}

// Place gives the folder its name. Its files must be synced already. The lock is
// held until then: another run would take the folder for what a killed one left.
func (d *DraftFolder) Place() error {
	err := SyncFolder(d.Dir)
	if err == nil {
		err = RenameDraft(Disk{}, d.lock, d.Dir, d.out)
	}
	if err != nil {
		return errors.Join(NewFileError(d.out, err), d.Discard())
	}
	d.Dir = d.out
	DiscardDraft(Disk{}, d.lock, d.lockName())
	if err := SyncFolder(filepath.Dir(d.out)); err != nil {
		return NewFileError(d.out, err)
	}
	return nil
}

// Discard removes the folder, and its lock last: a run that is killed meanwhile
// leaves a draft. Another run may use the folder from then on.
func (d *DraftFolder) Discard() error {
	err := d.clear()
	DiscardDraft(Disk{}, d.lock, d.lockName())
	_ = os.Remove(d.Dir)
	return err
}
