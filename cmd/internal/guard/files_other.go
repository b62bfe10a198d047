//go:build !unix

package guard

import "math"

// Files returns how many files the process may have open, connections among them:
// here memory alone bounds them.
func Files() int { return math.MaxInt32 }
