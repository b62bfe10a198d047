package nn

import "github.com/coclico/coclico/kernels"

// Precision of the matrix products. The names are repeated for callers that
// have no door to package kernels.
type Precision = kernels.Precision

const (
	Exact = kernels.Exact
	Fast  = kernels.Fast
)
