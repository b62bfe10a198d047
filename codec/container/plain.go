package container

// plain is a string of bits, each byte's most significant first. Past its end there are zeros.
type plain struct {
	data []byte
	at   int // the next bit
}

func (p *plain) read(_ uint64, n int) uint64 {
	v := uint64(0)
	for range n {
		v <<= 1
		if p.at/8 < len(p.data) {
			v |= uint64(p.data[p.at/8] >> (7 - p.at%8) & 1)
		}
		p.at++
	}
	return v
}

func (p *plain) write(v uint64, n int) uint64 {
	for n--; n >= 0; n-- {
		if p.at%8 == 0 {
			p.data = append(p.data, 0)
		}
		p.data[p.at/8] |= byte(v>>n&1) << (7 - p.at%8)
		p.at++
	}
	return v
}
