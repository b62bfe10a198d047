//go:build !purego && !linux && !darwin

package kernels

func hasNEONBF16() bool { return false }
