package search

import (
	"cmp"
	"context"
	"iter"
	"math"
	"slices"

	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
)

// DuplicateOptions configures Duplicates.
type DuplicateOptions struct {
	// Within is the largest distance of a pair, in bits of the code. If it is
	// negative, it is DefaultWithin of each profile.
	Within int

	// Limit is the largest number of pairs, which bounds memory. The nearest
	// are kept, and of equally near ones those that come first in the archive.
	// 0 means DefaultLimit.
	Limit int

	// Progress, if not nil, is called with the share of the work that is done,
	// from 0 to 1. Calls do not overlap.
	Progress func(done float64)
}

// DefaultLimit is the number of pairs that are kept by default.
const DefaultLimit = 100_000

// DefaultWithin returns the distance that pairs are sought within by default.
// Of 40 scenes of the built-in model it finds, in the paper's profile, 38 copies
// half as large and 40 of JPEG quality 50. In the tuned profile, where a
// dimension's code depends on those before it, it finds 25 and 23: copies differ
// more there, in 46 and 59 bits in the median. The nearest two of the scenes
// differ in 36 bits in the paper's profile and in 131 in the tuned one.
func DefaultWithin(p format.Profile) int {
	if p == format.Tuned {
		return 64
	}
	return 24
}

// A Pair is two pictures of an archive with similar codes. A's name is less than
// B's.
type Pair struct {
	A, B     *archive.Row
	Distance int // bits of the code that differ
}

// Duplicates is the pairs of an archive's pictures that are near each other.
type Duplicates struct {
	// Found is the number of pairs within the distance, kept or not.
	Found int64

	// Groups is the number of groups of pictures that were compared among
	// themselves alone: the codes of different groups have other thresholds.
	Groups int

	set   *Set
	pairs []pair
}

// Duplicates finds all pairs of pictures whose codes differ in few bits. Rows
// that a newer shard has replaced or removed are not compared. Where more than
// [archive.MaxOverlap] shards may have one name, the error is
// [archive.ErrOverlap].
//
// # Method
//
// Two codes that differ in at most D bits agree on at least one of D+1 disjoint
// sets of bits, and, one bit aside, on one of D/2+1. So codes are sorted by a
// hash of such a set, those of equal hashes are compared, and that is done for
// each set. A pair is reported with the first set that it agrees on, once. If
// that costs more than comparing all codes with all others, as it does when D is
// large or the archive small, then that is done. The cost is estimated from the
// hashes of 32,768 codes; the pairs are the same.
//
// # Cost
//
// Sorting takes about 100 ns for each code and set. With D = 24 these are 25
// sets, of 30 or 31 bits: 2.5 s of one core for 10^6 codes and 25 s for 10^7.
// With independent bits 2^-30.7 of all pairs have equal hashes by chance, 25 x
// 290 of 10^6 codes and 25 x 29,000 of 10^7, which cost nothing. The bits of
// pictures are not independent, so that there are more; the estimate counts
// them. With one bit left out there are 768 sets whatever D is: 77 s for 10^6
// codes and 13 minutes for 10^7. All pairs of 10^6 codes, 5 x 10^11, take 40
// minutes at 5 ns each, and those of 10^7 three days. Everything is divided among
// the processors.
//
// Memory: 8 bytes for each code, at most 128 MiB unless more than 2^24 codes are
// equal, and Limit pairs of 24 bytes, twice. An archive of more codes is sorted
// in parts. Equal codes are compared like others: n of them are n²/2 pairs.
func (s *Set) Duplicates(ctx context.Context, o DuplicateOptions) (d *Duplicates, err error) {
	if o.Limit < 0 {
		panic("search: a negative limit")
	}
	err = s.guard(func() (err error) {
		d, err = s.duplicates(ctx, o)
		return err
	})
	return d, err
}

func (s *Set) duplicates(ctx context.Context, o DuplicateOptions) (*Duplicates, error) {
	live, err := s.live(ctx)
	if err != nil {
		return nil, err
	}
	d := &Duplicates{set: s}
	limit := min(cmp.Or(o.Limit, DefaultLimit), math.MaxInt/2) // twice as many are listed
	f := &finder{set: s, pairs: nearestPairs{limit: limit}, live: live, progress: o.Progress}
	groups := s.groups()
	d.Groups = len(groups)
	plans := make([]plan, len(groups))
	for i, g := range groups {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		plans[i] = choosePlan(s.dim, o.within(g), g.n, g.sample())
		f.total += plans[i].cost
	}
	for i, g := range groups {
		f.within = o.within(g)
		if err := f.find(ctx, g, plans[i]); err != nil {
			return nil, err
		}
	}
	d.Found, d.pairs = f.pairs.found, f.pairs.sorted()
	return d, nil
}

