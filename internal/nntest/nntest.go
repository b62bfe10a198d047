// Package nntest helps to test networks. Only tests import it.
//
// A [Case] compares a network with PyTorch: a safetensors file of inputs
// "in/...", outputs "out/..." and outputs "mid/..." of submodules.
package nntest

import (
	"math"
	"strings"
	"testing"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// Exact is the bound on the relative RMS error of every tensor at
// [nn.Exact].
const Exact = 2e-5

// A Case is a golden file.
type Case struct {
	t     testing.TB
	store *weights.Store
	seen  map[string]bool
}

// Open opens a case.
func Open(t testing.TB, path string) *Case {
	t.Helper()
	s, err := weights.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &Case{t: t, store: s, seen: map[string]bool{}}
}

// Has reports whether the case has a tensor.
func (c *Case) Has(name string) bool {
	_, ok := c.store.Lookup(name)
	return ok
}

// Raw returns a tensor as it is in the file.
func (c *Case) Raw(name string) weights.Tensor {
	c.t.Helper()
	x, ok := c.store.Lookup(name)
	if !ok {
		c.t.Fatalf("no tensor %s in the case", name)
	}
	return x
}

// Tensor returns a tensor [N,C,H,W] as [N,H,W,C], [N,L,C] as [N,1,L,C], and
// [N,C] as [N,1,1,C].
func (c *Case) Tensor(name string) *nn.Tensor {
	c.t.Helper()
	raw := c.Raw(name)
	x, s := raw.Float32s(), raw.Shape
	switch len(s) {
	case 2:
		return &nn.Tensor{N: s[0], H: 1, W: 1, C: s[1], Data: x}
	case 3:
		return &nn.Tensor{N: s[0], H: 1, W: s[1], C: s[2], Data: x}
	case 4:
		t := &nn.Tensor{N: s[0], C: s[1], H: s[2], W: s[3], Data: make([]float32, len(x))}
		t.SetNCHW(x)
		return t
	}
	c.t.Fatalf("%s has shape %v", name, s)
	return nil
}

// Check compares got with a tensor of the case. bound limits the relative RMS
// error.
func (c *Case) Check(name string, got *nn.Tensor, bound float64) {
	c.t.Helper()
	want := c.Tensor(name)
	c.seen[name] = true
	if got.Len() != want.Len() || got.N != want.N || got.C != want.C {
		c.t.Errorf("%s is [%d,%d,%d,%d], want [%d,%d,%d,%d]", name, got.N, got.H, got.W, got.C, want.N, want.H, want.W, want.C)
		return
	}
	e := RMS(got.Data, want.Data)
	if !(e <= bound) {
		c.t.Errorf("%s: relative RMS error %.3g, at most %.3g", name, e, bound)
	} else {
		c.t.Logf("%s: %.3g", name, e)
	}
}

// Trace makes ws compare the output of every submodule with the case.
func (c *Case) Trace(ws *nn.Workspace, bound float64) {
	ws.Trace = func(name string, t *nn.Tensor) {
		if _, ok := c.store.Lookup("mid/" + name); ok {
			c.Check("mid/"+name, t, bound)
		} else {
			c.t.Errorf("traced %s, which is not in the case", name)
		}
	}
}

// Complete fails for every tensor of the case that was not compared.
func (c *Case) Complete() {
	c.t.Helper()
	for _, name := range c.store.Names() {
		if !strings.HasPrefix(name, "in/") && !c.seen[name] {
			c.t.Errorf("%s was not computed", name)
		}
	}
}

// RMS returns the relative RMS error: the square root of the sum of the squared
// errors over the sum of the squared values.
func RMS(got, want []float32) float64 {
	var e, s float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		e += d * d
		s += float64(w) * float64(w)
	}
	return math.Sqrt(e / s)
}
