package kernels

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/coclico/coclico/kernels/mem"
)

// processTime returns the processor time of the process. Unlike the time on
// the clock it leaves out what other processes take.
func processTime(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkConvForms runs 3x3 convolutions of the networks directly and by
// F(4x4,3x3), in turn, and reports the rates in GFLOP/s for a processor second,
// both counted as direct, and the median ratio of the times.
//
//	go test ./kernels -run - -bench ConvForms -benchtime 5x -cpu 1
func BenchmarkConvForms(b *testing.B) {
	type shape struct{ n, side, in, out int }
	for _, s := range []shape{
		{2, 96, 320, 320}, {2, 96, 640, 320}, {2, 96, 960, 320}, {2, 96, 320, 4}, {2, 96, 4, 320},
		{2, 48, 320, 640}, {2, 48, 640, 640}, {2, 48, 1920, 640}, {2, 24, 1280, 1280}, {2, 24, 2560, 1280},
		{2, 12, 1280, 1280}, {2, 12, 2560, 1280}, {1, 12, 1280, 1280}, {1, 6, 1280, 1280},
		{1, 96, 512, 512}, {1, 192, 512, 512}, {1, 384, 256, 256}, {1, 256, 256, 128}, {1, 256, 128, 128}, {1, 256, 128, 3},
		{1, 96, 64, 64}, {1, 96, 32, 32}, {1, 96, 16, 64}, {1, 96, 64, 16}, {1, 96, 16, 16}, {1, 16, 128, 128}, {1, 8, 128, 128}, {1, 4, 128, 128},
		{1, 16, 64, 64}, {1, 8, 64, 64}, {1, 4, 64, 64}, {1, 16, 32, 32}, {1, 8, 32, 32}, {1, 5, 128, 128}, {1, 9, 128, 128}, {1, 13, 128, 128}, {1, 6, 128, 128},
	} {
		b.Run(fmt.Sprintf("conv=%dx%d@%dx%d", s.in, s.out, s.n, s.side), func(b *testing.B) {
			o, data := benchmarkOperands(s.n, s.side, s.in, s.out)
			w := Pack(Exact, Shape{Out: s.out, In: s.in, KH: 3, KW: 3}, Array{F16, data})
			dst := make([]float32, s.n*s.side*s.side*s.out)
			flop := 2 * float64(len(dst)) * float64(9*s.in)
			benchmarkForms(b, flop, func() { Conv2D(dst, o, w, 1, 0, Epilogue{}) })
		})
	}
}

// BenchmarkUpForms does with enlarging convolutions what BenchmarkConvForms
// does. Rates are counted as those of the folded form, 4 products per output.
//
//	go test ./kernels -run - -bench UpForms -benchtime 3x -cpu 1
func BenchmarkUpForms(b *testing.B) {
	type shape struct{ n, side, in, out int }
	for _, s := range []shape{
		{1, 96, 512, 512}, {1, 192, 512, 512}, {1, 384, 256, 256}, {2, 48, 640, 640}, {2, 24, 1280, 1280}, {2, 16, 1280, 1280}, {2, 12, 1280, 1280},
		{1, 64, 64, 64}, {1, 64, 32, 32}, {1, 64, 16, 16}, {1, 64, 64, 16}, {1, 64, 16, 64}, {1, 32, 64, 64}, {1, 32, 32, 32},
		{1, 24, 128, 128}, {1, 20, 128, 128}, {1, 18, 128, 128}, {1, 16, 128, 128}, {1, 14, 128, 128}, {1, 12, 128, 128}, {1, 8, 128, 128}, {1, 4, 128, 128},
		{1, 16, 64, 64}, {1, 16, 32, 32}, {1, 12, 32, 32}, {1, 8, 32, 32}, {1, 4, 64, 64},
	} {
		b.Run(fmt.Sprintf("conv=%dx%d@%dx%d", s.in, s.out, s.n, s.side), func(b *testing.B) {
			o, data := benchmarkOperands(s.n, s.side, s.in, s.out)
			w := PackUp(Exact, Shape{Out: s.out, In: s.in, KH: 3, KW: 3}, Array{F16, data})
			dst := make([]float32, s.n*2*s.side*2*s.side*s.out)
			flop := 2 * float64(len(dst)) * float64(4*s.in)
			benchmarkForms(b, flop, func() { ConvUp2D(dst, o, w, Epilogue{}) })
		})
	}
}

// benchmarkOperands returns pictures and the weights of a convolution.
func benchmarkOperands(n, side, in, out int) (*Operand, []byte) {
	o := new(Operand)
	o.Init(mem.Alloc(OperandBytes(Exact, n, side, side, in, 1)), Exact, n, side, side, in, 1)
	x := make([]float32, n*side*side*in)
	for i := range x {
		x[i] = float32(i%23)*0.1 - 1.1
	}
	o.Fill(x)
	data := make([]byte, 2*out*in*9)
	for i := range data {
		data[i] = byte(i*7)&0x81 | 0x28
	}
	return o, data
}

// benchmarkForms runs a convolution in both forms, in turn.
func benchmarkForms(b *testing.B, flop float64, convolve func()) {
	run := func(form, rounds int) float64 {
		force(b, form)
		start := processTime(b)
		for range rounds {
			convolve()
		}
		return float64(processTime(b)-start) / float64(rounds)
	}
	rounds := 1 + int(2e9/flop)
	run(-1, 1)
	run(1, 1)
	var direct, winograd, ratio []float64
	for b.Loop() {
		d, w := run(-1, rounds), run(1, rounds)
		direct, winograd, ratio = append(direct, d), append(winograd, w), append(ratio, w/d)
	}
	slices.Sort(ratio)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(flop/slices.Min(direct), "direct-GFLOP/s")
	b.ReportMetric(flop/slices.Min(winograd), "winograd-GFLOP/s")
	b.ReportMetric(ratio[len(ratio)/2], "ratio")
}
