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
