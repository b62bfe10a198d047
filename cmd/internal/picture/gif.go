package picture

import (
	"bufio"
	"bytes"
	"image"
	"image/draw"
	"image/gif"
	"io"
	"strings"

	"github.com/coclico/coclico/cmd/internal/icc"
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

// gifProfile is the application extension that holds an ICC profile.
const gifProfile = "ICCRGBG1012"

// readGIF reads the profile that stands before the first frame.
func (m *metadata) readGIF(r io.Reader) {
	b := bufio.NewReader(r)
	head := make([]byte, 13)
	if _, err := io.ReadFull(b, head); err != nil {
		return
	}
	if flags := head[10]; flags&0x80 != 0 { // with a palette
		_, _ = b.Discard(3 << (1 + flags&7)) // the next read has its error
	}
	for range maxChunks {
		const extension = 0x21
		if kind, err := b.ReadByte(); err != nil || kind != extension {
			return
		}
		_, _ = b.ReadByte() // its label; its name tells it, too
		data, err := subBlocks(b, len(gifProfile)+maxProfile)
		if err != nil {
			return
		}
		if profile, ok := bytes.CutPrefix(data, []byte(gifProfile)); ok {
			if len(profile) > maxProfile {
				m.faulty = icc.FormatError("too long")
			} else {
				m.setICC(profile)
			}
			return
		}
	}
}

// subBlocks reads the parts of an extension, up to an empty one. It keeps up to
// limit bytes and a part.
func subBlocks(r *bufio.Reader, limit int) (data []byte, err error) {
	for {
		n, err := r.ReadByte()
		if err != nil || n == 0 {
			return data, err
		}
		var part [255]byte
		if _, err := io.ReadFull(r, part[:n]); err != nil {
			return nil, err
		}
		if len(data) <= limit {
			data = append(data, part[:n]...)
		}
	}
}
