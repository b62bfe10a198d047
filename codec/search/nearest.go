package search

import (
	"context"
	"runtime"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/coclico/coclico/internal/mmap"
	"github.com/coclico/coclico/kernels"
)

// blockCodes is the number of codes that are compared at once. Their distances
// stay in the nearest cache.
const blockCodes = 4096

// A near is a code's distance from a query, in its first 16 bits, and the
// code's ordinal: sorted, the nearest come first.
type near uint64

const ordinalBits = 48

func (n near) distance() int   { return int(n >> ordinalBits) }
func (n near) ordinal() uint64 { return uint64(n) & (1<<ordinalBits - 1) }

// nearest returns the m codes of a kind that are nearest to a code, in order.
func (k *kindSet) nearest(ctx context.Context, code []uint64, m int) ([]near, error) {
	var mu sync.Mutex
	var all []near
	err := parallel(ctx, k.blocks, func() (func(i int) error, func()) {
		best := selection{m: m}
		dst := make([]uint16, blockCodes)
		each := func(i int) error {
			s, from, n := k.block(i)
			d := dst[:n]
			kernels.Hamming(d, code, s.codes(from, n))
			best.add(d, s.ordinal+uint64(from))
			return nil
		}
		return each, func() {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, best.list...)
		}
	})
	slices.Sort(all)
	return all[:min(m, len(all))], err
}

// block returns block i of a kind: n codes of a segment.
func (k *kindSet) block(i int) (s *segment, from, n int) {
	s = &k.segments[sort.Search(len(k.segments), func(j int) bool { return k.segments[j].block > i })-1]
	from = (i - s.block) * blockCodes
	return s, from, min(int(s.run.n)-from, blockCodes)
}

// A selection keeps the m least of many numbers. Its list is up to twice as long
// and is sorted and cut when it is full, so that most numbers cost one
// comparison.
type selection struct {
	m     int
	list  []near
	limit int // a distance above it is not among the m least; 0 before the first cut
	cut   bool
}

func (s *selection) add(distances []uint16, ordinal uint64) {
	for i, d := range distances {
		if s.cut && int(d) > s.limit {
			continue
		}
		s.list = append(s.list, near(d)<<ordinalBits|near(ordinal+uint64(i)))
		if len(s.list) >= 2*s.m+blockCodes {
			slices.Sort(s.list)
			s.list = s.list[:s.m]
			s.limit, s.cut = s.list[s.m-1].distance(), true
		}
	}
}

// parallel calls each(0) to each(n-1), in any order, on as many goroutines as
// there are processors. start is called once on each and returns each, and what
// is called at the end. parallel returns the context's error when it ends, or else
// the first error of each, or the fault of a mapping that it could not read.
func parallel(ctx context.Context, n int, start func() (each func(i int) error, end func())) error {
	within, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	work := func() error {
		each, end := start()
		for within.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= n {
				break
			}
			if err := each(i); err != nil {
				return err
			}
		}
		end()
		return nil
	}
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			if err := mmap.Guard(work); err != nil {
				fail(err)
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.Cause(within)
}
