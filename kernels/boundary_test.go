//go:build !linux

package kernels

import "testing"

// memories returns what operands can lie in.
func memories(t *testing.T) map[string]memory { return map[string]memory{"padded": new(padded)} }
