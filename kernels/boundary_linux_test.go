package kernels

import (
	"syscall"
	"testing"
)

// memories returns the places for operands: between NaNs, and flush against an
// inaccessible page before or after them.
func memories(t *testing.T) map[string]memory {
	return map[string]memory{"padded": new(padded), "page before": newPages(t, false), "page after": newPages(t, true)}
}

// pages places operands at the edge of accessible memory, like the standard
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

// TestOperandEdges runs products, convolutions and attention on operands that
// end at an inaccessible page: the slack after the last line must be enough for
// the last tile of every implementation.
func TestOperandEdges(t *testing.T) {
	eachImpl(t, func(t *testing.T, im *impl, p Precision) {
		m := newPages(t, true)
		edge := func(slot, n, h, w, c, pad int) *Operand {
			o := new(Operand)
			o.Init(m.bytes(slot, OperandBytes(p, n, h, w, c, pad)), p, n, h, w, c, pad)
			o.Fill(make([]float32, n*h*w*c))
			return o
		}
		for _, l := range []int{1, 2, 31, 63, 65, 127, 128, 130} {
			q, kv, dst := edge(0, 1, 1, l, 24, 0), edge(1, 1, 1, l+1, 48, 0), edge(2, 1, 1, l, 24, 0)
			Attention(dst, View{q, 0}, View{kv, 0}, View{kv, 24}, 2, 12, 1, false)
			MatMul(make([]float32, l*5), q, Pack(p, Shape{Out: 5, In: 24, KH: 1, KW: 1}, Array{F16, nil}), Epilogue{})
		}
		for _, a := range []struct{ lq, lk, heads, dim int }{{1, 256, 1, 64}, {33, 320, 2, 33}, {97, 257, 1, 40}} { // what fused loops take
			c := a.heads * a.dim
			q, kv, dst := edge(0, 1, 1, a.lq, c, 0), edge(1, 1, 1, a.lk, 2*c, 0), edge(2, 1, 1, a.lq, c, 0)
			Attention(dst, View{q, 0}, View{kv, 0}, View{kv, c}, a.heads, a.dim, 1, false)
		}
		w := Shape{Out: 3, In: 4, KH: 3, KW: 3}
		for _, s := range [][2]int{{2, 2}, {3, 2}, {2, 9}, {17, 3}, {5, 33}, {8, 8}} {
			o := edge(3, 2, s[0], s[1], 4, 1)
			for _, so := range [][2]int{{1, 0}, {2, 0}, {2, 1}} {
				h, wd := s[0]/so[0], s[1]/so[0]
				if so[1] == 0 {
					h, wd = (s[0]+so[0]-1)/so[0], (s[1]+so[0]-1)/so[0]
				}
				for _, form := range []int{-1, 1} {
					force(t, form)
					Conv2D(make([]float32, 2*h*wd*3), o, Pack(p, w, Array{F16, nil}), so[0], so[1], Epilogue{})
				}
			}
			for _, form := range []int{-1, 1} {
				force(t, form)
				ConvUp2D(make([]float32, 2*4*s[0]*s[1]*3), o, PackUp(p, w, Array{F16, nil}), Epilogue{})
			}
		}
	})
}
