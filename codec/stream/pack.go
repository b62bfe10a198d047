package stream

// Symbols are what a stream says of a picture: codes, of which [DequantiseEmbedding] and [DequantiseColour] make numbers.
type Symbols struct {
	Embedding []uint16 // [EmbeddingDim], each of EmbeddingBits bits
	Colour
}

// Colour is a quantised colour map: codes of YUV 4:2:0 in raster order, each of ColourBits bits.
type Colour struct {
	Y    []uint8 // [MapSize * MapSize]
	U, V []uint8 // [MapSize/2 * MapSize/2]
}

// fits reports whether s has as many codes as p says, none of them too large.
func (s *Symbols) fits(p Params) bool {
	luma := p.MapSize * p.MapSize
	if len(s.Embedding) != p.EmbeddingDim || len(s.Y) != luma || len(s.U) != luma/4 || len(s.V) != luma/4 {
		return false
	}
	for _, code := range s.Embedding {
		if int(code)>>p.EmbeddingBits != 0 {
			return false
		}
	}
	for _, plane := range [][]uint8{s.Y, s.U, s.V} {
		for _, code := range plane {
			if int(code)>>p.ColourBits != 0 {
				return false
			}
		}
	}
	return true
}

// Pack returns the stream of s. It panics if p is not valid or s is not of these parameters.
func Pack(p Params, s Symbols) []byte {
	p = p.WithDefaults()
	if p.Validate() != nil || !s.fits(p) {
		panic("stream: symbols do not fit the parameters")
	}
	w := bitWriter{buf: make([]byte, 0, p.Bytes())}
	for _, code := range s.Embedding {
		w.write(uint32(code), p.EmbeddingBits)
	}
	for _, plane := range [][]uint8{s.Y, s.U, s.V} {
		for _, code := range plane {
			w.write(uint32(code), p.ColourBits)
		}
	}
	return w.flush()
}

// Unpack returns the symbols of a stream. It returns an [UnsupportedError] if p is not valid, and a [FormatError] if data is
// shorter or longer than p.Bytes() or has a padding bit set.
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
	r := bitReader{buf: data}
	s := Symbols{Embedding: make([]uint16, p.EmbeddingDim)}
	for i := range s.Embedding {
		s.Embedding[i] = uint16(r.read(p.EmbeddingBits))
	}
	plane := func(n int) []uint8 {
		codes := make([]uint8, n)
		for i := range codes {
			codes[i] = uint8(r.read(p.ColourBits))
		}
		return codes
	}
	luma := p.MapSize * p.MapSize
	s.Y, s.U, s.V = plane(luma), plane(luma/4), plane(luma/4)
	return s, nil
}

// A bitWriter writes codes of at most 16 bits, most significant bit first.
type bitWriter struct {
	buf  []byte
	acc  uint32 // the low n bits are still to be written
	bits int    // n, less than 8 between writes
}

func (w *bitWriter) write(code uint32, bits int) {
	w.acc = w.acc<<bits | code
	for w.bits += bits; w.bits >= 8; w.bits -= 8 {
		w.buf = append(w.buf, byte(w.acc>>(w.bits-8)))
	}
}

// flush pads the last byte with zeros and returns the bytes.
func (w *bitWriter) flush() []byte {
	if w.bits > 0 {
		w.write(0, 8-w.bits)
	}
	return w.buf
}

// A bitReader reads codes of at most 16 bits. Its caller has made sure that buf holds them.
type bitReader struct {
	buf  []byte
	acc  uint32 // the low n bits are still to be read
	bits int    // n, less than 8 between reads
}

func (r *bitReader) read(bits int) uint32 {
	for ; r.bits < bits; r.bits += 8 {
		r.acc = r.acc<<8 | uint32(r.buf[0])
		r.buf = r.buf[1:]
	}
	r.bits -= bits
	return r.acc >> r.bits & (1<<bits - 1)
}
