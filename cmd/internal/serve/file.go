package serve

import (
	"encoding/base64"
	"image"

	"github.com/coclico/coclico/cmd/internal/inspect"
	"github.com/coclico/coclico/codec"
)

// A fileJSON is a file, and what it tells without being painted.
type fileJSON struct {
	File   string   `json:"file"`
	Bytes  int      `json:"bytes"`
	Width  int      `json:"width"`
	Height int      `json:"height"`
	Map    mapJSON  `json:"map"`
	Info   fileInfo `json:"info"`
}

type fileInfo struct {
	Profile      string           `json:"profile"`
	Model        string           `json:"model"`
	Whole        bool             `json:"whole"`
	Bits         int              `json:"bits"`
	BitsPerPixel float64          `json:"bits_per_pixel"`
	Split        codec.Sizes      `json:"split"`
	Sampling     inspect.Sampling `json:"sampling"`
	Candidate    int              `json:"candidate,omitempty"`
	Prompt       string           `json:"prompt,omitempty"`
}

// A mapJSON is a color map.
type mapJSON struct {
	Size int    `json:"size"`
	RGB  []byte `json:"rgb"`
}

// describe describes a file.
func (s *Server) describe(f *codec.File) *fileJSON {
	size := inspect.SizeOf(f, s.Model.Side)
	return &fileJSON{
		File: base64URL(f.Bytes()), Bytes: f.Len(), Width: size.Width, Height: size.Height, Map: newMap(f.ColorMap()),
		Info: fileInfo{
			Profile: f.Profile().String(), Model: f.ModelID().String(), Whole: f.Whole(), Bits: f.Bits(),
			BitsPerPixel: size.BitsPerPixel(f.Len()), Split: f.Sizes(), Candidate: f.Candidate(), Prompt: f.Prompt(),
			Sampling: inspect.SamplingOf(f),
		},
	}
}

// sizeOf returns the size of a painting whose longer side has so many pixels.
func (s *Server) sizeOf(f *codec.File, side int) (width, height int) {
	size := inspect.SizeOf(f, side)
	return size.Width, size.Height
}

func newMap(img image.Image) mapJSON {
	b := img.Bounds()
	m := mapJSON{Size: b.Dx(), RGB: make([]byte, 0, 3*b.Dx()*b.Dy())}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			m.RGB = append(m.RGB, byte(r>>8), byte(g>>8), byte(b>>8))
		}
	}
	return m
}

// base64URL writes bytes as the page's links do.
func base64URL(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// parseBase64URL reads what base64URL writes.
func parseBase64URL(text string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(text) }
