//go:build !linux

package terminal

import (
	"context"
	"os"
)

// hasSixel reports whether a terminal knows sixel. Here it is not asked.
func hasSixel(context.Context, *os.File) bool { return false }
