//go:build purego || !(amd64 || arm64 || js)

package kernels

// archImpls returns the implementations of this architecture, best first.
func archImpls() []*impl { return nil }
