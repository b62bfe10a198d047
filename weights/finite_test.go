package weights

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// For each type: values that are not finite, and the largest finite one, in
// bits.
var extremes = []struct {
	d           DType
	bad, finite []uint64
}{
	{F16, []uint64{0x7C00, 0xFC00, 0x7C01, 0x7E00, 0xFFFF}, []uint64{0x7BFF, 0xFBFF, 0x83FF, 0x8000}},
	{BF16, []uint64{0x7F80, 0xFF80, 0x7F81, 0xFFFF}, []uint64{0x7F7F, 0xFF7F, 0x807F, 0x8000}},
	{F32, []uint64{0x7F800000, 0xFF800000, 0x7F800001, 0xFFFFFFFF}, []uint64{0x7F7FFFFF, 0xFF7FFFFF, 0x807FFFFF}},
	{F64, []uint64{0x7FF0000000000000, 0xFFF0000000000000, 0x7FF0000000000001, 1<<64 - 1}, []uint64{0x7FEFFFFFFFFFFFFF, 0xFFEFFFFFFFFFFFFF}},
}

// A culprit must be found at every place of tensors of every length, among
// neighbors that are only just finite, and none in tensors without one.
func TestFinite(t *testing.T) {
	for _, e := range extremes {
		size := e.d.Size()
		for n := range 70 {
			for _, f := range e.finite {
				data := make([]byte, n*size)
				for i := range n {
					put(data, i, size, f)
				}
				x := Tensor{DType: e.d, Shape: []int{n}, Data: data}
				if !x.Finite() {
					t.Fatalf("%v: %d times %#x is not finite", e.d, n, f)
				}
				for i := range n {
					bad := e.bad[i%len(e.bad)]
					put(data, i, size, bad)
					if got := firstNonFinite(e.d, data); got != i {
						t.Fatalf("%v: %#x at %d of %d found at %d", e.d, bad, i, n, got)
					}
					put(data, i, size, f)
				}
			}
		}
	}
	if !(Tensor{DType: I64, Shape: []int{4}, Data: bytes.Repeat([]byte{0xFF}, 32)}).Finite() {
		t.Error("integers are finite")
	}
}

func put(data []byte, i, size int, bits uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], bits)
	copy(data[i*size:], b[:size])
}

func TestCheckFinite(t *testing.T) {
	const n = 3 << 20 // more than one piece
	zeros := make([]byte, 2*n)
	nan := bytes.Clone(zeros)
	put(nan, n-5, 2, 0x7E00)
	put(nan, n-2, 2, 0x7E00)
	s := storeOf("m/unet.safetensors", map[string]Tensor{
		"good":   {Name: "good", Shape: []int{n}, Data: zeros},
		"bad":    {Name: "bad", Shape: []int{n}, Data: nan},
		"unread": {Name: "unread", Shape: []int{n}, Data: nan},
	}, nil)
	s.Scope().Tensor("good", n)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.CheckFinite(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	if err := s.CheckFinite(t.Context()); err != nil {
		t.Errorf("a tensor that nobody reads was checked: %v", err)
	}
	s.Scope().Tensor("bad", n)
	err := s.CheckFinite(t.Context())
	want := fmt.Sprintf("m/unet.safetensors: tensor bad has a NaN or an infinity (element %d of %d)", n-5, n)
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, s := range []*Store{Recorder(), Synthetic(1)} {
		s.Scope().Tensor("a.weight", 4, 4)
		if err := s.CheckFinite(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkFinite(b *testing.B) {
	x := Tensor{DType: F16, Shape: []int{32 << 20}, Data: make([]byte, 64<<20)}
	b.SetBytes(int64(len(x.Data)))
	for b.Loop() {
		if !x.Finite() {
			b.Fatal()
		}
	}
}

// line fails the test unless err is one line that contains all the words.
func line(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", words)
		return
	}
	if strings.Contains(err.Error(), "\n") || len(err.Error()) > 800 {
		t.Errorf("not one line: %q", err.Error())
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err.Error(), w)
		}
	}
}
