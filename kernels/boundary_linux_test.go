package kernels

import (
	"syscall"
	"testing"
)

// memories returns what operands can lie in: between NaNs, and flush against
// a page before or after them that cannot be touched.
func memories(t *testing.T) map[string]memory {
	return map[string]memory{"padded": new(padded), "page before": newPages(t, false), "page after": newPages(t, true)}
}

// pages holds operands at the edge of memory, in the manner of the Go
// library's bytes/boundary_test.go.
type pages struct {
	slot [5][]byte
	end  bool
}

const slotBytes = 1 << 19

func newPages(t *testing.T, end bool) *pages {
	m := &pages{end: end}
	page := syscall.Getpagesize()
	for i := range m.slot {
		b, err := syscall.Mmap(-1, 0, slotBytes+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Munmap(b) })
		for _, edge := range [][]byte{b[:page], b[page+slotBytes:]} {
			if err := syscall.Mprotect(edge, syscall.PROT_NONE); err != nil {
				t.Fatal(err)
			}
		}
		m.slot[i] = b[page : page+slotBytes : page+slotBytes]
	}
	return m
}

func (m *pages) bytes(slot, n int) []byte {
	b := m.slot[slot]
	if m.end {
		return b[len(b)-n:]
	}
	return b[:n:n]
}

func (m *pages) check(*testing.T) {}
