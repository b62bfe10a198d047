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
