package evaluate

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// VVenC's own programs read and write raw planes: Y, U and V of 4:2:0 in 10
// bits, little-endian, BT.709 in the narrow range.

// The weights of red and blue in BT.709's luma.
const (
	weightR = 0.2126
	weightB = 0.0722
)

func writeYUV(w io.Writer, p *Picture) error {
	n := p.Side
	y := make([]uint16, n*n)
	u, v := make([]float64, n*n/4), make([]float64, n*n/4)
	for i := range y {
		r, g, b := float64(p.RGB[3*i])/255, float64(p.RGB[3*i+1])/255, float64(p.RGB[3*i+2])/255
		l := weightR*r + (1-weightR-weightB)*g + weightB*b
		y[i] = uint16(math.Round(64 + 876*l))
		at := i/n/2*(n/2) + i%n/2
		u[at] += (b - l) / (2 * (1 - weightB)) / 4
		v[at] += (r - l) / (2 * (1 - weightR)) / 4
	}
	if err := binary.Write(w, binary.LittleEndian, y); err != nil {
		return err
	}
	for _, plane := range [][]float64{u, v} {
		codes := make([]uint16, len(plane))
		for i, x := range plane {
			codes[i] = uint16(math.Round(512 + 896*x))
		}
		if err := binary.Write(w, binary.LittleEndian, codes); err != nil {
			return err
		}
	}
	return nil
}

func readYUV(path string, side int) (*Picture, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	n := side * side
	if want := 2 * (n + n/2); len(data) != want {
		return nil, fmt.Errorf("%d bytes, not %d", len(data), want)
	}
	code := func(i int) float64 { return float64(binary.LittleEndian.Uint16(data[2*i:])) }
	p := &Picture{side, make([]byte, 3*n)}
	for i := range n {
		at := i/side/2*(side/2) + i%side/2
		l := (code(i) - 64) / 876
		b := l + (code(n+at)-512)/896*2*(1-weightB)
		r := l + (code(n+n/4+at)-512)/896*2*(1-weightR)
		g := (l - weightR*r - weightB*b) / (1 - weightR - weightB)
		for c, v := range []float64{r, g, b} {
			p.RGB[3*i+c] = byte(math.Round(255 * min(max(v, 0), 1)))
		}
	}
	return p, nil
}
