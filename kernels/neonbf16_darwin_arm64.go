//go:build !purego

package kernels

import "syscall"

// hasNEONBF16 reports whether the processor has FEAT_BF16: Apple's have since the
// M2 and the A15.
func hasNEONBF16() bool {
	has, err := syscall.SysctlUint32("hw.optional.arm.FEAT_BF16")
	return err == nil && has != 0
}
