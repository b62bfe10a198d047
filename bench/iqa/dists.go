package iqa

import (
	"context"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// dists is the distance of Ding et al., "Image Quality Assessment: Unifying
// Structure and Texture Similarity": at six stages, the picture itself and five
// of VGG16, the means and the covariances of each channel are compared and
// weighted. VGG16's max-pools are replaced by [l2Pool].
type dists struct {
	trunk       *vgg
	alpha, beta []float32 // of the channels of all stages
}

// distsChannels is the number of channels of all stages.
const distsChannels = 3 + 64 + 128 + 256 + 512 + 512

// newDISTS reads alpha and beta.
func newDISTS(trunk *vgg, heads *weights.Scope) *dists {
	return &dists{
		trunk: trunk,
		alpha: heads.Tensor("alpha", 1, distsChannels, 1, 1).Float32s(),
		beta:  heads.Tensor("beta", 1, distsChannels, 1, 1).Float32s(),
	}
}

// score returns the distance of two pictures: 0 for the same, and at most about
// 1.
func (m *dists) score(ctx context.Context, ws *nn.Workspace, p, q *Picture) (float64, error) {
	all, err := m.moments(ctx, ws, p, q)
	if err != nil {
		return 0, err
	}
	// The similarity of a picture with itself is 1 for each channel, and both
	// sums are then the same.
	var sum, total float64
	for c, v := range all {
		alpha, beta := float64(m.alpha[c]), float64(m.beta[c])
		sum += alpha*v.texture() + beta*v.structure()
		total += alpha + beta
	}
	return 1 - sum/total, nil
}

// moments returns the moments of the channels of all stages.
func (m *dists) moments(ctx context.Context, ws *nn.Workspace, p, q *Picture) ([]pairMoments, error) {
	unit := unitLevels()
	x, y := unit.tensor(ws, p), unit.tensor(ws, q)
	all := momentsOf(x, y)
	ws.Put(x)
	ws.Put(y)
	levels := imageNetLevels()
	err := inStep(ctx, ws, m.trunk, levels.tensor(ws, p), levels.tensor(ws, q), func(_ int, x, y *nn.Tensor) {
		all = append(all, momentsOf(x, y)...)
	})
	return all, err
}

// pairMoments are the means, the variances and the covariance of a channel of
// two pictures.
type pairMoments struct{ meanX, meanY, varX, varY, cov float64 }

const distsConst = 1e-6 // c1 and c2

func (m *pairMoments) texture() float64 {
	return (2*m.meanX*m.meanY + distsConst) / (m.meanX*m.meanX + m.meanY*m.meanY + distsConst)
}

func (m *pairMoments) structure() float64 {
	return (2*m.cov + distsConst) / (m.varX + m.varY + distsConst)
}

// momentsOf returns the moments of each channel. Sums are float64, since what
// remains of E[xy]-E[x]E[y] in a flat channel is compared with 1e-6.
func momentsOf(x, y *nn.Tensor) []pairMoments {
	const piece = 1 << 10 // pixels
	n := x.Rows()
	parts := make([][]pairMoments, (n+piece-1)/piece)
	nn.Parallel(len(parts), func(i int) {
		sums := make([]pairMoments, x.C) // of x, y, x², y², xy
		for p := i * piece; p < min((i+1)*piece, n); p++ {
			b := y.Data[p*x.C:][:x.C]
			for c, v := range x.Data[p*x.C:][:x.C] {
				s, v, w := &sums[c], float64(v), float64(b[c])
				s.meanX += v
				s.meanY += w
				s.varX += v * v
				s.varY += w * w
				s.cov += v * w
			}
		}
		parts[i] = sums
	})
	all := parts[0]
	for _, p := range parts[1:] {
		for c := range all {
			s, v := &all[c], &p[c]
			s.meanX += v.meanX
			s.meanY += v.meanY
			s.varX += v.varX
			s.varY += v.varY
			s.cov += v.cov
		}
	}
	for c := range all {
		s := &all[c]
		s.meanX /= float64(n)
		s.meanY /= float64(n)
		s.varX = s.varX/float64(n) - s.meanX*s.meanX
		s.varY = s.varY/float64(n) - s.meanY*s.meanY
		s.cov = s.cov/float64(n) - s.meanX*s.meanY
	}
	return all
}
