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
	if err := Fits(limit + 1); err == nil || err.Error() != "takes 65 MiB of memory to encode: 64 MiB are left here, scale it down first" {
		t.Errorf("a byte too many: %v", err)
	}
}

// TestBudget: what is left is measured again where more is needed, and not where
// less is; a limit is never lowered, and never so low that nothing can be done.
func TestBudget(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 40))
	var left int64
	b := budget{left: func() int64 { return left }}
	for _, step := range []struct{ left, need, want int64 }{
		{0, 0, least},
		{800 << 20, 1, least},
		{800 << 20, 1 << 30, 700 << 20},
		{400 << 20, 1 << 30, 700 << 20},
		{1 << 50, 1 << 30, 1 << 40}, // GOMEMLIMIT
	} {
		left = step.left
		got := b.get(step.need)
		if limit := debug.SetMemoryLimit(-1); got != step.want || limit != got {
			t.Errorf("%d bytes left, %d needed: %d, and %d for the collector, want %d", step.left, step.need, got, limit, step.want)
		}
	}
}
