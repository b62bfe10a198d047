package stream

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
)

// testdata/quantisers.safetensors holds what PyTorch 2.15 computes for case_quantisers of golden.py: the quantiser of the
// vector at 1, 2, 4 and 8 bits, and of two pictures at 4 to 32 pixels and 1 to 4 bits, antialiased or not. Its arithmetic:
//
//	def quantise_embedding(x, bits):
//	    q = 2.0 ** (1 - bits)
//	    k = torch.clamp(torch.floor(torch.clamp(x, -1, 1) / q), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
//	    return (k + 2 ** (bits - 1)).long(), k * q + q / 2
//
//	def colour_map(rgb, size, bits, antialias=False):
//	    m = F.interpolate(rgb[None], (size, size), mode="bilinear", align_corners=False, antialias=antialias)[0]
//	    r, g, b = m
//	    y = 0.299 * r + 0.587 * g + 0.114 * b
//	    u = (b - y) / 1.772 + 0.5
//	    v = (r - y) / 1.402 + 0.5
//	    u, v = (F.avg_pool2d(c[None, None], 2)[0, 0] for c in (u, v))
//	    code = lambda c: torch.clamp(torch.floor(c * 2**bits), 0, 2**bits - 1)
//	    ky, ku, kv = code(y), code(u), code(v)
//	    y, u, v = ((k + 0.5) / 2**bits for k in (ky, ku, kv))
//	    u, v = (F.interpolate(c[None, None], scale_factor=2, mode="nearest")[0, 0] for c in (u, v))
//	    r = y + 1.402 * (v - 0.5)
//	    b = y + 1.772 * (u - 0.5)
//	    g = (y - 0.299 * r - 0.114 * b) / 0.587
//	    return (ky.long(), ku.long(), kv.long()), torch.stack([r, g, b]).clamp(0, 1)
type golden struct {
	t       *testing.T
	data    []byte
	tensors map[string]struct {
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
}

func openGolden(t *testing.T) *golden {
	file, err := os.ReadFile("testdata/quantisers.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	n := 8 + binary.LittleEndian.Uint64(file)
	g := &golden{t: t, data: file[n:]}
	if err := json.Unmarshal(file[8:n], &g.tensors); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *golden) bytes(name string) []byte {
	e, ok := g.tensors[name]
	if !ok {
		g.t.Fatalf("no %s in the golden file", name)
	}
	return g.data[e.Offsets[0]:e.Offsets[1]]
}

func (g *golden) float32s(name string) []float32 {
	b := g.bytes(name)
	x := make([]float32, len(b)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return x
}

func TestGoldenEmbedding(t *testing.T) {
	g := openGolden(t)
	x := g.float32s("in/embedding")
	for _, bits := range []int{1, 2, 4, 8} {
		codes := make([]uint16, len(x))
		if err := QuantiseEmbedding(codes, x, bits); err != nil {
			t.Fatal(err)
		}
		want := g.bytes(fmt.Sprintf("out/embedding_codes_%d", bits))
		for i, code := range codes {
			if uint64(code) != binary.LittleEndian.Uint64(want[8*i:]) {
				t.Errorf("%d bits: code of %v is %d, want %d", bits, x[i], code, binary.LittleEndian.Uint64(want[8*i:]))
			}
		}
		back := make([]float32, len(x))
		DequantiseEmbedding(back, codes, bits)
		if want := g.float32s(fmt.Sprintf("out/embedding_%d", bits)); !slices.Equal(back, want) {
			t.Errorf("%d bits: the codes stand for %v, want %v", bits, back, want)
		}
	}
}

func TestGoldenColour(t *testing.T) {
	g := openGolden(t)
	for _, n := range []int{4, 8, 16, 32} {
		for _, bits := range []int{1, 2, 3, 4} {
			for image := range 2 {
				for _, antialias := range []bool{false, true} {
					key := fmt.Sprintf("out/%d/%dx%db%d", image, n, n, bits)
					if antialias {
						key += "_antialias"
					}
					in := fmt.Sprintf("in/image%d", image)
					shape := g.tensors[in].Shape
					checkGoldenColour(t, g, key, QuantiseColour(g.bytes(in), shape[1], shape[0], n, bits, antialias), n, bits)
				}
			}
		}
	}
}

func checkGoldenColour(t *testing.T, g *golden, key string, c Colour, n, bits int) {
	t.Helper()
	for plane, codes := range map[string][]uint8{"y": c.Y, "u": c.U, "v": c.V} {
		if !slices.Equal(codes, g.bytes(key+"/"+plane)) {
			t.Errorf("%s/%s: other codes than PyTorch's", key, plane)
		}
	}
	want := g.float32s(key + "/rgb") // [3, n, n]
	for i, v := range DequantiseColour(c, n, bits) {
		if w := want[i%3*n*n+i/3]; v != w {
			t.Errorf("%s/rgb: channel %d of pixel %d is %v, want %v", key, i%3, i/3, v, w)
			return
		}
	}
}
