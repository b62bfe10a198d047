//go:build !unix

package mmap

import (
	"errors"
	"os"
)

// Map returns [errors.ErrUnsupported].
func Map(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

// Unmap has nothing to end.
func Unmap([]byte) error { return nil }

// Drop has nothing to free.
func Drop([]byte) {}
