//go:build !unix || solaris || illumos || aix

package files

import "os"

// descriptor reports that there are no names of open files.
func descriptor(string) (int, bool) { return 0, false }

func openDescriptor(int, string) (*os.File, error) { panic("files: no names of open files") }
