package jpeg

import (
	"image/color"
	"io"
	"runtime"
)

// Memory returns the bytes that Decode takes at its peak, and those of the picture
// that it returns.
func Memory(r io.Reader) (peak, picture int64, err error) {
	h, err := readHeader(r)
	if err != nil {
		return 0, 0, err
	}
	peak, picture = h.memory()
	return peak, picture, nil
}

// memory is Memory of a file with this header.
func (h *header) memory() (peak, picture int64) {
	planes := 64 * h.blocks(h.components...) // a byte a sample
	peak, picture = planes, planes
	if h.progressive {
		peak += 4 * planes // image/jpeg holds all coefficients, planes half as much
	}
	if m := h.model(); m == color.RGBAModel || m == color.CMYKModel {
		picture = 4 * int64(h.width) * int64(h.height) // made of the planes
		peak += picture
	}
	return peak, picture
}

// collect frees what decoding has left of a large file: the coefficients of a
// progressive one, or the planes of one that is cut short, which is decoded again.
// The next step would come on top of it, since the collector lets the heap double.
func (h *header) collect() {
	const large = 8 << 20
	if peak, _ := h.memory(); peak > large {
		runtime.GC()
	}
}
