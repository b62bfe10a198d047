//go:build !purego

package kernels

func archImpls() []*impl { return []*impl{implAMX, implAVX512, implAVX2} }
