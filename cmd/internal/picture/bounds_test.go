package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
)

// A padded is a file of zeros after its head.
type padded struct {
	head     []byte
	size, at int64
}

func (p *padded) Read(b []byte) (int, error) {
	if p.at >= p.size {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), p.size-p.at)]
	clear(b)
	if p.at < int64(len(p.head)) {
		copy(b, p.head[p.at:])
	}
	p.at += int64(len(b))
	return len(b), nil
}

func (p *padded) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += p.at
	case io.SeekEnd:
		offset += p.size
	}
	p.at = offset
	return offset, nil
}

// tiffOf returns a TIFF with tags of a number, a type, a count and a value, and
// what follows them.
func tiffOf(tags [][4]uint32, rest []byte) []byte {
	le := binary.LittleEndian
	b := le.AppendUint16([]byte("II\x2a\x00\x08\x00\x00\x00"), uint16(len(tags)))
	for _, t := range tags {
		b = le.AppendUint16(le.AppendUint16(b, uint16(t[0])), uint16(t[1]))
		b = le.AppendUint32(le.AppendUint32(b, t[2]), t[3])
	}
	return append(append(b, 0, 0, 0, 0), rest...)
}

func jpegOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBounds: a small picture takes little memory, whatever length its file
// gives to a part of it.
func TestBounds(t *testing.T) {
	odd := jpegOf(t, image.NewYCbCr(image.Rect(0, 0, 48, 48), image.YCbCrSubsampleRatio420))
	odd[bytes.Index(odd, []byte{0xff, 0xc0})+11] = 0x32 // luma of 3x2 samples
	const tags = 9
	strip := tiffOf([][4]uint32{{256, 3, 1, 64}, {257, 3, 1, 64}, {258, 3, 1, 8}, {259, 3, 1, 7}, {262, 3, 1, 1},
		{273, 4, 1, 14 + 12*tags}, {277, 3, 1, 1}, {278, 3, 1, 64}, {279, 4, 1, 1 << 29}}, jpegOf(t, image.NewGray(image.Rect(0, 0, 64, 64))))
	frame := append(webpFrom(webpAnimation, image.Pt(8, 8), nil), "ANMF"...)
	frame = append(binary.LittleEndian.AppendUint32(frame, 1<<29), 0, 0, 0, 0, 0, 0, 7, 0, 0, 7, 0, 0)
	for name, head := range map[string][]byte{"JPEG": odd, "JPEG in TIFF": strip, "WebP": frame} {
		f, err := Open(&padded{head: head, size: 1<<29 + 4096})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = f.Image() // it may be broken
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 100 {
			t.Errorf("%s: %d MiB for a picture that announced %d bytes", name, n, f.Memory)
		}
	}
}

// TestManyBlocks: the number of a TIFF's strips overflows no int of 32 bits.
func TestManyBlocks(t *testing.T) {
	for _, samples := range []uint32{8, 64} {
		head := tiffOf([][4]uint32{{256, 4, 1, 1}, {257, 4, 1, 1 << 28}, {258, 3, 1, 16}, {259, 3, 1, 1}, {262, 3, 1, 2},
			{273, 4, 1, 8}, {277, 3, 1, samples}, {278, 3, 1, 1}, {279, 4, 1, 1}, {284, 3, 1, 2}}, nil)
		if f, err := Open(bytes.NewReader(head)); err == nil {
			t.Errorf("%d samples: accepted with %d bytes", samples, f.Memory)
		}
	}
}

// TestAnnounced: decoding allocates what the file has announced, and little more.
func TestAnnounced(t *testing.T) {
	wide := encode(t, func(w io.Writer) error { return png.Encode(w, image.NewNRGBA64(image.Rect(0, 0, 1_000_000, 1))) })
	still := encode(t, func(w io.Writer) error { return encodeWebP(w, image.NewNRGBA(image.Rect(0, 0, 998, 998)), nil) })
	frame := []byte{0, 0, 0, 0, 0, 0, 997 & 0xff, 997 >> 8, 0, 997 & 0xff, 997 >> 8, 0, 100, 0, 0, 0} // at the screen's corner
	film := webpFrom(webpAnimation, image.Pt(1000, 1000), appendWebPChunk(nil, "ANMF", append(frame, still[webpHeader:]...)))
	noise := image.NewYCbCr(image.Rect(0, 0, 1000, 1000), image.YCbCrSubsampleRatio420)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Y {
		noise.Y[i] = uint8(rng.Uint32())
	}
	photo := encode(t, func(w io.Writer) error { return jpeg.Encode(w, noise, &jpeg.Options{Quality: 100}) })
	odd := bytes.Clone(photo)
	odd[bytes.Index(odd, []byte{0xff, 0xc0})+11] = 0x14 // luma of 1x4 samples, in the place of 2x2
	for name, data := range map[string][]byte{
		"a PNG of one row": wide, "a lossless frame in a WebP": film, "odd planes": odd,
	} {
		f, err := Open(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = f.Image()
		runtime.ReadMemStats(&after)
		if n := int64(after.TotalAlloc - before.TotalAlloc); err != nil || n > f.Memory+1<<20 {
			t.Errorf("%s: %d bytes, announced %d (%v)", name, n, f.Memory, err)
		}
	}
	if _, err := Open(bytes.NewReader(pngHeader(1<<14, 1<<14))); err != nil {
		t.Errorf("the largest picture: %v", err) // four bytes a pixel, and rows
	}
}
