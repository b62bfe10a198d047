package terminal

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
)

// appendKitty appends a picture for kitty's graphics protocol
// (https://sw.kovidgoyal.net/kitty/graphics-protocol), which shows it over so
// many columns and rows and leaves the cursor: a PNG in pieces of 4096
// characters. It replaces the picture that has the same number.
func appendKitty(b []byte, img image.Image, number uint32, columns, rows int) []byte {
	keys := fmt.Sprintf("a=T,f=100,i=%d,p=1,q=2,C=1,c=%d,r=%d,", number, columns, rows)
	for data := inBase64(img); len(data) > 0; keys = "" {
		piece, more := data[:min(len(data), 4096)], 1
		if data = data[len(piece):]; len(data) == 0 {
			more = 0
		}
		b = fmt.Appendf(b, "\x1b_G%sm=%d;%s\x1b\\", keys, more, piece)
	}
	return b
}

// appendITerm2 appends a picture as iTerm2's inline image
// (https://iterm2.com/documentation-images.html).
func appendITerm2(b []byte, img image.Image, columns, rows int) []byte {
	return fmt.Appendf(b, "\x1b]1337;File=inline=1;width=%d;height=%d;preserveAspectRatio=0:%s\a", columns, rows, inBase64(img))
}

// inBase64 returns a picture as PNG in base64.
func inBase64(img image.Image) string {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic("terminal: picture without pixels")
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
