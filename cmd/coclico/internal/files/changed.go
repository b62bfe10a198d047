package files

import (
	"os"
	"time"
)

// Changed returns the last moment at which a file, or what leads to it, can
// have become another one: when it was written to, when it was put in its place
// (an older file too), and the same for a link to it.
func Changed(path string) (time.Time, error) {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}, err
	}
	link, err := os.Lstat(path)
	if err != nil {
		return time.Time{}, err
	}
	last := info.ModTime()
	for _, t := range []time.Time{changeTime(path, info, true), link.ModTime(), changeTime(path, link, false)} {
		if t.After(last) {
			last = t
		}
	}
	return last, nil
}

// Moved returns when a folder was put in its place, as far as the system tells,
// and else no time. Its change time alone says little, for it is that of the
// last new name in it; but that sets the modification time as well, and a move
// does not.
func Moved(dir string) time.Time {
	info, err := os.Stat(dir)
	if err != nil {
		return time.Time{}
	}
	if t := changeTime(dir, info, true); t.After(info.ModTime()) {
		return t
	}
	return time.Time{}
}
