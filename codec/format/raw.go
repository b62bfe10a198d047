package format

// Symbols are a picture in integers: the codes of its CLIP vector and of its
// color map. Package quant makes them from numbers and turns them back.
type Symbols struct {
	Vector []uint16 // [Dimensions]
	ColorMap
}

// A ColorMap holds the codes of a color map in YUV 4:2:0, each plane in raster
// order.
type ColorMap struct {
	Y    []uint8 // [MapSize * MapSize]
	U, V []uint8 // [MapSize/2 * MapSize/2]
}

// newColorMap returns a map of n x n zero codes.
func newColorMap(n int) ColorMap {
	return ColorMap{Y: make([]uint8, n*n), U: make([]uint8, n*n/4), V: make([]uint8, n*n/4)}
}

// each runs through the planes in order, each code of so many bits.
func (c ColorMap) each(f field, bits int) {
	for _, plane := range [][]uint8{c.Y, c.U, c.V} {
		for i := range plane {
			if code := uint8(f(uint64(plane[i]), bits)); code != plane[i] {
				plane[i] = code // see VisitSamples
			}
		}
	}
}

// fit reports whether c has the codes of an n x n map, each of at most so many
// bits.
func (c ColorMap) fit(n, bits int) bool {
	if len(c.Y) != n*n || len(c.U) != n*n/4 || len(c.V) != n*n/4 {
		return false
	}
	all := uint8(0)
	for _, plane := range [][]uint8{c.Y, c.U, c.V} {
		for _, code := range plane {
			all |= code
		}
	}
	return int(all)>>bits == 0
}

// Pack returns the raw stream of s: the codes of the vector in the order of its
// dimensions, those of Y, U and V, and zeros up to a whole byte. It panics if p
// is not valid or s does not have these parameters.
func Pack(p Params, s Symbols) []byte {
	p = p.WithDefaults()
	if p.Validate() != nil || len(s.Vector) != p.Dimensions || !s.ColorMap.fit(p.MapSize, p.ColorBits) {
		panic("format: symbols do not fit the parameters")
	}
	w := bitString{data: make([]byte, 0, p.Bytes())}
	for _, code := range s.Vector {
		if int(code)>>p.DimensionBits != 0 {
			panic("format: symbols do not fit the parameters")
		}
		w.write(uint64(code), p.DimensionBits)
	}
	s.ColorMap.each(w.write, p.ColorBits)
	return w.data
}

// Unpack returns the symbols of a raw stream. It returns an [UnsupportedError]
// if p is not valid, and a [FormatError] if data is shorter or longer than
// p.Bytes() or has a padding bit set.
func Unpack(p Params, data []byte) (Symbols, error) {
	p = p.WithDefaults()
	if err := p.Validate(); err != nil {
		return Symbols{}, err
	}
	switch n := p.Bytes(); {
	case len(data) < n:
		return Symbols{}, errTruncated
	case len(data) > n:
		return Symbols{}, errTrailing
	}
	if padding := p.Bytes()*8 - p.Bits(); data[len(data)-1]&(1<<padding-1) != 0 {
		return Symbols{}, errPadding
	}
	r := bitString{data: data}
	s := Symbols{make([]uint16, p.Dimensions), newColorMap(p.MapSize)}
	for i := range s.Vector {
		s.Vector[i] = uint16(r.read(0, p.DimensionBits))
	}
	s.ColorMap.each(r.read, p.ColorBits)
	return s, nil
}
