package jpeg

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Limits of a file's scans. A progressive file has about ten. Each of them goes
// over all blocks of its planes, in a tenth of a microsecond a block, and may be a
// few bytes of the file.
const (
	maxScans  = 500
	maxBlocks = 1 << 25 // in all scans together; a photo of 140 megapixels has 1.8e7
)

// A Budget is the number of blocks that the scans of files may have, all together:
// those of a TIFF's tiles count as one picture's.
type Budget int64

// NewBudget returns the budget of one picture.
func NewBudget() *Budget { return new(Budget(maxBlocks)) }

// A coverage is how well a plane's 64 coefficients are known.
type coverage [64]uint8

const (
	unknown = iota
	rough
	exact // to the last bit
)

// A scanList is what the headers of a file's scans say.
type scanList struct {
	planes []coverage // in the order of the components
	ended  bool       // by an end marker
	last   int64      // where the last one's marker is

	// A scan of one plane of several blocks a group has restart markers, which
	// image/jpeg expects after as many groups instead of blocks.
	miscounted bool
}

// readScans reads the headers of a file's scans as far as they are valid, and takes
// their blocks from a budget. What is coded between them contains no marker.
func (h *header) readScans(from io.Reader, left *Budget) (*scanList, error) {
	count := &counter{r: from}
	r := bufio.NewReader(count)
	_, _ = r.Discard(2) // as readHeader has seen
	list := &scanList{planes: make([]coverage, len(h.components))}
	interval := 0 // blocks or groups between restart markers
	for n := 0; n <= maxScans; {
		marker, err := nextMarker(r)
		if err != nil || marker == eoi {
			list.ended = err == nil
			return list, nil
		}
		if marker == sos {
			list.last = count.n - int64(r.Buffered()) - 2
		}
		length, err := r.Peek(2)
		if err != nil {
			return list, nil
		}
		size := int(binary.BigEndian.Uint16(length))
		if marker == sos {
			n++
			b, err := r.Peek(size)
			if err != nil || size < 6 || size != 6+2*int(b[2]) {
				return list, nil
			}
			h.addScan(list, b[3:])
			if *left -= Budget(h.blocks(h.scanned(b[3:])...)); *left < 0 {
				return nil, UnsupportedError("more scans than a picture of its size needs")
			}
			list.miscounted = list.miscounted || 0 < interval && interval < h.blocksAlone(b[3:])
		}
		if b, err := r.Peek(4); marker == dri && err == nil {
			interval = int(binary.BigEndian.Uint16(b[2:]))
		}
		if _, err := r.Discard(size); err != nil {
			return list, nil
		}
	}
	return nil, UnsupportedError(fmt.Sprintf("more than %d scans", maxScans))
}

// scanned returns the planes of a scan's header.
func (h *header) scanned(b []byte) (planes []component) {
	for names := b[:len(b)-3]; len(names) > 0; names = names[2:] {
		if i := h.named(names[0]); i >= 0 {
			planes = append(planes, h.components[i])
		}
	}
	return planes
}

// blocks returns the number of blocks of planes, those beyond the picture's edges
// included, which image/jpeg holds and goes over, too.
func (h *header) blocks(planes ...component) (n int64) {
	across, down := h.largest()
	groups := int64(ceil(h.width, 8*across)) * int64(ceil(h.height, 8*down))
	for _, c := range planes {
		n += groups * int64(c.h*c.v)
	}
	return n
}

// blocksAlone returns the number of blocks of a scan that has one plane, of those
// that have several blocks in a group of planes, and 0 for any other scan.
func (h *header) blocksAlone(b []byte) int {
	if len(b) != 2+3 {
		return 0
	}
	i := h.named(b[0])
	if i < 0 || h.components[i].h*h.components[i].v == 1 {
		return 0
	}
	across, down := h.largest()
	side := func(size, part, of int) int { return (size*part + 8*of - 1) / (8 * of) }
	return side(h.width, h.components[i].h, across) * side(h.height, h.components[i].v, down)
}

// addScan takes the header of a scan from its first plane on (B.2.3).
func (h *header) addScan(list *scanList, b []byte) {
	planes, bands := b[:len(b)-3], b[len(b)-3:]
	first, last, known := int(bands[0]), min(int(bands[1]), 63), uint8(exact)
	switch {
	case !h.progressive:
		first, last = 0, 63
	case bands[2]&15 > 0: // bits that later scans refine
		known = rough
	}
	for ; len(planes) > 0; planes = planes[2:] {
		i := h.named(planes[0])
		if i < 0 {
			continue
		}
		for k := first; k <= last; k++ {
			list.planes[i][k] = known
		}
	}
}

// missing returns an error if a plane has no scan. To image/jpeg its samples
// are zeros, and the picture is green.
func (l *scanList) missing() error {
	switch {
	case !slices.Contains(l.planes, coverage{}):
		return nil
	case l.ended:
		return FormatError("plane without a scan")
	}
	return io.ErrUnexpectedEOF
}

// whole reports whether all coefficients are exact.
func (l *scanList) whole() bool {
	return !slices.ContainsFunc(l.planes, func(c coverage) bool {
		return slices.ContainsFunc(c[:], func(known uint8) bool { return known != exact })
	})
}

// A counter counts the bytes that are read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
