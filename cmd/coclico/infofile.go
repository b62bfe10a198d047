package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/coclico/coclico/cmd/coclico/internal/batch"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/stream"
)

// A fileInfo is what info prints of a file.
type fileInfo struct {
	File         string     `json:"file"`
	Bytes        int        `json:"bytes"`
	Bits         int        `json:"bits"`
	Size         int        `json:"size"` // pixels per side that bits_per_pixel are of
	BitsPerPixel float64    `json:"bits_per_pixel"`
	Clip         clipInfo   `json:"clip"`
	Colour       colourInfo `json:"colour_map"`
}

type clipInfo struct {
	Dimensions int      `json:"dimensions"`
	Bits       int      `json:"bits_each"`
	Codes      []uint16 `json:"codes"`
}

type colourInfo struct {
	Size int        `json:"size"`
	Bits int        `json:"bits_each"`
	Y    [][]int    `json:"y"`
	U    [][]int    `json:"u"`
	V    [][]int    `json:"v"`
	RGB  [][]string `json:"rgb"`  // the colours that the codes stand for
	Mean string     `json:"mean"` // of these
}

func (a *app) infoFile(path string, f codec.Format, size int, asJSON bool) error {
	info, err := a.describe(path, f, size)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(a.stdout, info)
	}
	info.print(a.stdout)
	return nil
}

// describe reads a file.
func (a *app) describe(path string, f codec.Format, size int) (fileInfo, error) {
	c, err := a.readCoded(path, f)
	if err != nil {
		return fileInfo{}, err
	}
	p := c.Params
	return fileInfo{
		File: path, Bytes: c.Bytes, Bits: p.Bits(), Size: size, BitsPerPixel: 8 * float64(c.Bytes) / (float64(size) * float64(size)),
		Clip:   clipInfo{p.EmbeddingDim, p.EmbeddingBits, c.Embedding},
		Colour: describeColour(c.Colour, p),
	}, nil
}

// infoTable prints a line for each file, and what is wrong with those that are no streams.
func (a *app) infoTable(inputs []string, f codec.Format, size int, asJSON bool) error {
	failed := 0
	fail := func(err error) {
		a.complain(err.Error())
		failed++
	}
	var files []string
	for _, input := range inputs {
		found, err := batch.Find(input, isStreamName, "*"+streamExt+" files")
		if err != nil {
			fail(err)
		}
		files = append(files, found...)
	}
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(t, "file\tbytes\tbits per pixel\tCLIP\tcolour map\tmean colour")
	}
	for _, path := range files {
		info, err := a.describe(path, f, size)
		switch {
		case err != nil:
			fail(err)
		case asJSON:
			if err := printJSON(a.stdout, info); err != nil {
				return err
			}
		default:
			fmt.Fprintf(t, "%s\t%d\t%.4f\t%d x %d bits\t%d x %d x %d bits\t%s\n", path, info.Bytes, info.BitsPerPixel,
				info.Clip.Dimensions, info.Clip.Bits, info.Colour.Size, info.Colour.Size, info.Colour.Bits, info.Colour.Mean)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d failed, listed above", failed)
	}
	return nil
}

// isStreamName reports whether a file in a folder is taken for a stream.
func isStreamName(path string) bool { return strings.EqualFold(filepath.Ext(path), streamExt) }

func describeColour(c stream.Colour, p stream.Params) colourInfo {
	n := p.MapSize
	rgb := stream.DequantiseColour(c, n, p.ColourBits)
	info := colourInfo{Size: n, Bits: p.ColourBits, Y: rows(c.Y, n), U: rows(c.U, n/2), V: rows(c.V, n/2)}
	var sum [3]float32
	for y := range n {
		var line []string
		for x := range n {
			px := rgb[3*(y*n+x):]
			line = append(line, hex(px[0], px[1], px[2]))
			for c := range sum {
				sum[c] += px[c] / float32(n*n)
			}
		}
		info.RGB = append(info.RGB, line)
	}
	info.Mean = hex(sum[0], sum[1], sum[2])
	return info
}

func hex(r, g, b float32) string { return fmt.Sprintf("#%02x%02x%02x", eight(r), eight(g), eight(b)) }

func eight(v float32) int { return int(v*255 + 0.5) }

func rows(codes []uint8, n int) [][]int {
	var out [][]int
	for y := range n {
		var line []int
		for _, c := range codes[y*n : (y+1)*n] {
			line = append(line, int(c))
		}
		out = append(out, line)
	}
	return out
}

func (i fileInfo) print(w io.Writer) {
	fmt.Fprintf(w, "%s: %d bytes, %d bits, %.4f bits per pixel at %d x %d\n", i.File, i.Bytes, i.Bits, i.BitsPerPixel, i.Size, i.Size)
	ones := 0
	for _, c := range i.Clip.Codes {
		if int(c)>>(i.Clip.Bits-1) != 0 {
			ones++
		}
	}
	fmt.Fprintf(w, "CLIP vector: %d dimensions of %d bits, %d of them not negative\n", i.Clip.Dimensions, i.Clip.Bits, ones)
	fmt.Fprintf(w, "colour map:  %d x %d pixels, YUV 4:2:0 of %d bits\n", i.Colour.Size, i.Colour.Size, i.Colour.Bits)
	if drawMap(w, i.Colour.RGB, colourDepth(w)) {
		return
	}
	for _, line := range i.Colour.RGB {
		fmt.Fprint(w, " ")
		for _, c := range line {
			fmt.Fprint(w, " ", c)
		}
		fmt.Fprintln(w)
	}
}
