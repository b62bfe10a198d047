package bench

import (
	"math"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/kernels/mem"
)

// shortest returns the shortest of at least three runs of f, in about d.
func shortest(d time.Duration, f func()) time.Duration {
	f()
	best := time.Duration(math.MaxInt64)
	for end, n := time.Now().Add(d), 0; n < 3 || time.Now().Before(end); n++ {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	return best
}

// report reports the rate of f, and its percentage of the machine's peak.
func report(b *testing.B, flop float64, count int, f func()) {
	var d time.Duration
	var peak float64
	for b.Loop() {
		peak = kernels.Peak(kernels.Fast, 20*time.Millisecond) * float64(runtime.GOMAXPROCS(0))
		d = shortest(200*time.Millisecond, f)
	}
	rate := flop / float64(d.Nanoseconds())
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rate, "GFLOP/s")
	if peak > 0 { // 0 if the implementation has no loop on registers alone
		b.ReportMetric(100*rate/peak, "%peak")
	}
	b.ReportMetric(d.Seconds()*1e3*float64(count), "ms/eval")
}

func operand(n, h, w, c, pad int) *kernels.Operand {
	o := new(kernels.Operand)
	o.Init(mem.Alloc(kernels.OperandBytes(kernels.Fast, n, h, w, c, pad)), kernels.Fast, n, h, w, c, pad)
	x := make([]float32, n*h*w*c)
	for i := range x {
		x[i] = float32(i%23)*0.1 - 1.1
	}
	o.Fill(x)
	return o
}

// floats returns memory such as a [nn.Workspace] has.
func floats(n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(mem.Alloc(4*n)))), n)
}

func halves(n int) kernels.Array {
	data := make([]byte, 2*n)
	for i := range n {
		data[2*i], data[2*i+1] = byte(i*7), 0x28+byte(i&0x81)
	}
	return kernels.Array{DType: kernels.F16, Data: data}
}

func benchmarkProduct(b *testing.B, p Product) {
	shape := kernels.Shape{Out: p.Out, In: p.In, KH: p.Kernel, KW: p.Kernel, GEGLU: p.GEGLU}
	weights := halves(p.Out * p.In * p.Kernel * p.Kernel)
	a := operand(p.N, p.Side, p.Side, p.In, p.Kernel/2)
	side, out := p.Side/p.Stride, p.Out
	if p.Up {
		side *= 2
	}
	if p.GEGLU {
		out /= 2
	}
	bias := kernels.Epilogue{Bias: make([]float32, p.Out)}
	dst := floats(p.N * side * side * out)
	switch {
	case p.Up:
		w := kernels.PackUp(kernels.Fast, shape, weights)
		report(b, p.FLOP(), p.Count, func() { kernels.ConvUp2D(dst, a, w, bias) })
	case p.Kernel == 3:
		w := kernels.Pack(kernels.Fast, shape, weights)
		report(b, p.FLOP(), p.Count, func() { kernels.Conv2D(dst, a, w, p.Stride, 0, bias) })
	case p.GEGLU || p.Out == 3*p.In: // the result is an operand of another product
		w := kernels.Pack(kernels.Fast, shape, weights)
		to := operand(p.N, p.Side, p.Side, out, 0)
		report(b, p.FLOP(), p.Count, func() { kernels.MatMulOperand(to, a, w, bias) })
	default:
		w := kernels.Pack(kernels.Fast, shape, weights)
		bias.Residual = dst
		report(b, p.FLOP(), p.Count, func() { kernels.MatMul(dst, a, w, bias) })
	}
}

func BenchmarkUNetProduct(b *testing.B) {
	for _, p := range UNetProducts() {
		b.Run(p.String()+"/impl="+kernels.Active(), func(b *testing.B) { benchmarkProduct(b, p) })
	}
}

func BenchmarkVAEProduct(b *testing.B) {
	for _, p := range VAEProducts() {
		b.Run(p.String()+"/impl="+kernels.Active(), func(b *testing.B) { benchmarkProduct(b, p) })
	}
}

func BenchmarkAttention(b *testing.B) {
	for _, a := range UNetAttentions() {
		b.Run(a.String()+"/impl="+kernels.Active(), func(b *testing.B) {
			width := a.Heads * a.Dim
			q, kv := operand(a.N, 1, a.Tokens, width, 0), operand(a.N, 1, a.Keys, 2*width, 0)
			dst := operand(a.N, 1, a.Tokens, width, 0)
			report(b, a.FLOP(), a.Count, func() {
				kernels.Attention(dst, kernels.View{Op: q}, kernels.View{Op: kv}, kernels.View{Op: kv, Col: width}, a.Heads, a.Dim, 0.125, false)
			})
		})
	}
}
