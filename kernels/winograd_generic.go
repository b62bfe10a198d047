package kernels

import "unsafe"

// winogradGeneric is the oracle of the machines' transforms. Like vecGeneric
// it rounds products before it adds them.
var winogradGeneric = &winogradLoops{
	input:   winogradInputGeneric,
	weights: winogradWeightsGeneric,
	output:  winogradOutputGeneric,
}

// winogradUpGeneric is the oracle of the transforms of enlarging convolutions.
var winogradUpGeneric = &winogradLoops{
	input:   winogradUpInputGeneric,
	weights: winogradUpWeightsGeneric,
	output:  winogradUpOutputGeneric,
}

// line returns the 16 elements of a line.
func line(p unsafe.Pointer, offset int) *[16]float32 {
	return (*[16]float32)(unsafe.Add(p, offset))
}

func winogradInputGeneric(dst unsafe.Pointer, plane int, src *[winogradArea]unsafe.Pointer, _ unsafe.Pointer, lines int) {
	for l := range lines {
		for c := range 16 {
			var d [6][6]float32
			for i, p := range src {
				d[i%6][i/6] = line(p, l*stepBytes)[c]
			}
			for x := range d {
				d[x] = winogradPixels(d[x])
			}
			for i := range 6 {
				v := winogradPixels([6]float32{d[0][i], d[1][i], d[2][i], d[3][i], d[4][i], d[5][i]})
				for j, x := range v {
					line(dst, (6*i+j)*plane+l*stepBytes)[c] = x
				}
			}
		}
	}
}

// winogradPixels multiplies by Bᵀ.
func winogradPixels(d [6]float32) [6]float32 {
	e1, o1 := d[4]-float32(2*d[2]), d[3]-float32(2*d[1])
	e2, o2 := d[4]-float32(0.5*d[2]), d[3]-float32(0.5*d[1])
	return [6]float32{
		d[0] + d[4] - float32(2.5*d[2]),
		e1 + float32(winogradA*o1), e1 - float32(winogradA*o1),
		e2 + float32(winogradB*o2), e2 - float32(winogradB*o2),
		d[5] + d[1] - float32(2.5*d[3]),
	}
}

func winogradWeightsGeneric(dst unsafe.Pointer, plane int, src, _ unsafe.Pointer, lines int) {
	for l := range lines {
		for c := range 16 {
			var g [3][6]float32 // [x][i]
			for x := range 3 {
				at := func(y int) float32 { return line(src, ((3*y+x)*lines+l)*stepBytes)[c] }
				g[x] = winogradTaps(at(0), at(1), at(2))
			}
			for i := range 6 {
				for j, u := range winogradTaps(g[0][i], g[1][i], g[2][i]) {
					line(dst, (6*i+j)*plane+l*stepBytes)[c] = u
				}
			}
		}
	}
}

// winogradTaps multiplies by G.
func winogradTaps(g0, g1, g2 float32) [6]float32 {
	const third, sixth = 1.0 / 3, 1.0 / 6
	e1, e2 := float32(-third*(g0+g0+g2)), float32(sixth*g0)+float32(third*g2)
	o1, o2 := float32(-2*third*winogradA*g1), float32(sixth*winogradB*g1)
	return [6]float32{g0, e1 + o1, e1 - o1, e2 + o2, e2 - o2, g2}
}

func winogradOutputGeneric(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, _ unsafe.Pointer, tiles, lines int) {
	for t := range tiles {
		for l := range lines {
			for c := range 16 {
				var m [6][4]float32 // [x][y]
				for x := range 6 {
					var col [6]float32
					for i := range col {
						col[i] = line(src, (6*i+x)*plane+(t*lines+l)*stepBytes)[c]
					}
					m[x] = winogradSums(col)
				}
				for y := range 4 {
					o := winogradSums([6]float32{m[0][y], m[1][y], m[2][y], m[3][y], m[4][y], m[5][y]})
					for x, v := range o {
						line(dst, y*pitch+((4*t+x)*lines+l)*stepBytes)[c] = v
					}
				}
			}
		}
	}
}

// winogradSums multiplies by Aᵀ.
func winogradSums(m [6]float32) [4]float32 {
	s1, d1, s2, d2 := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	return [4]float32{
		m[0] + s1 + s2,
		float32(winogradA*d1) + float32(winogradB*d2),
		float32(0.5*s1) + float32(2*s2),
		m[5] + float32(0.5*winogradA*d1) + float32(2*winogradB*d2),
	}
}

func winogradUpInputGeneric(dst unsafe.Pointer, plane int, src *[winogradArea]unsafe.Pointer, _ unsafe.Pointer, lines int) {
	for l := range lines {
		for c := range 16 {
			var d [4][4]float32 // [x][i]
			for x := range d {
				at := func(y int) float32 { return line(src[4*y+x], l*stepBytes)[c] }
				d[x] = winogradUpPixels(at(0), at(1), at(2), at(3))
			}
			for i := range 4 {
				for j, v := range winogradUpPixels(d[0][i], d[1][i], d[2][i], d[3][i]) {
					line(dst, (4*i+j)*plane+l*stepBytes)[c] = v
				}
			}
		}
	}
}

// winogradUpPixels multiplies by Bᵀ.
func winogradUpPixels(d0, d1, d2, d3 float32) [4]float32 {
	return [4]float32{d0 - d2, d1 + d2, d2 - d1, d3 - d1}
}

func winogradUpWeightsGeneric(dst unsafe.Pointer, plane int, src, _ unsafe.Pointer, lines int) {
	for l := range lines {
		for c := range 16 {
			var w [4][7]float32 // [x][i]
			for x := range w {
				at := func(y int) float32 { return line(src, ((4*y+x)*lines+l)*stepBytes)[c] }
				w[x] = winogradUpTaps(at(0), at(1), at(2), at(3))
			}
			for i := range 7 {
				for j, u := range winogradUpTaps(w[0][i], w[1][i], w[2][i], w[3][i]) {
					line(dst, (7*i+j)*plane+l*stepBytes)[c] = u
				}
			}
		}
	}
}

// winogradUpTaps multiplies by G, whose operand are the taps of even and of odd
// outputs.
func winogradUpTaps(e0, e1, o0, o1 float32) [7]float32 {
	return [7]float32{e0, 0.5 * (e0 - e1), e1, 0.5 * (e0 + e1), o0, 0.5 * (o0 - o1), o1}
}

func winogradUpOutputGeneric(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, _ unsafe.Pointer, tiles, lines int) {
	for t := range tiles {
		for l := range lines {
			for c := range 16 {
				var m [7][6]float32 // [x][y]
				for x := range m {
					var col [7]float32
					for i := range col {
						col[i] = line(src, (7*i+x)*plane+(t*lines+l)*stepBytes)[c]
					}
					m[x] = winogradUpSums(col)
				}
				for y := range 6 {
					o := winogradUpSums([7]float32{m[0][y], m[1][y], m[2][y], m[3][y], m[4][y], m[5][y], m[6][y]})
					for x, v := range o {
						line(dst, y*pitch+((6*t+x)*lines+l)*stepBytes)[c] = v
					}
				}
			}
		}
	}
}

// winogradUpSums multiplies by Aᵀ.
func winogradUpSums(m [7]float32) [6]float32 {
	even, odd := m[3]+m[1], m[3]+m[5]
	return [6]float32{m[4] + odd, m[0] + even, m[3] - m[5], m[3] - m[1], odd + m[6], even + m[2]}
}
