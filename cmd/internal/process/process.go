// Package process is what the programs have in common as processes: the signals
// that end them, the statuses that they exit with, the memory that they may take,
// and their versions.
package process

import (
	"context"
	"os/signal"
	"strings"
	"syscall"
)

// Exit statuses. A run that a signal ended has 128 and the signal's number, as
// shells have it.
const (
	OK          = 0
	Failed      = 1   // something could not be done
	Usage       = 2   // the command line is wrong
	Hangup      = 129 // the terminal was closed
	Interrupted = 130 // Ctrl-C
	Terminated  = 143 // kill
)

// Context returns a context that ends with a signal that ends the program in
// good order. A second one, such as another Ctrl-C, ends it at once.
func Context() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), signals()...)
	context.AfterFunc(ctx, stop)
	return ctx
}

// SignalStatus returns the exit status of a run whose Context ended. The cause of
// signal.NotifyContext says which signal it was.
func SignalStatus(ctx context.Context) int {
	switch cause := context.Cause(ctx).Error(); {
	case strings.HasPrefix(cause, syscall.SIGTERM.String()+" "):
		return Terminated
	case strings.HasPrefix(cause, "hangup "):
		return Hangup
	}
	return Interrupted
}
