package terminal

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestQuery: a terminal that is asked and does not answer is as before once the
// context ends.
func TestQuery(t *testing.T) {
	main, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer main.Close()
	if err := unix.IoctlSetPointerInt(int(main.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(main.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer tty.Close()
	state := func() *unix.Termios {
		s, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := state()
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan bool, 1)
	go func() { asked <- hasSixel(ctx, tty) }()
	for state().Lflag&unix.ECHO != 0 { // until it is asked
		time.Sleep(time.Millisecond)
	}
	cancel()
	start := time.Now()
	if <-asked || *state() != *before {
		t.Errorf("the terminal is %+v, and was %+v", state(), before)
	}
	if d := time.Since(start); d > time.Second/2 {
		t.Errorf("it took %v", d)
	}
}
