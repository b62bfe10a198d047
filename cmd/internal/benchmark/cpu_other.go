//go:build !unix

package benchmark

// cpuTime returns 0: the time is unknown here.
func cpuTime() float64 { return 0 }
