package main

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"

	"golang.org/x/image/draw"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/search"
)

// Sides of a sheet's tiles and of the space around them, in pixels.
const (
	tileSide  = 128
	tileSpace = 8
)

// sheet writes a picture of all hits, row by row: their color maps, or what the
// model paints of them.
func (q *query) sheet(ctx context.Context, hits []search.Hit, path string, paint bool) error {
	encode, err := picture.EncoderFor(path)
	if err != nil {
		return err
	}
	return q.files.Write(ctx, path, func(w io.Writer) error {
		columns := max(1, int(math.Ceil(math.Sqrt(float64(len(hits))))))
		rows := (len(hits) + columns - 1) / columns
		const step = tileSide + tileSpace
		img := image.NewRGBA(image.Rect(0, 0, columns*step+tileSpace, rows*step+tileSpace))
		draw.Draw(img, img.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
		bar := q.screen.Bar()
		defer bar.Close()
		for i, h := range hits {
			if paint {
				bar.Line(fmt.Sprintf("painting %d of %d", i+1, len(hits)))
			}
			tile, size, err := q.tile(ctx, h.Row.Data, paint)
			if err != nil {
				return files.Named(h.Row.Name, err)
			}
			at := image.Pt(i%columns*step+tileSpace, i/columns*step+tileSpace).Add(image.Pt(tileSide-size.X, tileSide-size.Y).Div(2))
			draw.BiLinear.Scale(img, image.Rectangle{at, at.Add(size)}, tile, tile.Bounds(), draw.Src, nil)
		}
		var o picture.Options
		if paint {
			o.Notes = []picture.Note{{Key: "Comment", Text: "Generated pictures: painted by a diffusion model, not photographs"}}
		}
		return encode(w, img, o)
	})
}

// tile returns what a sheet shows of a file, and the size at which it does.
func (q *query) tile(ctx context.Context, data []byte, paint bool) (image.Image, image.Point, error) {
	f, err := codec.Parse(data)
	if err != nil {
		return nil, image.Point{}, err
	}
	w, h := f.Size(tileSide, 8)
	if !paint {
		return f.ColorMap(), image.Pt(w, h), ctx.Err()
	}
	img, err := q.codec.Paint(ctx, f, nil)
	return img, image.Pt(w, h), err
}
