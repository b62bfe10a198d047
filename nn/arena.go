package nn

import (
	"slices"
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

// An arena hands out memory of any size from few large chunks.
//
// Free spans are sorted by address and merged with their neighbors. A request
// takes the front of the first span that holds it, so the memory in use lies
// low in its chunk; the memory above it was never touched and is not resident.
// A network asks for the same sizes in the same order at every step, so after
// the first step the free list already has the spans it needs.
type arena struct {
	chunks     [][]byte
	high       []int // for each chunk, the start of what was never handed out
	free       []span
	used, peak int // bytes handed out, and their maximum
	total      int // bytes of all chunks
}

// A span is a piece of a chunk. Offset and size are multiples of 64 bytes.
type span struct{ chunk, off, size int }

const (
	lineBytes = 64      // alignment of operands
	minChunk  = 4 << 20 // the untouched memory of a chunk costs nothing
)

// get hands out n bytes. If tidy is set it leaves no large free memory
// resident, at the cost of the system zeroing every large tensor.
func (a *arena) get(n int, tidy bool) span {
	n = roundUp(n)
	i := slices.IndexFunc(a.free, func(s span) bool { return s.size >= n })
	if i < 0 {
		chunk := mem.TryAlloc(a.chunkSize(n))
		if chunk == nil {
			chunk = mem.Alloc(n) // the larger size was a wish; n is needed
		}
		i = a.grow(chunk)
	}
	s := a.free[i]
	if n >= trimBytes && (tidy || s.off+n > a.high[s.chunk]) {
		a.trim()
	}
	a.high[s.chunk] = max(a.high[s.chunk], s.off+n)
	if s.size == n {
		a.free = slices.Delete(a.free, i, i+1)
	} else {
		a.free[i] = span{s.chunk, s.off + n, s.size - n}
	}
	a.used += n
	a.peak = max(a.peak, a.used)
	return span{s.chunk, s.off, n}
}

func roundUp(n int) int { return (n + lineBytes - 1) &^ (lineBytes - 1) }

// chunkSize returns the size of a new chunk that holds n bytes. It is at least
// an eighth of all chunks together, which keeps their number small.
func (a *arena) chunkSize(n int) int { return max(n, minChunk, a.total/8&^(lineBytes-1)) }

// grow adds a chunk and returns the index of its span.
func (a *arena) grow(chunk []byte) int {
	a.chunks = append(a.chunks, chunk)
	a.high = append(a.high, 0)
	a.free = append(a.free, span{len(a.chunks) - 1, 0, len(chunk)})
	a.total += len(chunk)
	return len(a.free) - 1
}

// trimBytes is the size from which a request for untouched memory first
// releases all free memory that was touched. That memory would otherwise stay
// resident: a decoder's last tensors do not fit where the earlier ones were.
const trimBytes = 128 << 20

// trim releases the pages of all free spans to the system until they are used
// again.
func (a *arena) trim() {
	for _, s := range a.free {
		mem.Discard(a.bytes(span{s.chunk, s.off, min(s.size, max(0, a.high[s.chunk]-s.off))}))
	}
}

// reserve makes a free span of at least n bytes, unless the system refuses. The
// system may refuse one large piece and still grant as much in several.
func (a *arena) reserve(n int) {
	n = roundUp(n)
	if slices.ContainsFunc(a.free, func(s span) bool { return s.size >= n }) {
		return
	}
	if chunk := mem.TryAlloc(a.chunkSize(n)); chunk != nil {
		a.grow(chunk)
	}
}

// shrink frees all but the first n bytes of s and returns the rest of it.
func (a *arena) shrink(s span, n int) span {
	n = roundUp(n)
	if n < s.size {
		a.put(span{s.chunk, s.off + n, s.size - n})
		s.size = n
	}
	return s
}

// put frees s.
func (a *arena) put(s span) {
	a.used -= s.size
	i, _ := slices.BinarySearchFunc(a.free, s, func(f, s span) int {
		if f.chunk != s.chunk {
			return f.chunk - s.chunk
		}
		return f.off - s.off
	})
	after := i < len(a.free) && a.free[i].chunk == s.chunk && a.free[i].off == s.off+s.size
	before := i > 0 && a.free[i-1].chunk == s.chunk && a.free[i-1].off+a.free[i-1].size == s.off
	switch {
	case before && after:
		a.free[i-1].size += s.size + a.free[i].size
		a.free = slices.Delete(a.free, i, i+1)
	case before:
		a.free[i-1].size += s.size
	case after:
		a.free[i].off, a.free[i].size = s.off, a.free[i].size+s.size
	default:
		a.free = slices.Insert(a.free, i, s)
	}
}

// release frees all chunks.
func (a *arena) release() {
	for _, c := range a.chunks {
		mem.Free(c)
	}
	*a = arena{}
}

// bytes returns the memory of a span.
func (a *arena) bytes(s span) []byte {
	return a.chunks[s.chunk][s.off : s.off+s.size : s.off+s.size]
}

// float32s returns the first n elements of b, which is aligned.
func float32s(b []byte, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), n)
}
