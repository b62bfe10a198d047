package iqa

import (
	"strings"

	"github.com/coclico/coclico/weights"
)

// synthetic returns the weights of a network by the law of package weights,
// with the exceptions that bench/golden/iqa.py makes too. build makes the
// network.
func synthetic(seed int64, build func(*weights.Scope)) *weights.Store {
	r := weights.Recorder()
	build(r.Scope())
	var all []weights.Tensor
	for _, spec := range r.Requested() {
		all = append(all, lawful(spec, seed))
	}
	return weights.StoreOf("synthetic weights", all...)
}

// lawful returns a tensor by the law where that gives a network with a meaning.
func lawful(spec weights.Spec, seed int64) weights.Tensor {
	name, shape := spec.Name, spec.Shape
	switch {
	case strings.HasSuffix(name, ".running_var"): // the law's would be negative
		t := weights.SynthTensor(name+".weight", shape, seed)
		t.Name = name
		return t
	case name == "fc.weight": // its input has length 1; the law's would leave the bias alone
		t := weights.SynthTensor(name, []int{shape[1], shape[0]}, seed)
		t.Shape = shape
		return t
	case name == "alpha", name == "beta", strings.HasPrefix(name, "lin"): // trained ones are not negative
		t := weights.SynthTensor(name, shape, seed)
		x := t.Float32s()
		for i, v := range x {
			x[i] = max(v, -v)
		}
		return weights.NewTensor(name, x, shape...)
	}
	return weights.SynthTensor(name, shape, seed)
}
