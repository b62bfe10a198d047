//go:build unix

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// cellSize returns the pixels of a character, 0 if they are unknown.
func cellSize(f *os.File) (w, h int) {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 || size.Row == 0 {
		return 0, 0
	}
	return int(size.Xpixel / size.Col), int(size.Ypixel / size.Row)
}
