package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"io"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"testing"
	"time"
)

// peakOf returns the most memory that a function holds at a time, where the
// collector runs only when it is called.
func peakOf(f func()) int64 {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.GC()
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	held := func() int64 {
		metrics.Read(heap)
		return int64(heap[0].Value.Uint64())
	}
	before := held()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	for most := before; ; {
		select {
		case <-done:
			return max(most, held()) - before
		case <-time.After(time.Millisecond): // what a step of decoding holds, it holds for longer
			most = max(most, held())
		}
	}
}

// progressiveOf returns a gray progressive JPEG of three planes and one scan, whose
// sides are multiples of 16.
func progressiveOf(side int) []byte {
	size := binary.BigEndian.AppendUint16(nil, uint16(side))
	quant := append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)
	zero := append([]byte{0, 1}, make([]byte, 16)...) // a bit means the same again
	data := make([]byte, side/16*side/16*6/8)
	return slices.Concat([]byte{0xff, 0xd8}, segment(0xdb, string(quant)),
		segment(0xc2, string(slices.Concat([]byte{8}, size, size, []byte{3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0}))),
		segment(0xc4, string(zero)), segment(0xda, "\x03\x01\x00\x02\x00\x03\x00\x00\x00\x00"), data, []byte{0xff, 0xd9})
}

// TestJPEGMemory: reading a JPEG takes what Open has announced, and not much less,
// also where the steps of reading leave something behind.
func TestJPEGMemory(t *testing.T) {
	const side = 2432
	img := image.NewYCbCr(image.Rect(0, 0, side, side), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = uint8(i * i >> 3) // so that 97% of the data are of about as many rows
	}
	photo := encode(t, func(w io.Writer) error { return jpeg.Encode(w, img, nil) })
	profile := readICC(t, "v2-p3-1024-samples.icc")
	held := func(data []byte) []byte {
		return slices.Concat(data[:2], exif(binary.BigEndian, "MM", 6), withProfile(data, profile, 60_000)[2:])
	}
	cut := func(data []byte) []byte { return data[:len(data)*97/100] }
	gray := encode(t, func(w io.Writer) error { return jpeg.Encode(w, image.NewGray(img.Rect), nil) })
	for name, c := range map[string]struct {
		data []byte
		want float64 // bytes a pixel
	}{
		"gray":                              {gray, 1},
		"4:2:0":                             {photo, 1.5},
		"cut short":                         {cut(photo), 1.5},
		"turned and converted":              {held(photo), 1.5 + 1.5 + 4},
		"progressive":                       {progressiveOf(side), 7.5},
		"progressive, turned and converted": {held(progressiveOf(side)), 7.5},
		"the same, cut short":               {held(cut(progressiveOf(side))), 7.5},
	} {
		f, err := Open(bytes.NewReader(c.data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.Memory != int64(c.want*side*side) {
			t.Errorf("%s: announced %.2f bytes a pixel, want %.2f", name, float64(f.Memory)/side/side, c.want)
		}
		n := peakOf(func() { _, err = f.Image() })
		if err != nil || n > f.Memory+f.Memory/20+1<<20 || n < f.Memory*9/10 {
			t.Errorf("%s: %.2f bytes a pixel, announced %.2f (%v)", name, float64(n)/side/side, c.want, err)
		}
	}
}
