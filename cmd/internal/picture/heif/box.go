package heif

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
)

// A Header is what a file says about its primary picture (ISO/IEC 23008-12).
type Header struct {
	AVIF bool   // coded with AV1, not HEVC
	ICC  []byte // the color profile, nil for none
	CICP *CICP  // the coding-independent code points, nil for none

	codedWidth, codedHeight int // before the transforms
	depth                   int // bits a channel
	transforms              []transform
	hevc                    *CICP  // what the coded picture itself says
	gray                    bool   // coded without chroma
	grayParts               bool   // it or the transparency is put together of such pictures
	tooDeep, tooDeepMask    bool   // for the module
	alpha                   uint32 // the item that holds the transparency, 0 for none
	fullMask                bool   // its values are 0 to 255
	premultiplied           bool   // the colors are multiplied by it
	primaryAt, primaryBytes int    // where the file has the number of its primary item
}

// CICP are the code points of ITU-T H.273.
type CICP struct {
	Primaries, Transfer, Matrix uint16
	FullRange                   bool
}

// maxMeta bounds the box that describes the pictures. A phone's picture of 48
// tiles takes 4 KB.
const maxMeta = 4 << 20

// maxProperties bounds those of an item, which has a dozen at most: each may be
// megabytes to read, or a turn of the picture.
const maxProperties = 32

// Known reports whether a file that begins with head is named a HEIC or AVIF
// picture by its brands, and which.
func Known(head []byte) (name string, ok bool) {
	if len(head) < 12 || string(head[4:8]) != "ftyp" {
		return "", false
	}
	n := min(int64(binary.BigEndian.Uint32(head)), int64(len(head)))
	var list []string
	for i := int64(8); i+4 <= n; i += 4 {
		if i != 12 { // the minor version
			list = append(list, string(head[i:i+4]))
		}
	}
	among := func(brands ...string) bool {
		return slices.ContainsFunc(list, func(b string) bool { return slices.Contains(brands, b) })
	}
	switch {
	case among("avif", "avis"):
		return "AVIF", true
	case among("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"):
		return "HEIC", true
	}
	return "", false
}

