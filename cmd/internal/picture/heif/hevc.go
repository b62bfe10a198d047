package heif

// videoSignal finds the sequence parameter set in a HEVC configuration record
// (ISO/IEC 14496-15, 8.3.3.1) and returns what it says about its colors, nil
// for nothing.
func videoSignal(record []byte) *CICP {
	p := parser{b: record}
	p.uint(8)
	p.uint(8)
	p.uint(6)
	for range p.uint(1) {
		kind := p.uint(1) & 0x3f
		for range p.uint(2) {
			n := int(p.uint(2))
			if n > len(p.b) {
				return nil
			}
			const sps = 33
			if kind == sps {
				return parseSPS(p.b[:n])
			}
			p.b = p.b[n:]
		}
	}
	return nil
}

// bitReader reads the bits of a NAL unit. Past the end it returns zeros and
// remembers it.
type bitReader struct {
	b   []byte // without the bytes that prevent start codes
	at  int    // bits
	bad bool
}

func (r *bitReader) bits(n int) (v uint32) {
	for range n {
		if r.at >= 8*len(r.b) {
			r.bad = true
			return 0
		}
		v = v<<1 | uint32(r.b[r.at/8]>>(7-r.at%8)&1)
		r.at++
	}
	return v
}

func (r *bitReader) flag() bool { return r.bits(1) != 0 }

// golomb reads an Exp-Golomb code, ue(v).
func (r *bitReader) golomb() uint32 {
	zeros := 0
	for !r.flag() {
		if zeros++; r.bad || zeros > 31 {
			r.bad = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.bits(zeros)
}

func (r *bitReader) golombs(n int) {
	for range n {
		r.golomb()
	}
}

// parseSPS reads a sequence parameter set up to its video signal type (H.265,
// 7.3.2.2 and E.2.1), nil if it does not get there.
func parseSPS(nal []byte) *CICP {
	r := &bitReader{}
	for i, c := range nal {
		if !(c == 3 && i >= 2 && nal[i-1] == 0 && nal[i-2] == 0) {
			r.b = append(r.b, c)
		}
	}
	r.bits(16 + 4) // the NAL unit's header, the video parameter set
	layers := int(r.bits(3))
	r.bits(1)
	profile(r, layers)
	r.golomb()
	if r.golomb() == 3 { // chroma format
		r.bits(1)
	}
	r.golombs(2) // size
	if r.flag() {
		r.golombs(4) // conformance window
	}
	r.golombs(2) // depths
	pocBits := int(r.golomb()) + 4
	first := layers
	if r.flag() {
		first = 0
	}
	r.golombs(3 * (layers - first + 1))
	r.golombs(6)                                  // block sizes and depths
	if enabled := r.flag(); enabled && r.flag() { // and not the default ones
		scalingLists(r)
	}
	r.bits(2)
	if r.flag() { // PCM
		r.bits(8)
		r.golombs(2)
		r.bits(1)
	}
	if r.golomb() != 0 { // short-term reference pictures, which a still picture does without
		return nil
	}
	if r.flag() { // long-term ones
		for range min(r.golomb(), 33) {
			r.bits(pocBits)
			r.bits(1)
		}
	}
	r.bits(2)
	if !r.flag() { // no usability information
		return nil
	}
	if r.flag() && r.bits(8) == 255 { // aspect ratio
		r.bits(32)
	}
	if r.flag() { // overscan
		r.bits(1)
	}
	if !r.flag() {
		return nil
	}
	r.bits(3)
	s := CICP{Primaries: 2, Transfer: 2, Matrix: 2, FullRange: r.flag()}
	if r.flag() {
		s.Primaries, s.Transfer, s.Matrix = uint16(r.bits(8)), uint16(r.bits(8)), uint16(r.bits(8))
	}
	if r.bad {
		return nil
	}
	return &s
}

// profile passes over profile_tier_level (7.3.3).
func profile(r *bitReader, layers int) {
	r.bits(88 + 8)
	var present [8][2]bool
	for i := range layers {
		present[i] = [2]bool{r.flag(), r.flag()}
	}
	if layers > 0 {
		r.bits(2 * (8 - layers))
	}
	for i := range layers {
		if present[i][0] {
			r.bits(88)
		}
		if present[i][1] {
			r.bits(8)
		}
	}
}

// scalingLists passes over scaling_list_data (7.3.4).
func scalingLists(r *bitReader) {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6; matrix += step {
			if !r.flag() {
				r.golomb()
				continue
			}
			if size > 1 {
				r.golomb()
			}
			r.golombs(min(64, 1<<(4+2*size)))
		}
	}
}
