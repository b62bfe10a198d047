package quant

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/weights"
)

// testdata/quantizers.safetensors holds what PyTorch 2.15 computes for
// case_quantizers of bench/golden/golden.py: the quantizer of the vector at 1,
// 2, 4 and 8 bits, and of two pictures at 4 to 32 pixels and 1 to 4 bits,
// antialiased or not. Its arithmetic:
//
//	def quantize_embedding(x, bits):
//	    q = 2.0 ** (1 - bits)
//	    k = torch.clamp(torch.floor(torch.clamp(x, -1, 1) / q), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
//	    return (k + 2 ** (bits - 1)).long(), k * q + q / 2
//
//	def color_map(rgb, size, bits, antialias=False):
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
func openGolden(t *testing.T) *weights.Store {
	store, err := weights.OpenFile("testdata/quantizers.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func golden(t *testing.T, g *weights.Store, name string) weights.Tensor {
	t.Helper()
	tensor, ok := g.Lookup(name)
	if !ok {
		t.Fatalf("no %s in the golden file", name)
	}
	return tensor
}

func TestGoldenVector(t *testing.T) {
	g := openGolden(t)
	x := golden(t, g, "in/embedding").Float32s()
	for _, bits := range []int{1, 2, 4, 8} {
		codes := make([]uint16, len(x))
		if err := QuantizePaperVector(codes, x, bits); err != nil {
			t.Fatal(err)
		}
		want := golden(t, g, fmt.Sprintf("out/embedding_codes_%d", bits)).Data
		for i, code := range codes {
			if uint64(code) != binary.LittleEndian.Uint64(want[8*i:]) {
				t.Errorf("%d bits: code of %v is %d, want %d", bits, x[i], code, binary.LittleEndian.Uint64(want[8*i:]))
			}
		}
		back := make([]float32, len(x))
		DequantizePaperVector(back, codes, bits)
		if want := golden(t, g, fmt.Sprintf("out/embedding_%d", bits)).Float32s(); !slices.Equal(back, want) {
			t.Errorf("%d bits: the codes stand for %v, want %v", bits, back, want)
		}
	}
}

func TestGoldenColor(t *testing.T) {
	g := openGolden(t)
	for _, n := range []int{4, 8, 16, 32} {
		for _, bits := range []int{1, 2, 3, 4} {
			for image := range 2 {
				for _, antialias := range []bool{false, true} {
					key := fmt.Sprintf("out/%d/%dx%db%d", image, n, n, bits)
					if antialias {
						key += "_antialias"
					}
					in := golden(t, g, fmt.Sprintf("in/image%d", image))
					m := NewPlanes(in.Data, in.Shape[1], in.Shape[0], n, antialias)
					checkGoldenColor(t, g, key, QuantizePaperColor(m, n, bits), n, bits)
				}
			}
		}
	}
}

func checkGoldenColor(t *testing.T, g *weights.Store, key string, c format.ColorMap, n, bits int) {
	t.Helper()
	for plane, codes := range map[string][]uint8{"y": c.Y, "u": c.U, "v": c.V} {
		if !slices.Equal(codes, golden(t, g, key+"/"+plane).Data) {
			t.Errorf("%s/%s: other codes than PyTorch's", key, plane)
		}
	}
	want := golden(t, g, key+"/rgb").Float32s() // [3, n, n]
	for i, v := range DequantizePaperColor(c, n, bits) {
		if w := want[i%3*n*n+i/3]; v != w {
			t.Errorf("%s/rgb: channel %d of pixel %d is %v, want %v", key, i%3, i/3, v, w)
			return
		}
	}
}
