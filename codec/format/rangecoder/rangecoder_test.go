package rangecoder

import (
	"bytes"
	"math"
	"math/big"
	"math/rand"
	"slices"
	"testing"
)

// A symbol is an interval of [0, 65536).
type symbol struct{ lo, hi uint32 }

func randomSymbols(rng *rand.Rand, n int) []symbol {
	s := make([]symbol, n)
	for i := range s {
		size := uint32(1) << rng.Intn(17)
		if rng.Intn(2) == 0 {
			size = 1 + uint32(rng.Intn(1<<16))
		}
		lo := uint32(rng.Intn(1<<16 - int(size) + 1))
		if rng.Intn(8) == 0 {
			lo = 1<<16 - size // the upper end: carries
		}
		s[i] = symbol{lo, lo + size}
	}
	return s
}

func encode(symbols []symbol) []byte {
	var e Encoder
	for _, s := range symbols {
		e.Encode(s.lo, s.hi)
	}
	return e.Finish()
}

// encodeBig is the definition in the package comment, in numbers of any length.
func encodeBig(symbols []symbol) []byte {
	low, width, k := new(big.Int), uint64(1<<48), 0
	for _, s := range symbols {
		unit := width / 65536
		low.Add(low, new(big.Int).SetUint64(unit*uint64(s.lo)))
		for width = unit * uint64(s.hi-s.lo); width < 1<<40; width *= 256 {
			low.Lsh(low, 8)
			k++
		}
	}
	end := new(big.Int).Add(low, new(big.Int).SetUint64(width))
	for n := k; ; n++ {
		place := new(big.Int).Lsh(big.NewInt(1), uint(8*(6+k-n)))
		v := new(big.Int).Add(low, place)
		v.Sub(v, big.NewInt(1)).Div(v, place)
		if new(big.Int).Mul(v, place).Cmp(end) < 0 {
			return v.FillBytes(make([]byte, n))
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for round := range 3000 {
		symbols := randomSymbols(rng, round%97)
		data := encode(symbols)
		if want := encodeBig(symbols); !bytes.Equal(data, want) {
			t.Fatalf("%d symbols are %x, by the definition %x", len(symbols), data, want)
		}
		d := NewDecoder(data)
		information := 0.0
		for i, s := range symbols {
			if v := d.Peek(); v < s.lo || v >= s.hi {
				t.Fatalf("symbol %d of %d: %d is not in %v", i, len(symbols), v, s)
			}
			d.Skip(s.lo, s.hi)
			information += 16 - math.Log2(float64(s.hi-s.lo))
		}
		if k := d.Shifts(); k > len(data) || k+6 < len(data) {
			t.Fatalf("%d bytes, %d shifts", len(data), k)
		}
		if float64(len(data)) > information/8+1.01 {
			t.Fatalf("%d bytes for %.1f bits", len(data), information)
		}
	}
}

// TestBits: equiprobable bits at the beginning are the stream's first bits, whatever follows.
func TestBits(t *testing.T) {
	rng := rand.New(rand.NewSource(2))
	for range 1000 {
		var e Encoder
		var want []byte // one bit each
		for range rng.Intn(8) {
			n := 1 + rng.Intn(16)
			v := uint32(rng.Intn(1 << n))
			e.Symbol(int(v), 1<<n, func(k int) uint32 { return uint32(k) << (ProbBits - n) })
			for n--; n >= 0; n-- {
				want = append(want, byte(v>>n&1))
			}
		}
		for _, s := range randomSymbols(rng, 20) {
			e.Encode(s.lo, s.hi)
		}
		data := e.Finish()
		d := NewDecoder(data)
		for i, bit := range want {
			if data[i/8]>>(7-i%8)&1 != bit {
				t.Fatalf("bit %d of %x is not %d", i, data, bit)
			}
			if d.Symbol(0, 2, func(k int) uint32 { return uint32(k) << 15 }) != int(bit) {
				t.Fatalf("bit %d is read wrong", i)
			}
		}
	}
}

func TestBadCallPanics(t *testing.T) {
	for _, s := range []symbol{{0, 0}, {5, 4}, {0, 1<<16 + 1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v: no panic", s)
				}
			}()
			encode([]symbol{s})
		}()
	}
}

