package nn

import "time"

// A Kind is one of the kinds of work that a [Profile] distinguishes.
type Kind uint8

const (
	KindConv      Kind = iota // 3x3 convolutions
	KindLinear                // linear layers and 1x1 convolutions, including attention's projections
	KindAttention             // scores, softmax and the weighted sum of values
	KindNorm                  // GroupNorm with its activation, LayerNorm
	KindOther                 // narrowing and joining
	KindPack                  // packing weights for the machine's multiplier
	NumKinds
)

func (k Kind) String() string {
	return [...]string{"3x3 convolutions", "linear layers", "attention", "norms", "narrowing, joining", "packing weights"}[k]
}

// Work is an amount of time and of computation.
type Work struct {
	Time time.Duration
	// FLOP counts two floating-point operations for each multiply-add of the
	// products as the networks define them, whatever an implementation saves
	// or adds. All other work counts 0.
	FLOP float64
}

// A Profile records the work of a workspace's networks by kind. It leaves out
// the few loops that belong to no layer, and the Go runtime.
type Profile [NumKinds]Work

// Total returns the sum over all kinds.
func (p *Profile) Total() Work {
	var t Work
	for _, w := range p {
		t.Time += w.Time
		t.FLOP += w.FLOP
	}
	return t
}

// clock returns the time if there is a profile.
func (ws *Workspace) clock() time.Time {
	if ws.Profile == nil {
		return time.Time{}
	}
	return time.Now()
}

// spent records work that began at since.
func (ws *Workspace) spent(k Kind, since time.Time, flop float64) {
	if ws.Profile != nil {
		ws.Profile[k].Time += time.Since(since)
		ws.Profile[k].FLOP += flop
	}
}

// flop returns the number of operations of a product with rows x n results,
// each of them a sum of k products.
func flop(rows, n, k int) float64 { return 2 * float64(rows) * float64(n) * float64(k) }
