//go:build race

package kernels

import (
	"runtime"
	"unsafe"
)

// The race detector does not see what assembly does. The functions that lead
// into it therefore report their reads and writes beforehand, where the
// constant raceEnabled is true, so that a data race through a kernel is found
// like any other.
const raceEnabled = true

// raceRead reports that rows of n bytes, stride bytes apart, are read at p.
func raceRead(p unsafe.Pointer, stride, rows, n int) {
	for r := 0; r < rows && n > 0 && p != nil; r++ {
		runtime.RaceReadRange(unsafe.Add(p, r*stride), n)
	}
}

// raceWrite reports that rows of n bytes, stride bytes apart, are written at p.
func raceWrite(p unsafe.Pointer, stride, rows, n int) {
	for r := 0; r < rows && n > 0 && p != nil; r++ {
		runtime.RaceWriteRange(unsafe.Add(p, r*stride), n)
	}
}
