package jpeg

import "math"

// A block holds the coefficients of 8 x 8 samples in zigzag order.
type block [64]int16

// A band is what a scan says of each block: bits of some of its coefficients. In a
// sequential file that is all of them.
type band struct {
	first, last int  // coefficients
	low         int  // their lowest bit in this scan
	refines     bool // the bits above it are known
}

// base reports whether a scan begins blocks, which are gray without it.
func (s *band) base() bool { return s.first == 0 && !s.refines }

// A blockReader reads blocks of a scan.
type blockReader struct {
	bitReader
	band
	ended int // how many of the next blocks have no more coefficients
}

// block reads what a scan has of a block of a plane.
func (r *blockReader) block(b *block, p *plane) error {
	switch {
	case !r.refines:
		return r.start(b, p)
	case r.first == 0:
		bit, err := r.bits(1)
		b[0] |= int16(bit << r.low)
		return err
	}
	return r.refine(b, p.ac)
}

// start reads coefficients that no scan has begun (F.2.2, G.1.2.1, G.1.2.2).
// The first one of a block is a difference to that of the block before it.
func (r *blockReader) start(b *block, p *plane) error {
	k := r.first
	if k == 0 {
		n, err := r.symbol(p.dc)
		if err != nil {
			return err
		}
		if n > 15 {
			return FormatError("invalid coefficient")
		}
		diff, err := r.value(int(n))
		if err != nil {
			return err
		}
		p.pred += diff
		b[0] = clamp(p.pred << r.low)
		k++
	}
	for ; k <= r.last && r.ended == 0; k++ {
		run, n, err := r.pair(p.ac)
		if err != nil {
			return err
		}
		if k += run; n == 0 {
			continue
		}
		if k > r.last {
			return FormatError("invalid coefficient")
		}
		v, err := r.value(n)
		if err != nil {
			return err
		}
		b[k] = clamp(v << r.low)
	}
	r.ended = max(r.ended-1, 0)
	return nil
}

// pair reads how many zeros precede a coefficient, and how many bits it has. If it
// has no bits it is a zero, too, or the block ends here and r.ended is above 0.
func (r *blockReader) pair(t *huffman) (run, n int, err error) {
	s, err := r.symbol(t)
	if err != nil {
		return 0, 0, err
	}
	run, n = int(s>>4), int(s&15)
	if n == 0 && run < 15 {
		if r.first == 0 { // a sequential file has no runs of ended blocks
			run = 0
		}
		more, err := r.bits(run)
		r.ended = 1<<run + int(more)
		return 0, 0, err
	}
	return run, n, nil
}

// refine reads a bit more of a band, and the coefficients that begin with that bit
// (G.1.2.3).
func (r *blockReader) refine(b *block, t *huffman) error {
	k := r.first
	for k <= r.last && r.ended == 0 {
		run, n, err := r.pair(t)
		if err != nil {
			return err
		}
		if n > 1 {
			return FormatError("invalid coefficient")
		}
		if r.ended > 0 {
			break
		}
		v, err := r.value(n)
		if err != nil {
			return err
		}
		if k, err = r.correct(b, k, run); err != nil {
			return err
		}
		if v != 0 {
			if k > r.last {
				return FormatError("invalid coefficient")
			}
			b[k] = int16(v << r.low)
		}
		k++
	}
	if r.ended == 0 {
		return nil
	}
	r.ended--
	_, err := r.correct(b, k, len(b))
	return err
}

// correct reads a bit for each coefficient from k on that is not zero, up to the
// zero after a run of zeros, and returns where that is.
func (r *blockReader) correct(b *block, k, run int) (int, error) {
	for ; k <= r.last; k++ {
		if b[k] == 0 {
			if run == 0 {
				break
			}
			run--
			continue
		}
		bit, err := r.bits(1)
		if err != nil {
			return k, err
		}
		if b[k] < 0 {
			bit = -bit
		}
		b[k] = clamp(int32(b[k]) + bit<<r.low)
	}
	return k, nil
}

// clamp returns a coefficient that a broken file may have too large.
func clamp(v int32) int16 {
	return int16(min(max(v, math.MinInt16), math.MaxInt16))
}
