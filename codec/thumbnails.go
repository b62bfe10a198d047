package codec

import (
	"context"
	"slices"

	"github.com/coclico/coclico/codec/quant"
)

// thumbnails are what a file is made of beside the CLIP vector: a picture at
// every size that its color map may have. They are made while the picture is at
// hand, so that an Embedded, which may wait long, does not hold it.
type thumbnails struct {
	planes map[int]quant.Planes // by the color map's side
	target []float32            // at 32 x 32: what color maps and candidates are compared with
}

func (f frame) thumbnails(ctx context.Context, o *EncodeOptions) (thumbnails, error) {
	t := thumbnails{planes: map[int]quant.Planes{}}
	sizes, err := o.mapSizes()
	if err != nil {
		return t, err
	}
	for _, n := range sizes {
		if err := ctx.Err(); err != nil {
			return t, err
		}
		t.planes[n] = quant.NewPlanes(f.rgb, f.w, f.h, n, o.Antialias || o.Profile == Tuned)
	}
	if o.Profile == Tuned || o.Candidates > 1 {
		t.target = quant.Average(f.rgb, f.w, f.h, quant.ScoreSide)
	}
	return t, nil
}

// mapSizes returns the sides that the color map of a file may have.
func (o *EncodeOptions) mapSizes() (sizes []int, err error) {
	if o.Bytes == 0 {
		p, err := o.params(1)
		return []int{p.MapSize}, err
	}
	for _, p := range plans {
		if planned(p.bytes, o.budget()) && !slices.Contains(sizes, p.n) {
			sizes = append(sizes, p.n)
		}
	}
	return sizes, nil
}

// budget returns the bytes that the file may take without its candidate's own.
func (o *EncodeOptions) budget() int {
	if o.Candidates > 1 {
		return o.Bytes - 1
	}
	return o.Bytes
}
