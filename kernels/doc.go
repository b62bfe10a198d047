// Package kernels is the arithmetic: floats in, floats out.
package kernels
