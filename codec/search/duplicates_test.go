package search

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/codec/format"
)

// plantedSet returns a set of random codes in several shards and kinds of two
// groups. Most codes are copies of earlier ones of their kind, with a few bits
// changed: every number of them up to most.
func plantedSet(rng *rand.Rand, dim, shards, n, most int) *Set {
	s := &Set{dim: dim, words: (dim + 63) / 64}
	kinds := []kind{{format.Paper, 1, 0}, {format.Tuned, 0, uint32(dim)}, {format.Paper, 2, 0}}
	all := make([][][]uint64, len(kinds))
	changes := 0
	for range shards {
		x := &index{words: s.words}
		for i := range n {
			code := make([]uint64, s.words)
			for j := range dim {
				code[j/64] |= uint64(rng.Intn(2)) << (j % 64)
			}
			which := i * len(kinds) / n
			if earlier := all[which]; len(earlier) > 0 && rng.Intn(4) > 0 {
				code = slices.Clone(earlier[rng.Intn(len(earlier))])
				for _, j := range rng.Perm(dim)[:changes%(min(most, dim)+1)] {
					code[j/64] ^= 1 << (j % 64)
				}
				changes++
			}
			all[which] = append(all[which], code)
			x.codes = append(x.codes, code...)
			if k := kinds[which]; len(x.runs) == 0 || x.runs[len(x.runs)-1].kind != k {
				x.runs = append(x.runs, run{kind: k, row: uint32(i), first: i})
			}
			x.runs[len(x.runs)-1].n++
		}
		x.Rows, x.Codes = int64(n), int64(n)
		s.shards = append(s.shards, shard{index: x})
	}
	s.arrange(testPrior(rng, dim))
	return s
}

// bruteForce compares all codes of each group.
func bruteForce(s *Set, within int, live [][]uint64) (list []pair) {
	for _, g := range s.groups() {
		var ordinals []uint64
		for _, seg := range g.segments {
			for i := range uint64(seg.run.n) {
				row := uint64(seg.run.row) + i
				if l := live[seg.shard.number]; l == nil || l[row/64]>>(row%64)&1 != 0 {
					ordinals = append(ordinals, seg.ordinal+i)
				}
			}
		}
		for i, a := range ordinals {
			for _, b := range ordinals[i+1:] {
				d := 0
				for w, x := range s.code(a) {
					d += bits.OnesCount64(x ^ s.code(b)[w])
				}
				if d <= within {
					list = append(list, pair{d, min(a, b), max(a, b)})
				}
			}
		}
	}
	slices.SortFunc(list, comparePairs)
	return list
}

// TestDuplicatePairs compares every way to find pairs with brute force: chunks
// of several numbers and radii, codes in one part and in many, all pairs and
// only the nearest, with rows that do not count.
func TestDuplicatePairs(t *testing.T) {
	old := maxSorted
	defer func() { maxSorted = old }()
	for _, c := range []struct{ dim, shards, n, within int }{
		{1, 1, 20, 0}, {10, 2, 30, 2}, {64, 1, 200, 5}, {200, 3, 100, 12}, {768, 3, 200, 24}, {768, 1, 500, 0}, {768, 2, 200, 63}, {100, 2, 100, 200},
	} {
		rng := rand.New(rand.NewSource(int64(c.dim + c.within)))
		s := plantedSet(rng, c.dim, c.shards, c.n, c.within+2)
		live := make([][]uint64, c.shards)
		if c.shards > 1 {
			live[0] = make([]uint64, (c.n+63)/64)
			for i := range live[0] {
				live[0][i] = rng.Uint64() | rng.Uint64()
			}
		}
		want := bruteForce(s, c.within, live)
		seen := map[int]bool{}
		for _, p := range want {
			seen[p.distance] = true
		}
		if c.dim == 768 && len(seen) < c.within+1 {
			t.Errorf("%+v: pairs of %d distances only", c, len(seen))
		}
		for _, radius := range []int{-1, 0, 1} {
			p := plan{cost: 1}
			if radius >= 0 {
				if p.masks = masksWithin(c.dim, c.within, radius); p.masks == nil {
					continue
				}
			}
			for _, limit := range []int{len(want) + 1, max(len(want)/3, 1)} {
				maxSorted = old
				if len(p.masks) < 100 {
					maxSorted = c.n / 3 // several parts
				} else if c.n > 200 || limit <= len(want) {
					continue // it takes long
				}
				done := 0.0
				groups := s.groups()
				f := &finder{set: s, within: c.within, pairs: nearestPairs{limit: limit}, live: live, total: float64(len(groups))}
				f.progress = func(d float64) { done = d }
				for _, g := range groups {
					if err := f.find(t.Context(), g, p); err != nil {
						t.Fatal(err)
					}
				}
				got := f.pairs.sorted()
				if f.pairs.found != int64(len(want)) || !slices.Equal(got, want[:min(limit, len(want))]) {
					t.Errorf("%+v, radius %d, limit %d: %d of %d pairs, want %d of %d", c, radius, limit, len(got), f.pairs.found, min(limit, len(want)), len(want))
				}
				if done < 0.999 {
					t.Errorf("%+v, radius %d: progress ends at %v", c, radius, done)
				}
			}
		}
	}
}

