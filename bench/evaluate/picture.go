package evaluate

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"

	"github.com/coclico/coclico/codec/quant"
	"github.com/coclico/coclico/vit"
)

// A Picture is a square picture.
type Picture struct {
	Side int
	RGB  []byte // [Side, Side, 3]
}

// pictureOf returns a square picture's pixels.
func pictureOf(img image.Image) (*Picture, error) {
	size := img.Bounds().Size()
	if size.X != size.Y {
		return nil, fmt.Errorf("a picture of %d x %d pixels, not a square", size.X, size.Y)
	}
	rgb, side, err := quant.CenterSquare(img)
	if err != nil {
		return nil, err
	}
	return &Picture{side, rgb}, nil
}

// Image returns the picture for an encoder of the standard library.
func (p *Picture) Image() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, p.Side, p.Side))
	for i := range p.Side * p.Side {
		copy(img.Pix[4*i:], p.RGB[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	return img
}

// Hash returns 32 hexadecimal digits that tell the picture from others.
func (p *Picture) Hash() string {
	h := sha256.New()
	h.Write(binary.LittleEndian.AppendUint32(nil, uint32(p.Side)))
	h.Write(p.RGB)
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}

// resized returns the picture by Pillow's bicubic filter, which averages where
// it reduces.
func (p *Picture) resized(side int) *Picture {
	if side == p.Side {
		return p
	}
	return &Picture{side, vit.Preprocess(p.RGB, p.Side, p.Side, side)}
}

// averaged returns the picture reduced to side by area: each pixel is the mean
// of the pixels that it covers, in shares.
func (p *Picture) averaged(side int) *Picture {
	if side >= p.Side {
		return p.resized(side)
	}
	// The unit is 1/side of a pixel: a pixel is side of them wide, and one of
	// the result p.Side.
	rows := make([]uint64, p.Side*side*3) // [Side, side, 3] sums of shares
	for i := range p.Side * side {
		y, x := i/side, i%side
		for at, end := x*p.Side, (x+1)*p.Side; at < end; {
			k := at / side
			next := min((k+1)*side, end)
			for c := range 3 {
				rows[3*i+c] += uint64(p.RGB[3*(y*p.Side+k)+c]) * uint64(next-at)
			}
			at = next
		}
	}
	q := &Picture{side, make([]byte, side*side*3)}
	area := uint64(p.Side) * uint64(p.Side)
	for y := range side {
		sums := make([]uint64, side*3)
		for at, end := y*p.Side, (y+1)*p.Side; at < end; {
			k := at / side
			next := min((k+1)*side, end)
			for i, v := range rows[k*side*3:][:side*3] {
				sums[i] += v * uint64(next-at)
			}
			at = next
		}
		for i, v := range sums {
			q.RGB[y*side*3+i] = byte((v + area/2) / area)
		}
	}
	return q
}
