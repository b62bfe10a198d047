package kernels

import (
	"math/bits"
	"testing"

	"github.com/coclico/coclico/kernels/mem"
)

// TestAttentionSize: keys that no memory holds are refused like any memory, and
// do not become a buffer of the size modulo 2^64 or, on a 32-bit machine, 2^32.
func TestAttentionSize(t *testing.T) {
	const half = 1 << (bits.UintSize / 2)
	g := active().gemms[Exact]
	op := &Operand{N: half, H: half, W: 1, C: 1, form: g.form}
	task := &attentionTask{g: g, heads: 1, dim: 1, q: View{Op: op}, k: View{Op: op}, val: View{Op: op}}
	defer func() {
		if r := recover(); r != mem.ErrOutOfMemory {
			t.Errorf("panic %v, with %d bytes of keys for each head", r, task.keyHeadBytes)
		}
	}()
	task.plan()
}
