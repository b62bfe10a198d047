//go:build !unix || solaris || illumos || aix

package files

import "os"

func lock(*os.File) error { return nil }

const noFollow = 0

// Rename implements [Disk]. Windows renames no open file.
func (OS) Rename(p Part, part, path string) error {
	if err := p.Close(); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// Discard implements [Disk]. Windows removes no open file.
func (OS) Discard(p Part, part string) {
	p.Close()
	os.Remove(part)
}
