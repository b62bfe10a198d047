//go:build unix

package process

import (
	"os"
	"os/signal"
	"syscall"
)

// signals returns the signals that end the program in good order. A closed
// terminal is one of them, since it must not leave half a file, except under
// nohup.
func signals() []os.Signal {
	s := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		s = append(s, syscall.SIGHUP)
	}
	return s
}

// OutliveReaders has a write to a pipe that nobody can read any more fail, where
// it would end the program. It is for programs whose work is not what they print:
// the reader of a server's log may end before the server.
func OutliveReaders() { signal.Ignore(syscall.SIGPIPE) }
