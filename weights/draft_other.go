//go:build !unix || solaris || illumos || aix

package weights

import "os"

// lock does nothing: this system has no locks of the kind. It is a variable for
// tests.
var lock = func(*os.File) (held bool, err error) { return false, nil }

const noFollow = 0

// RenameDraft gives a complete draft its name. Windows renames no open file.
func RenameDraft(d Dir, f *os.File, draft, path string) error {
	if err := f.Close(); err != nil {
		return err
	}
	return d.Rename(draft, path)
}

// DiscardDraft closes and removes a draft. Windows removes no open file.
func DiscardDraft(d Dir, f *os.File, draft string) {
	f.Close()
	_ = d.Remove(draft)
}
