package picture

import (
	"bytes"
	"image"
	"image/draw"
	"image/gif"
	"io"
	"strings"

	"github.com/coclico/coclico/cmd/internal/picture/jpeg"
)

func gifFormat() format {
	return format{name: "GIF", magic: "GIF8?a", config: once(gif.DecodeConfig), decode: decodeGIF}
}

// gifEnd is what follows the data of a file's last frame.
const gifEnd = "\x00;"

// decodeGIF decodes the first frame, also of a file that only lacks its end.
func decodeGIF(r io.ReadSeeker) (image.Image, error) {
	img, err := firstFrame(r)
	if err == nil {
		return img, nil
	}
	if _, e := r.Seek(0, io.SeekStart); e != nil {
		return nil, e
	}
	if img, e := firstFrame(io.MultiReader(r, strings.NewReader(gifEnd))); e == nil {
		return img, warning(jpeg.NoEnd)
	}
	return nil, err
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
