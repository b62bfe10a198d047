//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package hub

import "os"

// tryLock is as if there were nobody else.
func tryLock(*os.File) (bool, error) { return true, nil }
