// Package nntest compares networks with golden cases: safetensors files of
// inputs "in/...", outputs "out/..." and outputs "mid/..." of submodules, which
// PyTorch made. Only tests import it.
package nntest

import (
	"math"
	"strings"
	"testing"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// Exact bounds the relative RMS error of every tensor at kernels.Exact.
const Exact = 2e-5

// A Case is a golden file.
type Case struct {
	t     testing.TB
	store *weights.Store
	seen  map[string]bool
}

// Open reads a case.
func Open(t testing.TB, path string) *Case {
	t.Helper()
	s, err := weights.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &Case{t: t, store: s, seen: map[string]bool{}}
}

// Raw returns a tensor as it lies in the file.
func (c *Case) Raw(name string) weights.Tensor {
	c.t.Helper()
	x, ok := c.store.Lookup(name)
	if !ok {
		c.t.Fatalf("no tensor %s in the case", name)
	}
	return x
}

// Tensor returns [N,C,H,W] as [N,H,W,C], [N,L,C] as [N,1,L,C], [N,C] as
// [N,1,1,C].
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

// Check compares got with the case's tensor.
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

// Trace makes ws compare every submodule that the case has.
func (c *Case) Trace(ws *nn.Workspace, bound float64) {
	ws.Trace = func(name string, t *nn.Tensor) {
		if _, ok := c.store.Lookup("mid/" + name); ok {
			c.Check("mid/"+name, t, bound)
		} else {
			c.t.Errorf("traced %s, which the case does not have", name)
		}
	}
}

// Complete reports tensors of the case that were not compared.
func (c *Case) Complete() {
	c.t.Helper()
	for _, name := range c.store.Names() {
		if !strings.HasPrefix(name, "in/") && !c.seen[name] {
			c.t.Errorf("%s was not computed", name)
		}
	}
}

// RMS returns the root of the squared error's sum over the squared values' sum.
func RMS(got, want []float32) float64 {
	var e, s float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		e += d * d
		s += float64(w) * float64(w)
	}
	return math.Sqrt(e / s)
}
