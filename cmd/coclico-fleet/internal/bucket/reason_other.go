//go:build !unix

package bucket

// isTaken reports whether an error means that one object's name is a folder of
// another's.
func isTaken(error) bool { return false }

// isLong reports whether an error means that a name is too long.
func isLong(error) bool { return false }
