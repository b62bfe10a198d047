package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/coclico/coclico/cmd/coclico/internal/batch"
	"github.com/coclico/coclico/codec"
)

// A fileInfo is what info prints of a file.
type fileInfo struct {
	File         string        `json:"file"`
	Bytes        int           `json:"bytes"`
	Bits         int           `json:"bits"` // of information
	Size         int           `json:"size"` // pixels of the longer side that bits_per_pixel are of
	BitsPerPixel float64       `json:"bits_per_pixel"`
	Raw          bool          `json:"raw,omitempty"`
	Profile      string        `json:"profile,omitempty"`
	Model        string        `json:"model,omitempty"` // the fingerprint's first 10 bits
	Whole        string        `json:"whole,omitempty"` // the shape of a whole picture, as width x height at Size
	Painting     *paintingInfo `json:"painting,omitempty"`
	Split        codec.Sizes   `json:"split"` // of the bytes
	Clip         clipInfo      `json:"clip"`
	Colour       colourInfo    `json:"colour_map"`

	width, height int // of the shape
}

// paintingInfo is how a file wants to be painted.
type paintingInfo struct {
	Steps    int     `json:"steps"`
	Guidance float64 `json:"guidance"`
	Strength float64 `json:"strength"`
	Seed     uint64  `json:"seed"`
}

type clipInfo struct {
	Dimensions int      `json:"dimensions"`
	Bits       int      `json:"bits_each,omitempty"` // not in the tuned profile
	Total      int      `json:"bits"`
	Codes      []uint16 `json:"codes"` // null if the file is of another model
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

func (a *app) infoFile(path string, how *reading, size int, asJSON bool) error {
	info, err := a.describe(path, how, size)
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
func (a *app) describe(path string, how *reading, size int) (fileInfo, error) {
	f, err := how.open(a, path)
	if err != nil {
		return fileInfo{}, err
	}
	info := fileInfo{
		File: path, Bytes: f.Len(), Bits: f.Bits(), Size: size, Raw: f.Raw(), Split: f.Sizes(),
		Clip:   clipInfo{Dimensions: f.Dimensions(), Bits: f.Format().DimensionBits, Total: f.VectorBits()},
		Colour: describeColour(f.File),
	}
	if f.vector != nil {
		info.Clip.Codes = f.vector.Codes
	}
	info.width, info.height = f.Size(size, 1)
	info.BitsPerPixel = 8 * float64(f.Len()) / (float64(info.width) * float64(info.height))
	if f.Raw() {
		return info, nil
	}
	s := f.Sampling()
	info.Profile, info.Model = f.Profile().String(), f.ModelID().String()
	info.Painting = &paintingInfo{s.Steps, s.Guidance, s.Strength, s.Seed}
	if f.Whole() {
		info.Whole = fmt.Sprintf("%dx%d", info.width, info.height)
	}
	return info, nil
}

// infoTable prints a line for each file, and what is wrong with those that are no streams.
func (a *app) infoTable(ctx context.Context, inputs []string, how *reading, size int, asJSON bool) error {
	failed := 0
	fail := func(err error) {
		a.complain(err.Error())
		failed++
	}
	var files []string
	for _, input := range inputs {
		if input == stdio {
			files = append(files, input)
			continue
		}
		found, _, err := batch.Find(ctx, input, isStreamName, "*"+streamExt+" files")
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			fail(err)
		}
		files = append(files, found...)
	}
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(t, "file\tbytes\tbits per pixel\tmodel\tCLIP\tcolour map\tmean colour\tpicture")
	}
	for _, path := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		info, err := a.describe(path, how, size)
		switch {
		case err != nil:
			fail(err)
		case asJSON:
			if err := printJSON(a.stdout, info); err != nil {
				return err
			}
		default:
			fmt.Fprintf(t, "%s\t%d\t%.4f\t%s\t%d: %d bits\t%d x %d x %d bits\t%s\t%s\n", printable(path), info.Bytes, info.BitsPerPixel, cmp.Or(info.Model, "raw"),
				info.Clip.Dimensions, info.Clip.Total, info.Colour.Size, info.Colour.Size, info.Colour.Bits, info.Colour.Mean, cmp.Or(info.Whole, "square"))
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

func describeColour(f *codec.File) colourInfo {
	n, img := f.Format().MapSize, f.ColorMap()
	codesY, codesU, codesV := f.ColorCodes()
	info := colourInfo{Size: n, Bits: f.Format().ColorBits, Y: rows(codesY, n), U: rows(codesU, n/2), V: rows(codesV, n/2)}
	var sum [3]int
	for y := range n {
		var line []string
		for x := range n {
			r, g, b, _ := img.At(x, y).RGBA()
			px := [3]int{int(r >> 8), int(g >> 8), int(b >> 8)}
			line = append(line, hex(px))
			for c := range sum {
				sum[c] += px[c]
			}
		}
		info.RGB = append(info.RGB, line)
	}
	for c := range sum {
		sum[c] = (sum[c] + n*n/2) / (n * n)
	}
	info.Mean = hex(sum)
	return info
}

func hex(px [3]int) string { return fmt.Sprintf("#%02x%02x%02x", px[0], px[1], px[2]) }

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
	fmt.Fprintf(w, "%s: %d bytes of %d bits, %.4f bits per pixel at %d x %d\n", printable(i.File), i.Bytes, i.Bits, i.BitsPerPixel, i.width, i.height)
	fmt.Fprintf(w, "bytes:       header %.1f, CLIP vector %.1f, colour map %.1f\n", i.Split.Header, i.Split.Vector, i.Split.Color)
	if p := i.Painting; p != nil {
		fmt.Fprintf(w, "file:        %s profile, of model %s\n", i.Profile, i.Model)
		fmt.Fprintf(w, "picture:     %s; %d steps, guidance %g, strength %g, seed %d\n", cmp.Or(i.Whole, "the centre square"), p.Steps, p.Guidance, p.Strength, p.Seed)
	} else {
		fmt.Fprintln(w, "file:        raw bits")
	}
	fmt.Fprintf(w, "CLIP vector: %d dimensions in %d bits", i.Clip.Dimensions, i.Clip.Total)
	switch {
	case i.Clip.Codes == nil:
		fmt.Fprintln(w, ", not read: that takes the model that the file was made with (--model)")
	case i.Clip.Bits == 0:
		fmt.Fprintln(w, ", some of them in more than others")
	default:
		ones := 0
		for _, c := range i.Clip.Codes {
			ones += int(c) >> (i.Clip.Bits - 1)
		}
		fmt.Fprintf(w, ", %d of them not negative\n", ones)
	}
	fmt.Fprintf(w, "colour map:  %d x %d pixels, YUV 4:2:0 of %d bits\n", i.Colour.Size, i.Colour.Size, i.Colour.Bits)
	if drawMap(w, i.Colour.RGB, i.width, i.height, colourDepth(w)) {
		return
	}
	for _, line := range i.Colour.RGB {
		fmt.Fprintln(w, "  "+strings.Join(line, " "))
	}
}
