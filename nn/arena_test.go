package nn

import (
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"

	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/kernels/mem"
)

// TestArena gets and puts spans at random, and checks that they do not overlap,
// are aligned, and merge again.
func TestArena(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var a arena
	defer a.release()
	var out []span
	used := 0
	for range 20000 {
		if len(out) > 0 && (len(out) > 60 || r.IntN(2) == 0) {
			i := r.IntN(len(out))
			s := out[i]
			for _, b := range a.bytes(s)[:1] {
				if b != byte(s.off>>6) {
					t.Fatal("a span was overwritten by another")
				}
			}
			a.put(s)
			used -= s.size
			out[i] = out[len(out)-1]
			out = out[:len(out)-1]
			continue
		}
		s := a.get(1+r.IntN(1<<uint(r.IntN(21))), false)
		if s.off%lineBytes != 0 || s.size%lineBytes != 0 {
			t.Fatal("a span is not aligned")
		}
		for _, o := range out {
			if o.chunk == s.chunk && o.off < s.off+s.size && s.off < o.off+o.size {
				t.Fatalf("%v overlaps %v", s, o)
			}
		}
		a.bytes(s)[0] = byte(s.off >> 6)
		used += s.size
		out = append(out, s)
		if a.used != used || a.peak < used {
			t.Fatalf("used %d, peak %d, want %d", a.used, a.peak, used)
		}
	}
	for _, s := range out {
		a.put(s)
	}
	if a.used != 0 || len(a.free) != len(a.chunks) {
		t.Errorf("%d bytes in use and %d free spans in %d chunks after everything was put back", a.used, len(a.free), len(a.chunks))
	}
}

func TestWorkspace(t *testing.T) {
	ws := new(Workspace)
	defer ws.Close()
	x := ws.Get(2, 3, 5, 7)
	if len(x.Data) != 2*3*5*7 || x.Rows() != 30 || x.Len() != 210 {
		t.Errorf("tensor of %d values, %d rows", len(x.Data), x.Rows())
	}
	if ws.Put(ws.Keep(x)); ws.InUse() == 0 {
		t.Error("Put of one owner frees a tensor that has another")
	}
	if ws.Put(x); ws.InUse() != 0 || ws.Peak() == 0 {
		t.Errorf("in use %d, peak %d", ws.InUse(), ws.Peak())
	}
	back := ws.Operand(1, 2, 2, 3, 1)
	ws.PutOperand(back)
	for name, f := range map[string]func(){
		"second Put":        func() { ws.Put(x) },
		"Keep after Put":    func() { ws.Keep(x) },
		"second PutOperand": func() { ws.PutOperand(back) },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}

	own := &Tensor{N: 1, H: 1, W: 1, C: 1, Data: []float32{3}}
	if ws.Put(ws.Keep(own)); own.Data[0] != 3 || ws.owned(own) {
		t.Error("Put takes the caller's own tensor")
	}
	if ws.Keep(own); own.refs != 0 {
		t.Error("Keep changes the caller's own tensor")
	}

	x, o := ws.Get(1, 1, 1, 1), ws.Operand(1, 2, 2, 3, 1)
	ws.Close()
	ws.Put(x) // older than Close: ignored
	ws.PutOperand(o)
	if ws.InUse() != 0 || ws.Size() != 0 {
		t.Errorf("after Close %d of %d bytes are in use", ws.InUse(), ws.Size())
	}
}

// TestReserve checks that repeated calls reserve once.
func TestReserve(t *testing.T) {
	var a arena
	defer a.release()
	for range 3 {
		a.reserve(2*minChunk + 1)
	}
	if s := a.get(2*minChunk+1, false); len(a.chunks) != 1 {
		t.Errorf("%d chunks for %v", len(a.chunks), s)
	}
}

// TestTooLarge: reserving more than any machine has does nothing, and getting it
// panics for lack of memory, whatever the size is modulo 2^64.
func TestTooLarge(t *testing.T) {
	ws := new(Workspace)
	defer ws.Close()
	if runtime.GOOS == "linux" && strconv.IntSize == 64 {
		ws.Reserve(1, 1<<9, 1<<10, math.MaxInt>>25)
	}
	if ws.Get(1, 1, 1, 1); ws.Size() != minChunk {
		t.Errorf("%d bytes", ws.Size())
	}
	const half = 1 << (strconv.IntSize / 2)
	for name, f := range map[string]func(){
		"tensor":          func() { ws.Get(1, half, half, 1) },
		"operand":         func() { ws.Operand(1, half, half, 1, 0) },
		"bordered":        func() { ws.Operand(1, half-1, half-1, 1, 1) },
		"operand's width": func() { ws.Operand(1, 1, half, half, 0) },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
}

func TestWorkspaceReuses(t *testing.T) {
	ws := &Workspace{Precision: kernels.Fast}
	defer ws.Close()
	step := func() {
		a, o := ws.Get(1, 20, 20, 30), ws.Operand(1, 20, 20, 30, 1)
		b := ws.Get(1, 40, 40, 30)
		ws.Put(a)
		ws.PutOperand(o)
		ws.Put(b)
	}
	step()
	if n := testing.AllocsPerRun(10, step); n != 0 {
		t.Errorf("%v allocations in a step after the first", n)
	}
}

func panics(f func()) (p bool) {
	defer func() { p = recover() != nil }()
	f()
	return false
}

// TestTrim: a large request above all memory used so far releases the free
// memory below. If tidy is set, every large request does.
func TestTrim(t *testing.T) {
	if !mem.FromSystem {
		t.Skip("memory is the garbage collector's")
	}
	const at = 4 << 20
	for _, tidy := range []bool{false, true} {
		var a arena
		a.reserve(8 * trimBytes)
		s := a.get(trimBytes, tidy)
		kept := a.get(64, tidy)
		a.bytes(s)[at], a.bytes(kept)[0] = 1, 2
		a.put(s)
		if s = a.get(trimBytes, tidy); a.bytes(s)[at] == 1 == tidy {
			t.Errorf("tidy %v: reused memory was resident: %v, want %v", tidy, tidy, !tidy)
		}
		a.bytes(s)[at] = 1
		a.put(s)
		above := a.get(2*trimBytes, tidy)
		if a.bytes(s)[at] != 0 || a.bytes(kept)[0] != 2 {
			t.Errorf("tidy %v: growth does not release the free memory, and only that", tidy)
		}
		a.put(above)
		a.put(kept)
		a.release()
	}
}
