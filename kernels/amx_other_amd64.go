//go:build !linux && !purego

package kernels

// requestAMX reports false: only Linux is known to grant the tile registers.
func requestAMX() bool { return false }
