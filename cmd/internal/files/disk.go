package files

import (
	"os"

	"github.com/coclico/coclico/weights"
)

// OS is the operating system's disk. Its parts are the drafts of package weights,
// and it takes no others.
type OS struct{}

// Create implements [Disk].
func (OS) Create(part string) (Part, error) {
	f, err := weights.CreateDraft(weights.Disk{}, part)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Rename implements [Disk].
func (OS) Rename(p Part, part, path string) error {
	return weights.RenameDraft(weights.Disk{}, p.(*os.File), part, path)
}

// SyncFolder implements [Disk].
func (OS) SyncFolder(dir string) error { return weights.SyncFolder(dir) }

// Discard implements [Disk].
func (OS) Discard(p Part, part string) { weights.DiscardDraft(weights.Disk{}, p.(*os.File), part) }

// A Root writes drafts below a folder.
type Root struct{ *os.Root }

// CreateDraft creates a draft, empty and locked.
func (r Root) CreateDraft(draft string) (*os.File, error) { return weights.CreateDraft(r.Root, draft) }

// RenameDraft gives a draft its name, as [Disk] does.
func (r Root) RenameDraft(f *os.File, draft, name string) error {
	return weights.RenameDraft(r.Root, f, draft, name)
}

// DiscardDraft closes and removes a draft.
func (r Root) DiscardDraft(f *os.File, draft string) { weights.DiscardDraft(r.Root, f, draft) }

// Lock locks a file until it is closed, or returns [ErrBusy] if another has it
// locked. Where there are no locks it does nothing.
func Lock(f *os.File) error { return weights.Lock(f) }
