package nn

import (
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/kernels/mem"
)

// The names of package kernels that the networks on the floor above need; they
// do not import it themselves.
type (
	// Precision is the precision of matrix products.
	Precision = kernels.Precision
	// Activation is a function applied to every element.
	Activation = kernels.Activation
)

const (
	Exact = kernels.Exact
	Fast  = kernels.Fast
	// NumPrecisions is the length of an array indexed by Precision.
	NumPrecisions = kernels.NumPrecisions

	Identity  = kernels.Identity
	SiLU      = kernels.SiLU
	GELU      = kernels.GELU
	QuickGELU = kernels.QuickGELU
	ReLU      = kernels.ReLU
)

// ErrOutOfMemory is the value with which a network panics if the system refuses
// the memory that it takes. What it has used of a [Workspace] is then free after
// Close, and the network can run again.
var ErrOutOfMemory = mem.ErrOutOfMemory

// Check returns an error if this machine is big-endian, or if COCLICO_KERNELS
// names kernels that it or this binary does not have.
func Check() error { return kernels.Check() }

// Activate applies act to every element of x.
func Activate(x []float32, act Activation) { kernels.Activate(x, act) }

// Parallel runs f(0), ..., f(n-1) concurrently; see [kernels.Parallel].
func Parallel(n int, f func(i int)) { kernels.Parallel(n, f) }
