//go:build purego || !(amd64 || arm64)

package kernels

func archImpls() []*impl { return nil }
