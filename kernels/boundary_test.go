//go:build !linux

package kernels

import "testing"

// memories returns the places for operands.
func memories(t *testing.T) map[string]memory { return map[string]memory{"padded": new(padded)} }
