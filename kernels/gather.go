package kernels

import "unsafe"

// maxNR bounds the columns of every implementation's tile, and maxPerStep the
// elements in one step of a row of A.
const (
	maxNR      = 32
	maxPerStep = stepBytes
)

// A gatherer copies elements into a panel's order.
//
// With rows of K it is [k][j]. With groups of K it is tiles of 16 columns, in a
// tile rows of 16 columns, in a column one group, such as a pair:
// [j/16][k/group][j%16][k%group].
type gatherer struct {
	v  *vec
	g  *gemm
	es int // bytes of an element
}

// index returns the place of element (k,j) in a step of perStep*nr elements.
func (g *gemm) index(k, j int) int {
	if g.group == 0 {
		return k*g.nr + j
	}
	return j/16*512 + k/g.group*16*g.group + j%16*g.group + k%g.group
}

// gather copies k elements of n columns, at most 16, to consecutive steps at
// dst, starting at column j, all of them in one tile of 16. Element i of column
// c is at src + c*strideN + i*strideK.
func (g *gatherer) gather(dst []byte, j int, src unsafe.Pointer, strideN, strideK, n, k int) {
	per := g.g.form.perStep()
	stepB := per * g.g.nr * g.es
	done := 0 // K elements
	if n == 16 && k >= per {
		at := unsafe.Pointer(&dst[g.g.index(0, j)*g.es])
		done = g.steps(at, stepB, src, strideN, strideK, k/per) * per
	}
	if strideN == g.es && g.g.group == 0 { // rows as they are
		for i := done; i < k; i++ {
			s := unsafe.Slice((*byte)(unsafe.Add(src, i*strideK)), n*g.es)
			copy(dst[i/per*stepB+g.g.index(i%per, j)*g.es:], s)
		}
		return
	}
	gap := max(1, g.g.group) * g.es // between columns
	for i := done; i < k; i++ {
		d := unsafe.Pointer(&dst[i/per*stepB+g.g.index(i%per, j)*g.es])
		s := unsafe.Add(src, i*strideK)
		for c := range n {
			to, from := unsafe.Add(d, c*gap), unsafe.Add(s, c*strideN)
			switch g.es {
			case 1:
				*(*uint8)(to) = *(*uint8)(from)
			case 2:
				*(*uint16)(to) = *(*uint16)(from)
			default:
				*(*uint32)(to) = *(*uint32)(from)
			}
		}
	}
}

// transposes reports whether the machine transposes m elements of 16 columns to
// rows of K.
func (g *gatherer) transposes(m int) bool {
	switch {
	case g.g.group != 0 || g.g.form.perStep() != 16 || m != 16:
		return false
	case g.es == 2:
		return g.v.transposeWords != nil
	}
	return g.es == 4 && g.v.transpose != nil
}

// steps copies whole steps of 16 columns with the loops of the machine, if it
// has any that fit, and returns the number of steps that it copied.
func (g *gatherer) steps(dst unsafe.Pointer, stepB int, src unsafe.Pointer, strideN, strideK, steps int) int {
	per := g.g.form.perStep()
	rows, pairs := g.g.group == 0, g.g.group == 2
	lines := per*g.es == stepBytes && (pairs || g.es == 4 && rows)
	switch {
	case g.v.transposeWords != nil && strideK == g.es && g.es == 2 && per == 16 && rows:
		if raceEnabled {
			raceRead(src, strideN, 16, steps*32)
		}
		g.v.transposeWords(dst, g.g.nr*g.es, stepB, src, strideN, steps)
		return steps
	case g.v.transpose != nil && strideK == g.es && lines:
		// 16 columns of whole lines: a transposition of 16x16 dwords, which
		// are pairs of bfloat16 in groups of two.
		pitch := stepBytes
		if rows {
			pitch = g.g.nr * 4
		}
		if raceEnabled {
			raceRead(src, strideN, 16, steps*stepBytes)
		}
		g.v.transpose(dst, pitch, stepB, src, strideN, steps)
		return steps
	case g.v.interleave != nil && strideN == 2 && pairs && g.es == 2:
		if raceEnabled {
			raceRead(src, strideK, 32*steps, 32)
		}
		g.v.interleave(dst, stepB, src, strideK, steps)
		return steps
	}
	return 0
}
