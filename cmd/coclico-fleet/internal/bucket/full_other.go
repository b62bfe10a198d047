//go:build !unix

package bucket

// isFull reports whether an error means that a disk or a quota is full.
func isFull(error) bool { return false }
