//go:build purego || !amd64

package kernels

// ownForm returns f with the loops of im, if it has any that none of its gemms
// needs.
func ownForm(_ *impl, f *form) *form { return f }

// archHammingLoops returns the loops that no implementation's vec names.
func archHammingLoops() map[string]hammingLoop { return map[string]hammingLoop{} }
