package mmap

import (
	"fmt"
	"runtime/debug"
)

// A Fault is the error of reading memory that cannot be read: a mapping whose
// file has become shorter, or whose disk fails.
type Fault struct{ Addr uintptr }

func (f *Fault) Error() string { return fmt.Sprintf("memory at %#x cannot be read", f.Addr) }

// Guard calls f and returns its error, or a [*Fault] if f reads memory that
// cannot be read, which would end the program otherwise. It guards the
// goroutine that calls it, and none that f starts.
func Guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			err = &Fault{r.Addr()}
		default:
			panic(r)
		}
	}()
	return f()
}