// ReadHeader reads a file up to the end of its description.
func ReadHeader(from io.Reader) (*Header, error) {
	r := &counter{r: from}
	for {
		name, size, err := nextBox(r)
		switch {
		case errors.Is(err, io.EOF):
			return nil, UnsupportedError("no still picture, a film maybe")
		case err != nil:
			return nil, err
		case name != "meta":
			if n, err := io.Copy(io.Discard, io.LimitReader(r, size)); err != nil {
				return nil, err
			} else if n < size && name != "mdat" {
				return nil, io.ErrUnexpectedEOF
			}
			continue
		case size < 4 || size > maxMeta:
			return nil, FormatError("invalid size of its description")
		}
		at := r.n
		body, err := io.ReadAll(io.LimitReader(r, size))
		if err != nil {
			return nil, err
		}
		if int64(len(body)) < size {
			return nil, io.ErrUnexpectedEOF
		}
		h, err := parseMeta(body)
		if err == nil {
			h.primaryAt += int(at)
		}
		return h, err
	}
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

// toEnd is the size of a box that ends with the file.
const toEnd = 1<<63 - 1

// nextBox reads the head of a box and returns its name and the size of its body.
func nextBox(r io.Reader) (name string, size int64, err error) {
	var head [16]byte
	if _, err := io.ReadFull(r, head[:8]); err != nil {
		return "", 0, err
	}
	name, n, used := string(head[4:8]), uint64(binary.BigEndian.Uint32(head[:])), uint64(8)
	switch n {
	case 0:
		return name, toEnd, nil
	case 1:
		if _, err := io.ReadFull(r, head[8:]); err != nil {
			return "", 0, io.ErrUnexpectedEOF
		}
		n, used = binary.BigEndian.Uint64(head[8:]), 16
	}
	if n < used || n > toEnd {
		return "", 0, errSyntax
	}
	return name, int64(n - used), nil
}

// A box is one of several in memory.
type box struct {
	name string
	body []byte
}

// boxes splits a sequence of boxes.
func boxes(b []byte) ([]box, error) {
	var list []box
	for len(b) >= 8 {
		n := uint64(binary.BigEndian.Uint32(b))
		if n == 0 {
			n = uint64(len(b))
		}
		if n < 8 || n > uint64(len(b)) {
			return nil, errSyntax
		}
		list = append(list, box{string(b[4:8]), b[8:n]})
		b = b[n:]
	}
	return list, nil
}

// A parser consumes integers. Past the end it returns zeros and remembers it.
type parser struct {
	b   []byte
	bad bool
}

func (p *parser) uint(bytes int) (v uint64) {
	if len(p.b) < bytes {
		p.b, p.bad = nil, true
		return 0
	}
	for _, c := range p.b[:bytes] {
		v = v<<8 | uint64(c)
	}
	p.b = p.b[bytes:]
	return v
}

// version reads the version and flags of a full box.
func (p *parser) version() (version uint8, flags uint32) {
	v := p.uint(4)
	return uint8(v >> 24), uint32(v & 0xffffff)
}

// id reads the number of an item, wide or not.
func (p *parser) id(wide bool) uint32 {
	if wide {
		return uint32(p.uint(4))
	}
	return uint32(p.uint(2))
}

func parseMeta(body []byte) (*Header, error) {
	list, err := boxes(body[4:]) // without its version
	if err != nil {
		return nil, err
	}
	find := func(name string) []byte {
		i := slices.IndexFunc(list, func(b box) bool { return b.name == name })
		if i < 0 {
			return nil
		}
		return list[i].body
	}
	pitm := find("pitm")
	p := parser{b: pitm}
	version, _ := p.version()
	primary := p.id(version > 0)
	if p.bad {
		return nil, UnsupportedError("no primary picture")
	}
	kinds, err := itemKinds(find("iinf"))
	if err != nil {
		return nil, err
	}
	properties, err := itemProperties(find("iprp"))
	if err != nil {
		return nil, err
	}
	refs, err := references(find("iref"))
	if err != nil {
		return nil, err
	}
	tile := codedPart(refs, primary)
	kind := kinds[tile]
	// pitm is a part of body: they end where their capacities say.
	h := &Header{depth: 8, primaryAt: cap(body) - cap(pitm) + 4, primaryBytes: len(pitm) - len(p.b) - 4}
	switch kind {
	case "hvc1":
	case "av01":
		h.AVIF = true
	default:
		return nil, UnsupportedError("a picture coded as " + printable(kind))
	}
	for _, p := range properties[tile] {
		h.addCoded(p)
	}
	for _, p := range properties[primary] {
		if err := h.add(p); err != nil {
			return nil, err
		}
	}
	assembled := func(item uint32) bool { return kinds[item] == "grid" || kinds[item] == "iovl" }
	h.grayParts = assembled(primary) && h.gray
	for _, r := range refs {
		if r.name == "auxl" && slices.Contains(r.to, primary) && slices.ContainsFunc(properties[r.from], isAlpha) {
			h.alpha = r.from
			part := codedPart(refs, h.alpha)
			h.addMask(append(slices.Clip(properties[h.alpha]), properties[part]...), assembled(h.alpha))
		}
	}
	h.premultiplied = slices.ContainsFunc(refs, func(r reference) bool {
		return r.name == "prem" && r.from == primary && h.alpha != 0 && slices.Contains(r.to, h.alpha)
	})
	const most = 1 << 34 // pixels: far more than anybody decodes, and no sum of them overflows
	switch {
	case h.codedWidth < 1 || h.codedHeight < 1:
		return nil, FormatError("no size")
	case h.pixels() > most:
		return nil, FormatError("invalid size")
	}
	return h, nil
}

// codedPart returns the first coded picture of a grid of tiles, an overlay or
// another picture that is derived from some, or the item itself.
func codedPart(refs []reference, item uint32) uint32 {
	for range 4 {
		part := slices.IndexFunc(refs, func(r reference) bool { return r.name == "dimg" && r.from == item && len(r.to) > 0 })
		if part < 0 {
			break
		}
		item = refs[part].to[0]
	}
	return item
}

// printable is the name of a box or an item, which are four letters if all is
// well.
func printable(name string) string {
	for _, c := range []byte(name) {
		if c < ' ' || c > '~' {
			return "an unknown kind"
		}
	}
	if name == "" {
		return "an unknown kind"
	}
	return name
}

// itemKinds returns the kinds of the items by their numbers.
func itemKinds(b []byte) (map[uint32]string, error) {
	p := parser{b: b}
	version, _ := p.version()
	p.id(version > 0) // the number of entries
	list, err := boxes(p.b)
	if err != nil {
		return nil, err
	}
	kinds := map[uint32]string{}
	for _, b := range list {
		p := parser{b: b.body}
		version, _ := p.version()
		if version < 2 {
			continue
		}
		id := p.id(version > 2)
		p.uint(2) // protection
		if len(p.b) >= 4 {
			kinds[id] = string(p.b[:4])
		}
	}
	return kinds, nil
}

// A reference leads from an item to others.
type reference struct {
	name string
	from uint32
	to   []uint32
}

func references(b []byte) ([]reference, error) {
	p := parser{b: b}
	version, _ := p.version()
	list, err := boxes(p.b)
	if err != nil {
		return nil, err
	}
	var refs []reference
	for _, b := range list {
		p := parser{b: b.body}
		r := reference{name: b.name, from: p.id(version > 0)}
		for range p.uint(2) {
			if r.to = append(r.to, p.id(version > 0)); p.bad {
				return nil, errSyntax
			}
		}
		refs = append(refs, r)
	}
	return refs, nil
}

// itemProperties returns the properties of every item, in their order.
func itemProperties(b []byte) (map[uint32][]box, error) {
	list, err := boxes(b)
	if err != nil {
		return nil, err
	}
	var all []box
	items := map[uint32][]box{}
	for _, b := range list {
		switch b.name {
		case "ipco":
			if all, err = boxes(b.body); err != nil {
				return nil, err
			}
		case "ipma":
			p := parser{b: b.body}
			version, flags := p.version()
			for range p.uint(4) {
				id := p.id(version > 0)
				for range p.uint(1) {
					var index uint64 // the first bit says that it is essential
					if flags&1 != 0 {
						index = p.uint(2) & 0x7fff
					} else {
						index = p.uint(1) & 0x7f
					}
					if len(items[id]) == maxProperties {
						return nil, FormatError("too many properties of an item")
					}
					if index >= 1 && index <= uint64(len(all)) {
						items[id] = append(items[id], all[index-1])
					}
				}
				if p.bad {
					return nil, errSyntax
				}
			}
		}
	}
	return items, nil
}
