package files

import (
	"io/fs"
	"os"
	"slices"
	"time"
)

// Changed returns the last time at which the file of a name may have become a
// different one. That is when it was written, or moved or copied there, whatever
// its age, or when a link to it was made.
func Changed(path string) (time.Time, error) {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}, err
	}
	link, err := os.Lstat(path)
	if err != nil {
		return time.Time{}, err
	}
	return Latest(info.ModTime(), changeTime(path, info, true), link.ModTime(), changeTime(path, link, false)), nil
}

// Linked returns when a link was made, or the zero time for what is no link.
func Linked(path string) time.Time {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return time.Time{}
	}
	return Latest(info.ModTime(), changeTime(path, info, false))
}

// Latest returns the latest of some times.
func Latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// Moved returns when a folder was moved to its place, or the zero time if that is
// unknown. A new name in a folder sets its change time and its modification time;
// a move sets the change time only.
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
