//go:build !unix

package benchmark

// cpuTime is not known.
func cpuTime() float64 { return 0 }
