package nn

import "time"

// A Kind of work that a [Profile] tells apart.
type Kind uint8

const (
	KindConv      Kind = iota // 3x3 convolutions
	KindLinear                // linear layers and 1x1 convolutions, the projections of attention among them
	KindAttention             // scores, softmax and the weighing of values
	KindNorm                  // GroupNorm with its activation, LayerNorm
	KindOther                 // narrowing, joining
	KindPack                  // weights into the form that the machine multiplies
	NumKinds
)

func (k Kind) String() string {
	return [...]string{"3x3 convolutions", "linear layers", "attention", "norms", "narrowing, joining", "packing weights"}[k]
}

// Work is how long something took and what it computed.
type Work struct {
	Time time.Duration
	// FLOP counts two floating point operations for each multiplication and
	// addition of the products as the networks define them, whatever an
	// implementation saves or adds; 0 for all that is no product.
	FLOP float64
}

// A Profile says what a workspace's networks did, by kind of work. What is in
// no kind are the few loops that belong to no layer, and Go.
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

// clock returns the time if somebody wants to know it.
func (ws *Workspace) clock() time.Time {
	if ws.Profile == nil {
		return time.Time{}
	}
	return time.Now()
}

// spent notes work that began at since.
func (ws *Workspace) spent(k Kind, since time.Time, flop float64) {
	if ws.Profile != nil {
		ws.Profile[k].Time += time.Since(since)
		ws.Profile[k].FLOP += flop
	}
}

// flop returns the operations of a product with rows x n results, each a sum of
// k products.
func flop(rows, n, k int) float64 { return 2 * float64(rows) * float64(n) * float64(k) }