// within returns the largest distance of a pair in a group.
func (o *DuplicateOptions) within(g *kindSet) int {
	if o.Within >= 0 {
		return o.Within
	}
	return DefaultWithin(g.segments[0].run.profile)
}

// groups returns the codes of an archive that mean the same, bit by bit.
func (s *Set) groups() (list []*kindSet) {
	for i := range s.kinds {
		k := &s.kinds[i]
		at := slices.IndexFunc(list, func(g *kindSet) bool { return alike(g.sides, k.sides) })
		if at < 0 {
			at = len(list)
			list = append(list, &kindSet{sides: k.sides})
		}
		for _, seg := range k.segments {
			list[at].add(seg)
		}
	}
	return list
}

// alike reports whether the bits of two kinds of code mean the same: they
// have the same thresholds, and hold the same dimensions.
func alike(a, b *quant.Sides) bool {
	for i := range a.Threshold {
		held := a.Low[i] != 0 || a.High[i] != 0
		if a.Threshold[i] != b.Threshold[i] || held != (b.Low[i] != 0 || b.High[i] != 0) {
			return false
		}
	}
	return true
}

// sample returns some of a group's codes, evenly spaced.
func (k *kindSet) sample() (codes [][]uint64) {
	step := (k.n + sampleCodes - 1) / sampleCodes
	skip := int64(0) // codes before the next of the sample
	for i := range k.segments {
		s := &k.segments[i]
		for ; skip < int64(s.run.n); skip += step {
			codes = append(codes, s.codes(int(skip), 1))
		}
		skip -= int64(s.run.n)
	}
	return codes
}

// live returns the rows that count of each shard, a bit for each, or nil if all
// of a shard's do. Shards that overlap with none are not read.
func (s *Set) live(ctx context.Context) ([][]uint64, error) {
	all := make([][]uint64, len(s.shards))
	var shards []*archive.Shard
	var numbers []int // of them among the set's
	for i := range s.shards {
		sh := &s.shards[i]
		if sh.replaced {
			all[i] = make([]uint64, (sh.Rows+63)/64)
		}
		if sh.replaced || sh.replaces {
			shards, numbers = append(shards, sh.shard), append(numbers, i)
		}
	}
	for p, err := range archive.Newest(shards) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if bits := all[numbers[p.Shard]]; bits != nil {
			bits[p.Row/64] |= 1 << (p.Row % 64)
		}
	}
	return all, nil
}

// Pairs returns the pairs that were kept: the nearest first, and those of equal
// distance by their names. An error ends it, and so does the end of ctx. The set
// must be open.
func (d *Duplicates) Pairs(ctx context.Context) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		for list := d.pairs; len(list) > 0; {
			n := 1
			for n < len(list) && list[n].distance == list[0].distance {
				n++
			}
			equal, err := d.read(ctx, list[:n])
			if err != nil {
				yield(Pair{}, err)
				return
			}
			for _, p := range equal {
				if !yield(p, nil) {
					return
				}
			}
			list = list[n:]
		}
	}
}

// read reads the rows of pairs of equal distance, and sorts them by name.
func (d *Duplicates) read(ctx context.Context, pairs []pair) ([]Pair, error) {
	rows := map[uint64]*archive.Row{}
	list := make([]Pair, 0, len(pairs))
	for _, p := range pairs {
		for _, ordinal := range []uint64{p.a, p.b} {
			if rows[ordinal] != nil {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			at := d.set.place(ordinal)
			row, err := at.shard.shard.Row(at.row)
			if err != nil {
				return nil, err
			}
			row.Data = nil // memory
			rows[ordinal] = row
		}
		a, b := rows[p.a], rows[p.b]
		if b.Name < a.Name {
			a, b = b, a
		}
		list = append(list, Pair{a, b, p.distance})
	}
	slices.SortFunc(list, func(p, q Pair) int {
		return cmp.Or(cmp.Compare(p.A.Name, q.A.Name), cmp.Compare(p.B.Name, q.B.Name))
	})
	return list, nil
}
