package kernels

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// A hammingLoop is one of the loops of an implementation.
type hammingLoop = func(dst []uint16, query, codes []uint64)

// words returns a slot that holds n words.
func words(m memory, slot, n int) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(m.bytes(slot, 8*n)))), n)
}

func testHamming(t *testing.T, m memory, loop hammingLoop) {
	t.Helper()
	r := rand.New(rand.NewPCG(11, 11))
	try := func(count, length int) {
		query, codes := words(m, 0, length), words(m, 1, count*length)
		density := r.IntN(4)
		for _, x := range [][]uint64{query, codes} {
			for i := range x {
				x[i] = [...]uint64{r.Uint64(), r.Uint64() & r.Uint64() & r.Uint64(), ^uint64(0), 1 << r.IntN(64)}[density]
			}
		}
		if density == 2 {
			clear(query) // all bits differ
		}
		dst := unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(m.bytes(2, 2*count)))), count)
		loop(dst, query, codes)
		m.check(t)
		for i, got := range dst {
			want := 0
			for bit := range 64 * length {
				want += int((query[bit/64] ^ codes[i*length+bit/64]) >> (bit % 64) & 1)
			}
			if int(got) != want {
				t.Fatalf("code %d of %d, of %d words: distance %d, want %d", i, count, length, got, want)
			}
		}
	}
	for count := range 20 { // over two blocks of the longest
		for length := 1; length <= 26; length++ {
			try(count, length)
		}
	}
	for _, length := range []int{31, 60, 61, 62, 63, 64, 65, 121, 122, 123, 248, 249, 500, maxHammingWords} {
		try(9, length)
	}
}

func TestHamming(t *testing.T) {
	eachVec(t, func(t *testing.T, im machine, m memory) { testHamming(t, m, im.vec.hamming) })
}

func TestHammingPanics(t *testing.T) {
	for _, c := range []struct {
		dst, query, codes int
		want              string
	}{
		{1, 0, 1, "kernels: Hamming code length"},
		{1, maxHammingWords + 1, maxHammingWords + 1, "kernels: Hamming code length"},
		{1, 2, 3, "kernels: Hamming shape"},
		{2, 2, 2, "kernels: Hamming shape"},
	} {
		func() {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("%v: panic %v", c, got)
				}
			}()
			Hamming(make([]uint16, c.dst), make([]uint64, c.query), make([]uint64, c.codes))
		}()
	}
}

// BenchmarkHamming compares a query with codes of 768 bits: with a block that
// stays in L1, and with more than any cache holds.
func BenchmarkHamming(b *testing.B) {
	const length = 12
	for _, count := range []int{256, 1 << 20} {
		r := rand.New(rand.NewPCG(1, 1))
		codes, query := make([]uint64, count*length), make([]uint64, length)
		for i := range codes {
			codes[i] = r.Uint64()
		}
		dst := make([]uint16, count)
		for name, loop := range hammingLoops() {
			b.Run(fmt.Sprintf("codes=%d/loop=%s", count, name), func(b *testing.B) {
				b.SetBytes(int64(8 * len(codes)))
				for b.Loop() {
					loop(dst, query, codes)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/code")
			})
		}
	}
}

// hammingLoops returns the loops that this machine supports by name.
func hammingLoops() map[string]hammingLoop {
	loops := archHammingLoops()
	for _, im := range machines() {
		loops[im.name] = im.vec.hamming
	}
	return loops
}
