package kernels

import (
	"sync"
	"unsafe"

	"github.com/coclico/coclico/kernels/mem"
)

// A freeList recycles values without giving them up at a garbage collection
// as sync.Pool does: after the first step of a decode nothing is allocated.
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

// put takes v back, emptied so that it keeps nothing alive.
func (l *freeList[T]) put(v *T) {
	var zero T
	*v = zero
	l.keep(v)
}

// keep takes v back as it is.
func (l *freeList[T]) keep(v *T) {
	l.mu.Lock()
	l.free = append(l.free, v)
	l.mu.Unlock()
}

// A scratch is one goroutine's working memory. Its buffers grow to the
// largest size asked for and stay.
type scratch struct {
	panel, c, p []byte
	rows        []float32

	runner runner

	// Arguments of functions that are values: they escape, so they live here.
	strip   strip
	softmax softmaxBlock
	attend  attendBlock
	stages  []attendStage
}

var scratches freeList[scratch]

// release takes s back without the arguments: they point into the caller's
// memory, which, where it is the garbage collector's, they would keep alive.
func (s *scratch) release() {
	s.strip, s.softmax, s.attend = strip{}, softmaxBlock{}, attendBlock{}
	clear(s.stages)
	s.stages = s.stages[:0]
	scratches.keep(s)
}

// grow returns the first n bytes of a 64-byte aligned buffer kept at b.
func grow(b *[]byte, n int) []byte {
	if cap(*b) < n {
		mem.Free(*b)
		*b = mem.Alloc(n)
	}
	return (*b)[:n]
}

// limit gives a buffer of more than most bytes back.
func limit(b *[]byte, most int) {
	if cap(*b) > most {
		mem.Free(*b)
		*b = nil
	}
}

func float32s(b []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}
