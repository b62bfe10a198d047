package nn

import "github.com/coclico/coclico/kernels"

// What the networks on the floor above need of package kernels, to which they
// have no door of their own.
type (
	// Precision of the matrix products.
	Precision = kernels.Precision
	// Activation is a function applied to every element.
	Activation = kernels.Activation
)

const (
	Exact = kernels.Exact
	Fast  = kernels.Fast

	Identity  = kernels.Identity
	SiLU      = kernels.SiLU
	GELU      = kernels.GELU
	QuickGELU = kernels.QuickGELU
)

// Check returns an error if COCLICO_KERNELS asks for kernels that this machine
// or this binary does not have.
func Check() error { return kernels.Check() }

// Activate applies act to every element of x.
func Activate(x []float32, act Activation) { kernels.Activate(x, act) }

// Parallel runs f(0) ... f(n-1) at once, see [kernels.Parallel].
func Parallel(n int, f func(i int)) { kernels.Parallel(n, f) }
