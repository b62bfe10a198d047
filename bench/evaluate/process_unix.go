//go:build unix

package evaluate

import (
	"os/exec"
	"syscall"
)

// isolate puts a command into a process group of its own, which is killed as a
// whole.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// killGroup kills what a command has left running.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
