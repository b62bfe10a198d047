package process

import (
	"runtime/debug"
	"testing"
)

// TestLimit: GOMEMLIMIT counts where it is less than what the machine has left.
func TestLimit(t *testing.T) {
	const limit = 64 << 20
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit))
	if got := Memory(); got != limit {
		t.Skipf("this machine has %d bytes left", got)
	}
	if most, half := Share(1000), Share(1<<40); most != 1000 || half != limit/2 {
		t.Errorf("of %d bytes pictures share %d and %d", limit, most, half)
	}
	if err := Fits(limit); err != nil {
		t.Error(err)
	}
	if err := Fits(limit + 1); err == nil || err.Error() != "takes 64 MiB of memory to encode: 64 MiB are left here, scale it down first" {
		t.Errorf("a byte too many: %v", err)
	}
}
