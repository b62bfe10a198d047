package search

import (
	"math/bits"
	"slices"
)

// A mask is a set of a code's bits: from bit first up to bit end, except bit
// skip, which is -1 for none.
type mask struct{ first, end, skip int }

// word returns the mask's bits of word i of a code.
func (m mask) word(i int) uint64 {
	below := func(n int) uint64 { // the bits below bit n
		n = min(max(n-64*i, 0), 64)
		return 1<<n - 1
	}
	w := below(m.end) &^ below(m.first)
	if m.skip/64 == i && m.skip >= 0 {
		w &^= 1 << (m.skip % 64)
	}
	return w
}

// hash returns a hash of a code's bits in a mask.
func (m mask) hash(code []uint64) uint32 {
	h := uint64(0)
	for i := m.first / 64; 64*i < m.end; i++ {
		high, low := bits.Mul64(h^code[i]&m.word(i)^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
		h = high ^ low
	}
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return uint32(h >> 32)
}

// agree reports whether two codes have the same bits in a mask.
func (m mask) agree(a, b []uint64) bool {
	for i := m.first / 64; 64*i < m.end; i++ {
		if (a[i]^b[i])&m.word(i) != 0 {
			return false
		}
	}
	return true
}

// masksWithin returns masks. Any two codes that differ in at most within bits
// agree on at least one mask. With radius 0 the bits are divided into within+1
// chunks, and a chunk is a mask: there is a chunk for each bit that differs, and
// one more. With radius 1 they are divided into within/2+1. One of these has at
// most one bit that differs, and a mask is a chunk without one of its bits.
// The result is nil if there are fewer bits than that needs.
func masksWithin(dim, within, radius int) (list []mask) {
	n := min(within, dim)/(radius+1) + 1
	if n*(radius+1) > dim {
		return nil
	}
	for i := range n {
		m := mask{i * dim / n, (i + 1) * dim / n, -1}
		if radius == 0 {
			list = append(list, m)
			continue
		}
		for m.skip = m.first; m.skip < m.end; m.skip++ {
			list = append(list, m)
		}
	}
	return list
}

// What the steps of a search for duplicates cost, in nanoseconds of one core.
const (
	costSort  = 100 // a code's hash, its place in a bucket and its sorting there
	costEqual = 60  // a pair of equal hashes: gathered from anywhere in the codes
	costScan  = 5   // a pair of codes that follow one another
)

// sampleCodes is the number of codes that the number of equal hashes is
// estimated from.
const sampleCodes = 1 << 15

// A plan is how duplicates are found.
type plan struct {
	masks []mask  // nil to compare all codes with all others
	cost  float64 // nanoseconds of one core
}

// choosePlan estimates what each way to find the pairs among n codes costs, and
// returns the cheapest. sample is some of the codes.
func choosePlan(dim, within int, n int64, sample [][]uint64) plan {
	pairs := float64(n) * float64(n-1) / 2
	best := plan{cost: pairs * costScan}
	hashes := make([]uint32, len(sample))
	for radius := range 2 {
		masks := masksWithin(dim, within, radius)
		cost := float64(len(masks)) * float64(n) * costSort
		if masks == nil || cost >= best.cost {
			continue
		}
		// A few of many masks stand for all.
		step := (len(masks) + 31) / 32
		for i := 0; i < len(masks); i += step {
			for j, code := range sample {
				hashes[j] = masks[i].hash(code)
			}
			s := float64(len(sample))
			cost += float64(step) * float64(equalPairs(hashes)) / max(s*(s-1)/2, 1) * pairs * costEqual
		}
		if cost < best.cost {
			best = plan{masks, cost}
		}
	}
	return best
}

// equalPairs returns the number of pairs of equal hashes, which it sorts.
func equalPairs(hashes []uint32) (n int64) {
	slices.Sort(hashes)
	run := int64(0)
	for i := 1; i < len(hashes); i++ {
		if run++; hashes[i] != hashes[i-1] {
			run = 0
		}
		n += run
	}
	return n
}
