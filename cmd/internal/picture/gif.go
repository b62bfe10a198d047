package picture

import (
	"bytes"
	"image"
	"image/draw"
	"image/gif"
	"io"
)

func gifFormat() format {
	return format{name: "GIF", magic: "GIF8?a", config: once(gif.DecodeConfig), decode: once(firstFrame)}
}

// firstFrame decodes the first frame of a GIF where it stands on the screen. What
// it leaves free is clear.
func firstFrame(r io.Reader) (image.Image, error) {
	var head bytes.Buffer
	cfg, err := gif.DecodeConfig(io.TeeReader(r, &head))
	if err != nil {
		return nil, err
	}
	frame, err := gif.Decode(io.MultiReader(&head, r))
	if err != nil {
		return nil, err
	}
	at := frame.Bounds()
	screen := image.Rect(0, 0, cfg.Width, cfg.Height)
	if at == screen {
		return frame, nil
	}
	img := image.NewNRGBA(screen)
	draw.Draw(img, at, frame, at.Min, draw.Src)
	return img, nil
}
