package solver

import "math"

// A Generator draws the normal numbers of torch.randn with
// torch.Generator("cpu").manual_seed(seed).
//
// The bits come from MT19937 (Matsumoto and Nishimura 1998;
// at/core/MT19937RNGEngine.h) and the normals from Box-Muller, in two ways
// (aten/src/ATen/native/cpu/DistributionTemplates.h): tensors of 16 or more
// values are filled in blocks of 16 from float32 uniforms, smaller tensors
// value by value from float64 uniforms. Therefore randn(32) is not randn(16)
// twice, and a call must draw a whole tensor: the values do not depend on its
// shape, but on its size.
//
// The uniforms and the order of draws equal PyTorch's bit for bit. The
// logarithm and the sinusoids equal PyTorch's up to float32 rounding, like
// PyTorch's own on different processors.
type Generator struct {
	state [mtSize]uint32
	used  int // number of words of state already returned

	spare    float64 // the second normal of a pair, for the next small draw
	hasSpare bool
}

const (
	mtSize = 624
	mtMid  = 397
)

// NewGenerator returns a generator with the given seed. Like PyTorch's it uses
// only the low 32 bits.
func NewGenerator(seed uint64) *Generator {
	g := &Generator{used: mtSize}
	g.state[0] = uint32(seed)
	for i := 1; i < mtSize; i++ {
		prev := g.state[i-1]
		g.state[i] = 1812433253*(prev^prev>>30) + uint32(i)
	}
	return g
}

// Randn fills dst with the values of the next torch.randn(len(dst)).
func (g *Generator) Randn(dst []float32) {
	if len(dst) < 16 {
		for i := range dst {
			dst[i] = float32(g.normal())
		}
		return
	}
	for i := range dst {
		dst[i] = g.uniform32()
	}
	for i := 0; i+16 <= len(dst); i += 16 {
		boxMuller16(dst[i:])
	}
	if len(dst)%16 != 0 { // the last 16 values are drawn again
		tail := dst[len(dst)-16:]
		for i := range tail {
			tail[i] = g.uniform32()
		}
		boxMuller16(tail)
	}
}

// boxMuller16 turns 16 uniforms in [0, 1) into normals. Values i and i+8 are a
// pair.
func boxMuller16(x []float32) {
	for i := range 8 {
		radius := math.Sqrt(-2 * math.Log(float64(1-x[i])))
		sin, cos := math.Sincos(float64(float32(2*math.Pi) * x[i+8]))
		x[i], x[i+8] = float32(radius*cos), float32(radius*sin)
	}
}

// normal returns one normal of a small draw. Every second one is the spare of
// the previous pair, even if large draws come between.
func (g *Generator) normal() float64 {
	if g.hasSpare {
		g.hasSpare = false
		return g.spare
	}
	u1 := g.uniform64()
	u2 := g.uniform64()
	radius := math.Sqrt(-2 * math.Log1p(-u2))
	sin, cos := math.Sincos(2 * math.Pi * u1)
	g.spare, g.hasSpare = radius*sin, true
	return radius * cos
}

func (g *Generator) uniform32() float32 { return float32(g.uint32()&(1<<24-1)) / (1 << 24) }

func (g *Generator) uniform64() float64 {
	bits := uint64(g.uint32())<<32 | uint64(g.uint32())
	return float64(bits&(1<<53-1)) / (1 << 53)
}

// uint32 returns the next tempered word of MT19937.
func (g *Generator) uint32() uint32 {
	if g.used == mtSize {
		g.twist()
	}
	y := g.state[g.used]
	g.used++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// twist computes the next 624 words of state.
func (g *Generator) twist() {
	for i := range mtSize {
		y := g.state[i]&0x80000000 | g.state[(i+1)%mtSize]&0x7fffffff
		next := g.state[(i+mtMid)%mtSize] ^ y>>1
		if y&1 != 0 {
			next ^= 0x9908b0df
		}
		g.state[i] = next
	}
	g.used = 0
}
