package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"testing"

	"github.com/x448/float16"
)

// The files in testdata are written by bench/golden/synth.py; see
// testdata/make.py.

func TestSynthTensorEqualsPython(t *testing.T) {
	s := open(t, "testdata/law.safetensors")
	if len(s.Names()) != 11 {
		t.Fatalf("%d tensors in the fixture", len(s.Names()))
	}
	for _, name := range s.Names() {
		want, _ := s.Lookup(name)
		got := SynthTensor(name, want.Shape, 1)
		if got.DType != F16 || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestSynthTensorLarge(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int
		seed  int64
		sum   string
	}{
		{"big.weight", []int{1000, 1003}, 1, "3963d9c24e801b4317270705d09289d5e39cd5bb92fe24682dec258e6c958032"},
		{"big.weight", []int{1000, 1003}, -3, "29089f344811aaf8156e128e731a2fe44aba059627e3205fec914152f492b706"},
		{"big.bias", []int{1 << 20}, 12345, "2749dbd7934fac2860688baabbfdf937c9e33b05651b8d177f958e5675e0a89c"},
	} {
		sum := sha256.Sum256(SynthTensor(c.name, c.shape, c.seed).Data)
		if hex.EncodeToString(sum[:]) != c.sum {
			t.Errorf("%s %v seed %d differs", c.name, c.shape, c.seed)
		}
	}
}

// Box-Muller uses log and cos, which differ from numpy's by at most an ulp of
// float64. In float32 that shows in few values, if any.
func TestSynthNoise(t *testing.T) {
	s := open(t, "testdata/noise.safetensors")
	for _, name := range []string{"x", "sample/square"} {
		for seed, key := range map[int64]string{1: "/1", -7: "/-7"} {
			want, ok := s.Lookup(name + key)
			if !ok {
				t.Fatal("no " + name + key)
			}
			got := SynthNoise(name, want.Shape, seed)
			for i, w := range want.Float32s() {
				if d := math.Abs(float64(got[i] - w)); !(d <= 1.2e-7*math.Abs(float64(w))) {
					t.Errorf("%s%s[%d] = %v, want %v", name, key, i, got[i], w)
				}
			}
		}
	}
}

// Every float16 must round to itself, the middle between two neighbors to the
// even one, and everything else to the nearer one. The float64s next to the
// middle are where rounding twice fails.
func TestHalfFromFloat64(t *testing.T) {
	value := func(h uint16) float64 {
		if h == 0x7C00 {
			return 65536 // the place of infinity on the grid of the largest values
		}
		return float64(float16.Frombits(h).Float32())
	}
	check := func(x float64, want uint16) {
		t.Helper()
		if got := halfFromFloat64(x); got != want {
			t.Fatalf("%x: got %#04x, want %#04x", x, got, want)
		}
		if got := halfFromFloat64(-x); got != want|0x8000 {
			t.Fatalf("%x: got %#04x, want %#04x", -x, got, want|0x8000)
		}
	}
	for h := uint16(0); h < 0x7C00; h++ {
		lo, hi := value(h), value(h+1)
		middle := (lo + hi) / 2
		check(lo, h)
		check(math.Nextafter(lo, hi), h)
		check(math.Nextafter(middle, lo), h)
		check(middle, h+h&1)
		check(math.Nextafter(middle, hi), h+1)
		check(math.Nextafter(hi, lo), h+1)
	}
	check(math.MaxFloat64, 0x7C00)
	check(math.Inf(1), 0x7C00)
	check(math.SmallestNonzeroFloat64, 0)
	check(1+0x1p-11+0x1p-30, 0x3C01) // 1 by way of float32
	if h := halfFromFloat64(math.NaN()); h&0x7C00 != 0x7C00 || h&0x3FF == 0 {
		t.Errorf("NaN became %#04x", h)
	}
}

func TestWriteSyntheticEqualsPython(t *testing.T) {
	want, err := os.ReadFile("testdata/law.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, "testdata/law.safetensors")
	var specs []Spec
	for _, name := range s.Names() {
		tensor, _ := s.Lookup(name)
		specs = append(specs, Spec{Name: name, Shape: tensor.Shape})
	}
	var got bytes.Buffer
	if err := WriteSynthetic(&got, specs, 1); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("the file differs from the one that Python wrote")
	}
}

func BenchmarkSynthTensor(b *testing.B) {
	const n = 1 << 23
	b.SetBytes(2 * n)
	for b.Loop() {
		SynthTensor("conv.weight", []int{n / 9, 9}, 1)
	}
}

// open opens a file in this package's testdata.
func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
