package kernels

import "unsafe"

// gemmGeneric multiplies float32 in plain Go: the oracle of the float32 gemms.
var gemmGeneric = &gemm{form: formF32, mr: 4, nr: 16, single: true, loops: []func(*strip){func(s *strip) { runF32(s, 4, 16) }}}

var genericImpl = &impl{
	name:      "generic",
	available: func() bool { return true },
	fast:      gemmGeneric,
	exact:     gemmGeneric,
	vec:       vecGeneric,
}

// runF32 computes what every float32 gemm computes. Each element of C is one
// sum in the order of the steps, products rounded before they are added.
func runF32(s *strip, mr, nr int) {
	steps := unsafe.Slice(s.steps, s.n)
	for m := range s.tiles * mr {
		c := unsafe.Slice((*float32)(unsafe.Add(s.c, uintptr(m)*s.ldc)), nr)
		clear(c)
		for _, st := range steps {
			a := (*[16]float32)(unsafe.Add(s.a, m*int(s.lda)+st.a))
			b := unsafe.Slice((*float32)(unsafe.Add(s.b, st.b)), 16*nr)
			for j := 0; j < nr; j += 4 {
				c0, c1, c2, c3 := c[j], c[j+1], c[j+2], c[j+3]
				for k, x := range a {
					r := b[k*nr+j : k*nr+j+4 : k*nr+j+4]
					c0 += float32(x * r[0])
					c1 += float32(x * r[1])
					c2 += float32(x * r[2])
					c3 += float32(x * r[3])
				}
				c[j], c[j+1], c[j+2], c[j+3] = c0, c1, c2, c3
			}
		}
	}
}

// runBF16 computes what every bfloat16 gemm with paired B computes.
func runBF16(s *strip, mr, nr int) {
	steps := unsafe.Slice(s.steps, s.n)
	for m := range s.tiles * mr {
		c := unsafe.Slice((*float32)(unsafe.Add(s.c, uintptr(m)*s.ldc)), nr)
		clear(c)
		for _, st := range steps {
			a := (*[32]uint16)(unsafe.Add(s.a, m*int(s.lda)+st.a))
			b := unsafe.Slice((*uint16)(unsafe.Add(s.b, st.b)), 32*nr)
			ix := gemm{nr: nr, vnni: true}
			for j := range c {
				for k, x := range a {
					c[j] += float32(bf16ToFloat(x) * bf16ToFloat(b[ix.index(k, j)]))
				}
			}
		}
	}
}
