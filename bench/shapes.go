package bench

import "fmt"

// A Product is a linear layer (Kernel 1) or a convolution (Kernel 3).
type Product struct {
	N, Side int // pictures, and their sides in pixels
	In, Out int
	Kernel  int
	Stride  int
	Up      bool // of the picture enlarged to 2*Side
	GEGLU   bool
	Count   int // occurrences in one evaluation of the network
}

func (p Product) String() string {
	kind := "linear"
	switch {
	case p.Up:
		kind = "conv-up"
	case p.Stride == 2:
		kind = "conv-down"
	case p.Kernel == 3:
		kind = "conv"
	case p.GEGLU:
		kind = "geglu"
	}
	return fmt.Sprintf("%s=%dx%d@%d", kind, p.In, p.Out, p.Side)
}

// FLOP returns the floating-point operations of the product as it is defined:
// two for each multiply-add, those of the enlarged picture included, whatever
// an implementation saves.
func (p Product) FLOP() float64 {
	side := p.Side / p.Stride
	if p.Up {
		side *= 2
	}
	return 2 * float64(p.N*side*side) * float64(p.In*p.Out*p.Kernel*p.Kernel)
}

// UNetProducts returns the products of one evaluation of Stable unCLIP 2.1's
// UNet, batch 2, at latents of 96x96.
func UNetProducts() []Product {
	conv := func(side, in, out, count int) Product {
		return Product{N: 2, Side: side, In: in, Out: out, Kernel: 3, Stride: 1, Count: count}
	}
	ps := []Product{
		conv(96, 4, 320, 1), conv(96, 320, 320, 7), conv(96, 640, 320, 2), conv(96, 960, 320, 1), conv(96, 320, 4, 1),
		conv(48, 320, 640, 1), conv(48, 640, 640, 6), conv(48, 960, 640, 1), conv(48, 1280, 640, 1), conv(48, 1920, 640, 1),
		conv(24, 640, 1280, 1), conv(24, 1280, 1280, 6), conv(24, 1920, 1280, 1), conv(24, 2560, 1280, 2),
		conv(12, 1280, 1280, 11), conv(12, 2560, 1280, 3),
	}
	for i, c := range []int{320, 640, 1280} {
		ps = append(ps, Product{N: 2, Side: 96 >> i, In: c, Out: c, Kernel: 3, Stride: 2, Count: 1})
	}
	for i, c := range []int{640, 1280, 1280} {
		ps = append(ps, Product{N: 2, Side: 48 >> i, In: c, Out: c, Kernel: 3, Stride: 1, Up: true, Count: 1})
	}
	for i, c := range []int{320, 640, 1280, 1280} {
		blocks := 5
		if i == 3 {
			blocks = 1
		}
		linear := func(in, out, count int, geglu bool) Product {
			return Product{N: 2, Side: 96 >> i, In: in, Out: out, Kernel: 1, Stride: 1, GEGLU: geglu, Count: count * blocks}
		}
		ps = append(ps, linear(c, c, 5, false), linear(c, 3*c, 1, false), linear(c, 8*c, 1, true), linear(4*c, c, 1, false))
	}
	return ps
}

// VAEProducts returns the larger products of the VAE's decoder for a picture of
// 768x768.
func VAEProducts() []Product {
	conv := func(side, in, out, count int, up bool) Product {
		return Product{N: 1, Side: side, In: in, Out: out, Kernel: 3, Stride: 1, Up: up, Count: count}
	}
	return []Product{
		conv(96, 512, 512, 10, false), conv(96, 512, 512, 1, true), conv(192, 512, 512, 6, false), conv(192, 512, 512, 1, true),
		conv(384, 512, 256, 1, false), conv(384, 256, 256, 5, false), conv(384, 256, 256, 1, true),
		conv(768, 256, 128, 1, false), conv(768, 128, 128, 5, false), conv(768, 128, 3, 1, false),
	}
}

// An Attention is a self-attention or, if Keys is set, a cross-attention.
type Attention struct {
	N, Tokens, Keys, Heads, Dim int
	Count                       int
}

func (a Attention) String() string {
	return fmt.Sprintf("tokens=%d/keys=%d/heads=%dx%d", a.Tokens, a.Keys, a.Heads, a.Dim)
}

// FLOP returns the floating-point operations of both products.
func (a Attention) FLOP() float64 {
	return 4 * float64(a.N*a.Heads*a.Dim) * float64(a.Tokens) * float64(a.Keys)
}

// UNetAttentions returns the attentions of one evaluation of the UNet.
func UNetAttentions() []Attention {
	var as []Attention
	for i, heads := range []int{5, 10, 20, 20} {
		tokens, count := 9216>>(2*i), 5
		if i == 3 {
			count = 1
		}
		as = append(as, Attention{2, tokens, tokens, heads, 64, count}, Attention{2, tokens, 77, heads, 64, count})
	}
	return as
}
