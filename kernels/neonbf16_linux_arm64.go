//go:build !purego

package kernels

import (
	"encoding/binary"
	"os"
)

// hasNEONBF16 reports whether the processor has FEAT_BF16. Package cpu does not
// know it, so this reads Linux's auxiliary vector, pairs of a key and a value.
// Where it cannot be read, NEON remains.
func hasNEONBF16() bool {
	const (
		atHWCap2   = 26
		hwCap2BF16 = 1 << 14
	)
	auxv, _ := os.ReadFile("/proc/self/auxv")
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		if binary.LittleEndian.Uint64(auxv) == atHWCap2 {
			return binary.LittleEndian.Uint64(auxv[8:])&hwCap2BF16 != 0
		}
	}
	return false
}
