package search

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/coclico/coclico/kernels"
)

// Codes are sorted by a hash of 32 bits in two steps: by its upper bits into
// buckets, and within a bucket by its lower bits, which stand above the code's
// ordinal in a number of 64 bits.
const (
	lowBits     = 64 - ordinalBits
	bucketCount = 1 << (32 - lowBits)
)

// maxSorted is the number of codes that are sorted at once.
var maxSorted = 1 << 24

// buckets are the codes of a group, sorted by the hash of their bits in a mask.
type buckets struct {
	*finder
	group  *kindSet
	masks  []mask
	ends   []atomic.Int64 // of each bucket, in sorted
	sorted []uint64
}

func newBuckets(f *finder, g *kindSet, masks []mask) *buckets {
	return &buckets{finder: f, group: g, masks: masks, ends: make([]atomic.Int64, bucketCount)}
}

// each calls put, on several goroutines, with the hash and the ordinal of each
// code that counts.
func (b *buckets) each(ctx context.Context, m mask, put func(hash uint32, ordinal uint64)) error {
	return parallel(ctx, b.group.blocks, func() (func(int) error, func()) {
		return func(i int) error {
			s, from, n := b.group.block(i)
			codes := s.codes(from, n)
			words := s.shard.words
			for j := range n {
				if b.counts(s, from+j) {
					put(m.hash(codes[j*words:][:words]), s.ordinal+uint64(from+j))
				}
			}
			return nil
		}, func() {}
	})
}

// pass finds the pairs that agree on a mask and on none before it.
func (b *buckets) pass(ctx context.Context, at int, cost float64) error {
	sizes := make([]atomic.Int64, bucketCount)
	if err := b.each(ctx, b.masks[at], func(hash uint32, _ uint64) { sizes[hash>>lowBits].Add(1) }); err != nil {
		return err
	}
	for first := 0; first < bucketCount; {
		// As many buckets as are sorted at once, and one at least.
		end, n := first, int64(0)
		for end < bucketCount && (end == first || n+sizes[end].Load() <= int64(maxSorted)) {
			b.ends[end].Store(n)
			n += sizes[end].Load()
			end++
		}
		if err := b.part(ctx, at, first, end, n, cost); err != nil {
			return err
		}
		first = end
	}
	return nil
}

// part sorts the n codes of some buckets and compares those of equal hashes.
func (b *buckets) part(ctx context.Context, at, first, end int, n int64, cost float64) error {
	b.sorted = slices.Grow(b.sorted[:0], int(n))[:n]
	err := b.each(ctx, b.masks[at], func(hash uint32, ordinal uint64) {
		if i := int(hash >> lowBits); first <= i && i < end {
			b.sorted[b.ends[i].Add(1)-1] = uint64(hash)<<ordinalBits | ordinal
		}
	})
	if err != nil {
		return err
	}
	const together = 256 // buckets at a time
	return parallel(ctx, (end-first+together-1)/together, func() (func(int) error, func()) {
		c := comparer{finder: b.finder, distances: make([]uint16, blockCodes)}
		t := &tiles{comparer: &c, buckets: b, at: at}
		each := func(i int) error {
			from := first + i*together
			to := min(from+together, end)
			begin := int64(0)
			if from > first {
				begin = b.ends[from-1].Load()
			}
			for j := from; j < to; j++ {
				stop := b.ends[j].Load()
				list := b.sorted[begin:stop]
				begin = stop
				slices.Sort(list)
				t.runs(ctx, list)
			}
			b.report(cost * float64(to-from) / bucketCount)
			return nil
		}
		return each, c.flush
	})
}

// tiles compares codes of equal hashes, copied to where they follow one another.
type tiles struct {
	*comparer
	buckets *buckets
	at      int // the mask
	codes   []uint64
}

// runs compares the codes of equal hashes in a sorted bucket.
func (t *tiles) runs(ctx context.Context, list []uint64) {
	for len(list) > 1 {
		n := 1
		for n < len(list) && list[n]>>ordinalBits == list[0]>>ordinalBits {
			n++
		}
		run := list[:n]
		list = list[n:]
		for first := 1; first < n && ctx.Err() == nil; first += blockCodes {
			t.compare(ctx, run, first, min(first+blockCodes, n))
		}
	}
}

// compare compares the codes of a run from first up to end with all before them.
func (t *tiles) compare(ctx context.Context, run []uint64, first, end int) {
	set := t.set
	words := set.words
	t.codes = t.codes[:0]
	for _, r := range run[first:end] {
		t.codes = append(t.codes, set.code(near(r).ordinal())...)
	}
	for i := 0; i < end-1 && ctx.Err() == nil; i++ {
		a := near(run[i]).ordinal()
		code := set.code(a)
		from := max(first, i+1)
		d := t.distances[:end-from]
		rest := t.codes[(from-first)*words:]
		kernels.Hamming(d, code, rest)
		for j, distance := range d {
			if int(distance) <= t.within && t.first(code, rest[j*words:][:words]) {
				t.put(distance, a, near(run[from+j]).ordinal())
			}
		}
	}
}

// first reports whether a mask is the first that two codes agree on. Their
// hashes may be equal by chance.
func (t *tiles) first(a, b []uint64) bool {
	for _, m := range t.buckets.masks[:t.at] {
		if m.agree(a, b) {
			return false
		}
	}
	return t.buckets.masks[t.at].agree(a, b)
}