// TestMasks: codes that differ in as many bits as they may agree on a mask,
// wherever the bits are.
func TestMasks(t *testing.T) {
	rng := rand.New(rand.NewSource(5))
	for _, c := range []struct{ dim, within, radius, masks int }{
		{768, 24, 0, 25}, {768, 24, 1, 768}, {768, 767, 0, 768}, {768, 768, 0, 0}, {768, 765, 1, 768}, {768, 768, 1, 0}, {768, math.MaxInt, 0, 0}, {768, math.MaxInt, 1, 0}, {70, 0, 0, 1}, {70, 3, 1, 70}, {1, 0, 0, 1}, {1, 0, 1, 0},
	} {
		masks := masksWithin(c.dim, c.within, c.radius)
		if len(masks) != c.masks {
			t.Errorf("%+v: %d masks", c, len(masks))
		}
		words := (c.dim + 63) / 64
		a, b := make([]uint64, words), make([]uint64, words)
		for range 200 {
			if masks == nil {
				break
			}
			for i := range a {
				a[i] = rng.Uint64()
			}
			copy(b, a)
			first := rng.Intn(c.dim - c.within + 1) // all in one place, or anywhere
			where := rng.Perm(c.dim)
			for i := range c.within {
				if j := first + i; rng.Intn(2) == 0 {
					where[i] = j
				}
			}
			for _, j := range where[:c.within] {
				b[j/64] = b[j/64]&^(1<<(j%64)) | ^a[j/64]&(1<<(j%64))
			}
			agreed := slices.IndexFunc(masks, func(m mask) bool { return m.agree(a, b) })
			if agreed < 0 {
				t.Fatalf("%+v: no mask of %d bits", c, c.within)
			}
			if m := masks[agreed]; m.hash(a) != m.hash(b) {
				t.Fatalf("%+v: other hashes of equal bits", m)
			}
		}
	}
}

// TestPlan: few codes and large distances are compared one by one, many codes
// by chunks.
func TestPlan(t *testing.T) {
	rng := rand.New(rand.NewSource(6))
	sample := make([][]uint64, 2000)
	for i := range sample {
		sample[i] = make([]uint64, 12)
		for j := range sample[i] {
			sample[i][j] = rng.Uint64()
		}
	}
	equal := slices.Repeat(sample[:1], 2000)
	for _, c := range []struct {
		within int
		n      int64
		sample [][]uint64
		masks  int
	}{
		{24, 100, sample, 0}, {24, 1e6, sample, 25}, {24, 1e7, sample, 25}, {64, 1e7, sample, 768}, {767, 1e7, sample, 0}, {24, 1e6, equal, 0},
	} {
		if p := choosePlan(768, c.within, c.n, c.sample); len(p.masks) != c.masks {
			t.Errorf("within %d of %d codes: %d masks, want %d", c.within, c.n, len(p.masks), c.masks)
		}
	}
}

// TestDuplicates finds the pairs of archives by their names: rows that were
// replaced or removed are in none.
func TestDuplicates(t *testing.T) {
	for _, c := range []struct{ dim, n, kinds, within int }{{64, 60, 1, 20}, {200, 300, 4, 0}, {768, 300, 3, 24}} {
		l := newLibrary(t, c.dim, c.n, c.kinds)
		s := l.open(t)
		list := l.all(t)
		var want []string
		groups, every := s.groups(), int64(0)
		for i, a := range list {
			for _, b := range list[i+1:] {
				d := 0
				for w := range a.sides {
					d += bits.OnesCount64(a.sides[w] ^ b.sides[w])
				}
				if !alike(a.kind, b.kind) {
					continue
				}
				if every++; d <= c.within {
					want = append(want, fmt.Sprintf("%03d %s %s", d, a.name, b.name))
				}
			}
		}
		slices.Sort(want)
		d, err := s.Duplicates(t.Context(), DuplicateOptions{Within: c.within})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for p, err := range d.Pairs(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%03d %s %s", p.Distance, p.A.Name, p.B.Name))
		}
		if len(want) == 0 || !slices.Equal(got, want) || d.Found != int64(len(want)) || d.Groups != len(groups) {
			t.Errorf("%+v: %d pairs in %d groups, found\n%s\nwant\n%s", c, d.Found, d.Groups, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if all, err := s.Duplicates(t.Context(), DuplicateOptions{Within: math.MaxInt, Limit: math.MaxInt}); err != nil || all.Found != every {
			t.Errorf("%+v: not all of %d pairs are found (%v)", c, every, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for p, err := range d.Pairs(ctx) {
			if err != context.Canceled {
				t.Errorf("canceled while pairs are read: %v, %v", p, err)
			}
		}
		if _, err := s.Duplicates(ctx, DuplicateOptions{Within: c.within}); err != context.Canceled {
			t.Errorf("canceled: %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		_, err = s.Duplicates(ctx, DuplicateOptions{Within: c.within, Progress: func(float64) { cancel() }})
		if err != context.Canceled {
			t.Errorf("canceled at work: %v", err)
		}
		cancel()
	}
}
