//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package hub

import "os"

// tryLock always succeeds, as if there were no other process.
func tryLock(*os.File) (bool, error) { return true, nil }
