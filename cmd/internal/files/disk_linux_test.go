package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFull: a quota that is used up is a full disk.
func TestFull(t *testing.T) {
	for _, full := range []error{unix.ENOSPC, unix.EDQUOT} {
		if err := Full(fmt.Errorf("writing: %w", full)); err != ErrFull {
			t.Errorf("%v: %v", full, err)
		}
	}
	if err := Full(unix.EIO); err != unix.EIO {
		t.Errorf("%v: %v", unix.EIO, err)
	}
}

// TestModeFails: a part that cannot have the mode of the file that it replaces
// does not replace it.
func TestModeFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	part := path + ".part"
	f, err := OS{}.Create(part)
	if err != nil {
		t.Fatal(err)
	}
	defer OS{}.Discard(f, part)
	if err := os.Remove(part); err != nil {
		t.Fatal(err)
	}
	var e *fs.PathError
	if err := (OS{}).Rename(f, part, path); !errors.As(err, &e) || e.Op != "chmod" {
		t.Errorf("error %v", err)
	}
}

// TestNotInherited: what the shell has opened is not open in the programs that
// this one starts.
func TestNotInherited(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	f, err := openDescriptor(int(null.Fd()), "/dev/fd/x")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %#x, %v", flags, err)
	}
}
