//go:build linux && amd64

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// resultMark precedes the error of the command on the console, or <nil>.
const resultMark = "emulate: result: "

// guest is the init process: it runs the command and turns the machine off.
func guest() {
	for _, m := range [][2]string{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}} {
		if err := os.MkdirAll(m[1], 0o755); err != nil {
			fmt.Println(err)
		}
		if err := syscall.Mount(m[0], m[1], m[0], 0, ""); err != nil {
			fmt.Println("mounting", m[1]+":", err)
		}
	}
	fmt.Println(resultMark + fmt.Sprint(run()))
	// Turning the machine off loses what the console has not written yet: wait
	// for it, as tcdrain does.
	const tcsbrk = 0x5409
	syscall.Syscall(syscall.SYS_IOCTL, os.Stdout.Fd(), tcsbrk, 1)
	time.Sleep(time.Second)
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}

func run() error {
	b, err := os.ReadFile("/arguments")
	if err != nil {
		return err
	}
	var arguments []string
	if err := json.Unmarshal(b, &arguments); err != nil {
		return err
	}
	cmd := exec.Command("/program", arguments...)
	cmd.Dir = "/tmp"
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
