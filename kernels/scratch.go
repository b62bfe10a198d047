package kernels

import (
	"sync"
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

// A freeList recycles values. Unlike sync.Pool, it keeps them across garbage
// collections: after the first step of a decode nothing is allocated.
type freeList[T any] struct {
	mu   sync.Mutex
	free []*T
}

func (l *freeList[T]) get() *T {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.free); n > 0 {
		v := l.free[n-1]
		l.free = l.free[:n-1]
		return v
	}
	return new(T)
}

// put takes v back and clears it, so that it keeps nothing alive.
func (l *freeList[T]) put(v *T) {
	var zero T
	*v = zero
	l.keep(v)
}

// keep takes v back without clearing it.
func (l *freeList[T]) keep(v *T) {
	l.mu.Lock()
	l.free = append(l.free, v)
	l.mu.Unlock()
}

// A scratch is one goroutine's working memory. Its buffers grow to the largest
// size that was ever needed.
type scratch struct {
	panel, c, p []byte
	rows        []float32
	fused       []byte

	runner runner

	// Arguments of function values, which would otherwise escape to the heap.
	strip   strip
	softmax softmaxBlock
	attend  attendBlock
	stages  []attendStage
	pixels  [winogradArea]unsafe.Pointer
}

var scratches freeList[scratch]

// release takes s back without the arguments, which point into the caller's
// memory and would keep it alive. It is deferred, as is every return of memory
// from the system: a caller may survive a panic, and that memory is lost if
// nobody keeps it.
func (s *scratch) release() {
	s.strip, s.softmax, s.attend = strip{}, softmaxBlock{}, attendBlock{}
	clear(s.pixels[:])
	clear(s.stages)
	s.stages = s.stages[:0]
	scratches.keep(s)
}

// grow returns the first n bytes of the 64-byte aligned buffer at b, which it
// replaces if it is too small. The contents are then lost.
func grow(b *[]byte, n int) []byte {
	if cap(*b) < n {
		mem.Free(*b)
		*b = nil // also if Alloc panics
		*b = mem.Alloc(n)
	}
	return (*b)[:n]
}

// limit frees the buffer at b if it is larger than most bytes.
func limit(b *[]byte, most int) {
	if cap(*b) > most {
		mem.Free(*b)
		*b = nil
	}
}

func float32s(b []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}
