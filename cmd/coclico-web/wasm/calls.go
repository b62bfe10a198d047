//go:build js && wasm

package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"strconv"
	"syscall/js"

	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec"
)

// side is that of the built-in model's pictures, and unit what sizes are
// multiples of.
const side, unit = 128, 8

func (p *program) encode(args []js.Value) (any, error) {
	given := options{args[1]}
	file := fileOf(args[0])
	if data := held(file); data != nil && len(keys(given.Value)) == 0 {
		return encoded(data, []any{})
	}
	img, warnings, err := read(file, args[0])
	if err != nil {
		return nil, err
	}
	o := codec.EncodeOptions{Profile: codec.Tuned}
	if err := option(given, "candidates", &o.Candidates); err != nil {
		return nil, err
	}
	if o.Sampling, err = given.sampling(codec.DefaultSampling(o.Profile)); err != nil {
		return nil, err
	}
	ctx, end := aborting(args[3])
	defer end()
	o.Progress = func(pr codec.Progress) {
		if pr.Stage == codec.StageCandidates && pr.Steps > 0 {
			args[2].Invoke(map[string]any{"candidate": pr.Candidate, "candidates": pr.Candidates, "step": pr.Step, "steps": pr.Steps})
		}
		yield()
	}
	data, err := p.codec.Encode(ctx, img, &o)
	if err != nil {
		return nil, err
	}
	return encoded(data, warnings)
}

// encoded returns what a file says, and what is worth knowing about the picture
// that it was made of.
func encoded(data []byte, warnings []any) (any, error) {
	f, err := codec.Parse(data)
	if err != nil {
		return nil, err
	}
	d := describe(f)
	d["warnings"] = warnings
	return d, nil
}

// fileOf returns the picture file to encode, nil if the input is pixels that the
// browser has read. An encode copies it once: the program's memory never shrinks.
func fileOf(input js.Value) []byte {
	if !input.InstanceOf(js.Global().Get("Uint8Array")) {
		return nil
	}
	return bytesOf(input)
}

// held returns the .coclico file in a PNG, or nil.
func held(file []byte) []byte {
	data, err := picture.Stream(bytes.NewReader(file))
	if err != nil {
		return nil // read reports it
	}
	return data
}

// read returns the picture of the input's file, or of its pixels.
func read(file []byte, input js.Value) (image.Image, []any, error) {
	warnings := []any{}
	if pixels := input.Get("rgba"); !pixels.IsUndefined() {
		w, h := input.Get("width").Int(), input.Get("height").Int()
		pix := bytesOf(pixels)
		if w < 1 || h < 1 || w > picture.MaxPixels/h || len(pix) != 4*w*h {
			return nil, nil, fmt.Errorf("%d bytes are not a picture of %d x %d pixels", len(pix), w, h)
		}
		return &image.NRGBA{Pix: pix, Stride: 4 * w, Rect: image.Rect(0, 0, w, h)}, warnings, nil
	}
	f, err := picture.Open(bytes.NewReader(file))
	if err != nil {
		return nil, nil, err
	}
	img, err := f.Image()
	for _, w := range f.Warnings {
		warnings = append(warnings, w)
	}
	return img, warnings, err
}

func (p *program) parse(args []js.Value) (any, error) {
	f, err := codec.Parse(bytesOf(args[0]))
	if err != nil {
		return nil, err
	}
	return describe(f), nil
}

// describe returns what a file says without being painted.
func describe(f *codec.File) map[string]any {
	s, sizes := f.Sampling(), f.Sizes()
	w, h := f.Size(side, unit)
	return map[string]any{
		"file": base64.RawURLEncoding.EncodeToString(f.Bytes()), "bytes": f.Len(), "width": w, "height": h,
		"map": map[string]any{"size": f.ColorMap().Bounds().Dx(), "rgb": base64.StdEncoding.EncodeToString(samples(f.ColorMap(), 3))},
		"info": map[string]any{
			"profile": f.Profile().String(), "model": f.ModelID().String(), "whole": f.Whole(), "bits": f.Bits(),
			"bits_per_pixel": float64(8*f.Len()) / float64(w*h),
			"split":          map[string]any{"header": sizes.Header, "prompt": sizes.Prompt, "color": sizes.Color, "clip": sizes.Vector, "stored": sizes.Stored},
			"sampling": map[string]any{
				"steps": s.Steps, "guidance": s.Guidance, "strength": s.Strength, "seed": strconv.FormatUint(s.Seed, 10), "color_guidance": s.ColorGuidance,
			},
			"candidate": f.Candidate(), "prompt": f.Prompt(),
		},
	}
}

func (p *program) decode(args []js.Value) (any, error) {
	f, err := codec.Parse(bytesOf(args[0]))
	if err != nil {
		return nil, err
	}
	given := options{args[1]}
	var o codec.DecodeOptions
	if err := option(given, "size", &o.Size); err != nil {
		return nil, err
	}
	if o.Sampling, err = given.sampling(f.Sampling()); err != nil {
		return nil, err
	}
	ctx, end := aborting(args[3])
	defer end()
	o.Progress = func(codec.Progress) { yield() }
	o.Preview = func(v codec.Preview) {
		size := v.Image.Bounds().Size()
		preview := map[string]any{"width": size.X, "height": size.Y, "rgba": arrayOf(samples(v.Image, 4))}
		args[2].Invoke(map[string]any{"step": v.Step, "steps": v.Steps, "preview": preview})
	}
	img, err := p.codec.Paint(ctx, f, &o)
	if err != nil {
		return nil, err
	}
	return encodePNG(img, f)
}

// encodePNG writes a picture that holds its file, as that of coclico serve does.
func encodePNG(img image.Image, f *codec.File) (any, error) {
	write, err := picture.EncoderFor(".png")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = write(&b, img, picture.Options{Stream: f.Bytes(), Notes: []picture.Note{
		{Key: "Software", Text: "coclico"},
		{Key: "Comment", Text: fmt.Sprintf("Generated picture: painted by a diffusion model from %d bytes, not a photograph", f.Len())},
	}})
	if err != nil {
		return nil, err
	}
	return arrayOf(b.Bytes()), nil
}

// samples returns an opaque picture's RGB or RGBA samples, n a pixel, row by row.
func samples(img image.Image, n int) []byte {
	b := img.Bounds()
	pix := make([]byte, 0, n*b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, b, a := img.At(x, y).RGBA()
			pix = append(pix, []byte{byte(r >> 8), byte(g >> 8), byte(b >> 8), byte(a >> 8)}[:n]...)
		}
	}
	return pix
}
