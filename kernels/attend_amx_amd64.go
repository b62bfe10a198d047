//go:build !purego

package kernels

// attendAMX runs the stages of b; see attendStage.
//
//go:noescape
func attendAMX(b *attendBlock)
