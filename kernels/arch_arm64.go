//go:build !purego

package kernels

func archImpls() []*impl { return []*impl{implNEON} }

// implNEON uses the vector instructions that every arm64 processor has (the
// Go port requires them).
var implNEON = &impl{
	name:      "neon",
	available: func() bool { return true },
	fast:      gemmNEON,
	exact:     gemmNEON,
	vec:       vecNEON,
}
