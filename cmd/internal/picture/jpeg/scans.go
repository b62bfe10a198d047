package jpeg

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Limits of a file's scans. A progressive file has about ten. Each of them goes
// over all blocks of its planes, in some tenths of a microsecond a block, and may be a
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
	planes     []coverage // in the order of the components
	ended      bool       // by an end marker
	miscounted bool       // by image/jpeg, in one of them
}

// readScans reads the headers of a file's scans as far as they are valid, and takes
// their blocks from a budget. What is coded between them contains no marker.
func (h *header) readScans(from io.Reader, left *Budget) (*scanList, error) {
	r := bufio.NewReader(from)
	_, _ = r.Discard(2) // as readHeader has seen
	list := &scanList{planes: make([]coverage, len(h.components))}
	interval := 0 // blocks or groups between restart markers
	for n := 0; n <= maxScans; {
		marker, err := nextMarker(r)
		if err != nil || marker == eoi {
			list.ended = err == nil
			return list, nil
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
			planes := h.scanned(b[3:])
			if *left -= Budget(h.blocks(planes...)); *left < 0 {
				return nil, UnsupportedError("more scans than a picture of its size needs")
			}
			list.miscounted = list.miscounted || h.miscounts(planes, interval)
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

// miscounts reports whether image/jpeg goes wrong in a scan of these planes. In that
// of a single plane every block is a group, even if the groups of other scans have
// several of them (A.2.2). image/jpeg still counts the groups of all planes up to a
// restart marker, and takes the picture's sides for those of the plane.
func (h *header) miscounts(planes []component, interval int) bool {
	if len(planes) != 1 || planes[0].h*planes[0].v == 1 {
		return false
	}
	c := planes[0]
	hMax, vMax := h.largest()
	across, down := ceil(h.width*c.h, 8*hMax), ceil(h.height*c.v, 8*vMax)
	return 0 < interval && interval < across*down ||
		across != min(c.h*ceil(h.width, 8*hMax), ceil(h.width, 8)) ||
		down != min(c.v*ceil(h.height, 8*vMax), ceil(h.height, 8))
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
