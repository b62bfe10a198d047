//go:build !linux

package terminal

import "os"

// hasSixel reports whether a terminal knows sixel. Here it is not asked.
func hasSixel(*os.File) bool { return false }
