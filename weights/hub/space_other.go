//go:build !(darwin || dragonfly || freebsd || linux || windows)

package hub

// free reports that the number is not known.
func free(string) (int64, bool) { return 0, false }
