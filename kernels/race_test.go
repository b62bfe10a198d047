//go:build race

package kernels

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// races are kernels, each with what another goroutine does at the same time
// without synchronization. The other one is not a kernel: kernels lock their
// free lists, which orders two that do not overlap.
var races = []struct {
	name  string
	racy  bool
	start func() (kernel, other func())
}{
	{"none", false, func() (kernel, other func()) {
		a, w, dst := raceProduct()
		second := make([]float32, len(dst))
		return func() { MatMul(dst, a, w, Epilogue{}) }, func() { MatMul(second, a, w, Epilogue{}) }
	}},
	{"MatMul and a write to its operand", true, func() (kernel, other func()) {
		a, w, dst := raceProduct()
		return func() { MatMul(dst, a, w, Epilogue{}) }, func() { a.buf[5*a.pitch+17] = 0 }
	}},
	{"MatMul and a read of its result", true, func() (kernel, other func()) {
		a, w, dst := raceProduct()
		var x float32
		return func() { MatMul(dst, a, w, Epilogue{}) }, func() { x += dst[77] }
	}},
	{"MatMul and a write to its weights", true, func() (kernel, other func()) {
		a, w, dst := raceProduct()
		return func() { MatMul(dst, a, w, Epilogue{}) }, func() { w.data[70] = 0 }
	}},
	{"MatMul and a write to its bias", true, func() (kernel, other func()) {
		a, w, dst := raceProduct()
		bias := make([]float32, w.Out())
		return func() { MatMul(dst, a, w, Epilogue{Bias: bias}) }, func() { bias[3] = 1 }
	}},
	{"MatMul and a write to its residual", true, func() (kernel, other func()) {
		a, w, dst := raceProduct()
		res := make([]float32, len(dst))
		return func() { MatMul(dst, a, w, Epilogue{Residual: res}) }, func() { res[99] = 1 }
	}},
	{"Fill and a write to its source", true, func() (kernel, other func()) {
		a, _, _ := raceProduct()
		x := make([]float32, a.rows()*a.C)
		return func() { a.Fill(x) }, func() { x[40] = 1 }
	}},
	{"LayerNorm and a write to its input", true, func() (kernel, other func()) {
		a, _, _ := raceProduct()
		x, w := make([]float32, a.rows()*a.C), make([]float32, a.C)
		return func() { LayerNorm(a, x, w, w, 1) }, func() { x[40] = 1 }
	}},
	{"GroupNorm and a read of its operand", true, func() (kernel, other func()) {
		a, _, _ := raceProduct()
		x, w := make([]float32, a.rows()*a.C), make([]float32, a.C)
		out := make([]float32, len(x))
		return func() { GroupNorm(a, x, w, w, 4, 1, true) }, func() { a.Float32s(out) }
	}},
	{"Activate and a read of its argument", true, func() (kernel, other func()) {
		x := make([]float32, 100)
		var y float32
		return func() { Activate(x, GELU) }, func() { y += x[50] }
	}},
	{"Attention and a write to its queries", true, func() (kernel, other func()) {
		a, _, _ := raceProduct()
		k, _, _ := raceProduct()
		dst, _, _ := raceProduct()
		return func() { Attention(dst, View{a, 0}, View{k, 0}, View{k, 0}, 2, 32, 1, false) }, func() { a.buf[3*a.pitch+8] = 0 }
	}},
	{"Attention and a write to its keys", true, func() (kernel, other func()) {
		a, _, _ := raceProduct()
		k, _, _ := raceProduct()
		dst, _, _ := raceProduct()
		return func() { Attention(dst, View{a, 0}, View{k, 0}, View{k, 0}, 2, 32, 1, false) }, func() { k.buf[3*k.pitch+8] = 0 }
	}},
	{"Pack and a write to its array", true, func() (kernel, other func()) {
		b := make([]byte, 64*64*2)
		return func() { Pack(Exact, Shape{Out: 64, In: 64, KH: 1, KW: 1}, Array{F16, b}) }, func() { b[1000] = 0 }
	}},
}

func raceProduct() (a *Operand, w *Packed, dst []float32) {
	const rows, width = 40, 64
	r := rand.New(rand.NewPCG(41, 42))
	a = newOperand(Exact, 1, 1, rows, width, 0)
	a.Fill(randoms(r, rows*width))
	arr, _ := array(randoms(r, width*width), F32)
	return a, Pack(Exact, Shape{Out: width, In: width, KH: 1, KW: 1}, arr), make([]float32, rows*width)
}

// TestRaces runs each pair in a process of its own, with every implementation,
// and checks what the race detector says about it.
func TestRaces(t *testing.T) {
	if name := os.Getenv("COCLICO_TEST_RACE"); name != "" {
		for _, c := range races {
			if c.name == name {
				kernel, other := c.start()
				var wg sync.WaitGroup
				wg.Go(kernel)
				wg.Go(other)
				wg.Wait()
			}
		}
		os.Exit(0) // 66 after a race
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, im := range machines() {
		for _, c := range races {
			t.Run(im.name+"/"+c.name, func(t *testing.T) {
				// The detector keeps a few accesses to a word and forgets others:
				// of the races with generic's weights it misses one in twelve.
				var found bool
				var out []byte
				for n := 0; n < 5 && !found && (c.racy || n == 0); n++ {
					cmd := exec.Command(exe, "-test.run=^TestRaces$")
					cmd.Env = append(os.Environ(), "COCLICO_TEST_RACE="+c.name, EnvVar+"="+im.name, "COCLICO_REQUIRE=", "GORACE=atexit_sleep_ms=0")
					var err error
					out, err = cmd.CombinedOutput()
					var exit *exec.ExitError
					found = errors.As(err, &exit) && exit.ExitCode() == 66 && strings.Contains(string(out), "DATA RACE")
					if err != nil && !found {
						t.Fatalf("%v\n%s", err, out)
					}
				}
				if found != c.racy {
					t.Errorf("race found: %v, want %v\n%s", found, c.racy, out)
				}
			})
		}
	}
}