// FuzzDecoder reads any bytes as any symbols: it never fails, and what it read has an encoding of at most as many bytes
// more as the window holds.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte{}, int64(1))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"), int64(2))
	f.Add(encode(randomSymbols(rand.New(rand.NewSource(3)), 50)), int64(3))
	f.Fuzz(func(t *testing.T, data []byte, seed int64) {
		rng := rand.New(rand.NewSource(seed))
		d := NewDecoder(data)
		var symbols []symbol
		for range 64 {
			cut := uint32(1 + rng.Intn(1<<16-1))
			s := symbol{0, cut}
			if d.Peek() >= cut {
				s = symbol{cut, 1 << 16}
			}
			d.Skip(s.lo, s.hi)
			symbols = append(symbols, s)
		}
		again := NewDecoder(encode(symbols))
		for i, s := range symbols {
			if v := again.Peek(); v < s.lo || v >= s.hi {
				t.Fatalf("symbol %d: %d is not in %v", i, v, s)
			}
			again.Skip(s.lo, s.hi)
		}
	})
}

// TestBit: Bit reads what Symbol reads, in streams of all kinds.
func TestBit(t *testing.T) {
	rng := rand.New(rand.NewSource(5))
	for round := range 400 {
		data := make([]byte, rng.Intn(100))
		rng.Read(data)
		if round%3 == 0 { // what no encoder writes
			for i := range data {
				data[i] = 0xff
			}
		}
		a, b := NewDecoder(data), NewDecoder(data)
		for i := range 900 {
			mid := uint32(1 + rng.Intn(1<<16-1))
			want := a.Symbol(0, 2, func(k int) uint32 { return []uint32{0, mid, 1 << 16}[k] })
			if got := b.Bit(mid); got != want || a.value != b.value || a.width != b.width || a.next != b.next {
				t.Fatalf("round %d, bit %d below %d: %d, Symbol reads %d", round, i, mid, got, want)
			}
		}
	}
}

// TestSymbol: Symbol reads the symbol whose interval contains what Peek returns,
// in streams of all kinds.
func TestSymbol(t *testing.T) {
	rng := rand.New(rand.NewSource(6))
	for round := range 400 {
		data := make([]byte, rng.Intn(100))
		rng.Read(data)
		if round%3 == 0 { // what no encoder writes
			for i := range data {
				data[i] = 0xff
			}
		}
		a, b := NewDecoder(data), NewDecoder(data)
		for i := range 300 {
			edges := []int{0, 1 << ProbBits}
			for range rng.Intn(70) {
				edges = append(edges, rng.Intn(1<<ProbBits))
			}
			slices.Sort(edges)
			edges = slices.Compact(edges)
			want := 0
			for uint32(edges[want+1]) <= a.Peek() {
				want++
			}
			a.Skip(uint32(edges[want]), uint32(edges[want+1]))
			got := b.Symbol(0, len(edges)-1, func(k int) uint32 { return uint32(edges[k]) })
			if got != want || a.value != b.value || a.width != b.width || a.next != b.next {
				t.Fatalf("round %d, symbol %d of %v: %d, Peek's is in %d", round, i, edges, got, want)
			}
		}
	}
}

// TestUniform: Uniform reads what Symbol reads, in streams of all kinds.
func TestUniform(t *testing.T) {
	rng := rand.New(rand.NewSource(7))
	for round := range 400 {
		data := make([]byte, rng.Intn(100))
		rng.Read(data)
		if round%3 == 0 { // what no encoder writes
			for i := range data {
				data[i] = 0xff
			}
		}
		a, b := NewDecoder(data), NewDecoder(data)
		for i := range 300 {
			n := rng.Intn(ProbBits + 1)
			want := a.Symbol(0, 1<<n, func(k int) uint32 { return uint32(k) << (ProbBits - n) })
			if got := b.Uniform(n); got != want || a.value != b.value || a.width != b.width || a.next != b.next {
				t.Fatalf("round %d, symbol %d of %d bits: %d, Symbol reads %d", round, i, n, got, want)
			}
			mid := uint32(1 + rng.Intn(1<<16-1)) // so that widths are not powers of two
			a.Bit(mid)
			b.Bit(mid)
		}
	}
}
