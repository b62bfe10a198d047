//go:build !purego

package kernels

import "syscall"

// requestAMX asks Linux for permission to use the tile registers, which it
// grants to a process once and for all (Documentation/arch/x86/xstate.rst).
// Without it the first tile instruction raises SIGILL even though CPUID lists
// AMX.
func requestAMX() bool {
	const (
		archReqXCompPerm = 0x1023
		xfeatureXTILDATA = 18
	)
	_, _, errno := syscall.Syscall(syscall.SYS_ARCH_PRCTL, archReqXCompPerm, xfeatureXTILDATA, 0)
	return errno == 0
}
