package mem

import (
	"math"
	"slices"
	"strconv"
	"testing"
	"unsafe"
)

// TestAlloc checks that blocks of every kind are aligned, zeroed and writable
// to their last byte.
func TestAlloc(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 4096, HugePage - 1, HugePage, HugePage + 1, 5*HugePage + 7} {
		b := Alloc(n)
		if len(b) != n {
			t.Fatalf("Alloc(%d) returned %d bytes", n, len(b))
		}
		if uintptr(unsafe.Pointer(unsafe.SliceData(b)))%64 != 0 {
			t.Errorf("Alloc(%d) is not on a 64-byte boundary", n)
		}
		if slices.ContainsFunc(b, func(x byte) bool { return x != 0 }) {
			t.Errorf("Alloc(%d) is not zeroed", n)
		}
		for i := range b {
			b[i] = 1
		}
		Free(b)
	}
}

// TestTryAlloc checks that more memory than any machine has is refused.
func TestTryAlloc(t *testing.T) {
	if strconv.IntSize == 32 {
		t.Skip("a system may have all of the address space")
	}
	if b := TryAlloc(math.MaxInt - 2*HugePage); b != nil {
		t.Errorf("TryAlloc returned %d bytes", len(b))
	}
}

// TestDiscard checks that discarding keeps the bytes on either side and leaves
// the memory usable.
func TestDiscard(t *testing.T) {
	b := Alloc(4*HugePage + 128)
	defer Free(b)
	for i := range b {
		b[i] = 1
	}
	Discard(b[:0])
	Discard(b[100:200])
	Discard(b[64 : len(b)-64])
	for _, side := range [][]byte{b[:64], b[len(b)-64:]} {
		if slices.Contains(side, 0) {
			t.Fatal("Discard dropped bytes outside of its argument")
		}
	}
	b[2*HugePage] = 7
	if b[2*HugePage] != 7 {
		t.Fatal("discarded memory cannot be written")
	}
}

func TestSize(t *testing.T) {
	if n := Size(4, 3, 5, 7); n != 420 {
		t.Errorf("Size(4, 3, 5, 7) = %d, want 420", n)
	}
	if n := Size(1<<20, 0, 1<<20); n != 0 {
		t.Errorf("Size with a factor of 0 is %d", n)
	}
	for _, factors := range [][]int{{math.MaxInt}, {math.MaxInt/2 + 1, 2}, {math.MaxInt / 2, math.MaxInt / 2, 4}, {-1, 1}} {
		func() {
			defer func() {
				if v := recover(); v != ErrOutOfMemory {
					t.Errorf("Size(%d...): panic of %v", factors, v)
				}
			}()
			Size(factors...)
		}()
	}
}
