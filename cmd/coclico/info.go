package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/stream"
	"github.com/coclico/coclico/kernels"
)

func (a *app) infoCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "info FILE",
		Short: "Say what the bits of a file are, or what this machine computes with",
		Long: `Info prints what a file says: its size, its CLIP bits and its colour map. It needs no model; a stream's
length and the format parameters give the number of CLIP dimensions, a multiple of 8.

With --machine it prints instead which implementations of the arithmetic this machine can run.`,
		Example: "  coclico info photo.coclico\n  coclico info photo.coclico --json\n  coclico info --machine",
		Args:    cobra.MaximumNArgs(1),
	}
	flags := cmd.Flags()
	format := formatFlags(flags)
	asJSON := flags.Bool("json", false, "print JSON")
	machine := flags.Bool("machine", false, "print what this machine computes with")
	size := flags.Int("size", 768, "pixels per side that bits per pixel are given for")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if *machine != (len(args) == 0) {
			return usagef("info needs a FILE or --machine")
		}
		if *machine {
			return a.infoMachine(*asJSON)
		}
		if *size < 1 || *size > 1<<20 {
			return usagef("--size %d: 1 to %d", *size, 1<<20)
		}
		if err := checkFormat(format); err != nil {
			return err
		}
		return a.infoFile(args[0], *format, *size, *asJSON)
	}
	return cmd
}

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
	RGB  [][]string `json:"rgb"` // the colours that the codes stand for
}

func (a *app) infoFile(path string, f codec.Format, size int, asJSON bool) error {
	data, err := a.readStream(path, maxStream)
	if err != nil {
		return err
	}
	p, err := guessDimensions(f, len(data))
	if err != nil {
		return fileError(path, err)
	}
	s, err := stream.Unpack(p, data)
	if err != nil {
		return fileError(path, err)
	}
	info := fileInfo{
		File: path, Bytes: len(data), Bits: p.Bits(), Size: size, BitsPerPixel: p.BitsPerPixel(size, size),
		Clip:   clipInfo{p.EmbeddingDim, p.EmbeddingBits, s.Embedding},
		Colour: describeColour(s.Colour, p),
	}
	if asJSON {
		return printJSON(a.stdout, info)
	}
	info.print(a.stdout)
	return nil
}

// guessDimensions returns the parameters of a stream of n bytes. The number of CLIP dimensions follows
// from the length, but for the padding: it is taken to be a multiple of 8, as in every CLIP there is.
func guessDimensions(f codec.Format, n int) (stream.Params, error) {
	p, err := f.Params(8)
	if err != nil {
		return p, err
	}
	colour := p.Bits() - 8*p.EmbeddingBits
	p.EmbeddingDim = (8*n - colour) / p.EmbeddingBits &^ 7
	if p.EmbeddingDim < 8 || p.EmbeddingDim > stream.MaxEmbeddingDim || p.Bytes() != n {
		return p, fmt.Errorf("%d bytes are no stream of these parameters: give those that it was encoded with (--map-size, --colour-bits, --clip-bits)", n)
	}
	return p, nil
}

func describeColour(c stream.Colour, p stream.Params) colourInfo {
	n := p.MapSize
	rgb := stream.DequantiseColour(c, n, p.ColourBits)
	info := colourInfo{Size: n, Bits: p.ColourBits, Y: rows(c.Y, n), U: rows(c.U, n/2), V: rows(c.V, n/2)}
	for y := range n {
		var line []string
		for x := range n {
			px := rgb[3*(y*n+x):]
			line = append(line, fmt.Sprintf("#%02x%02x%02x", eight(px[0]), eight(px[1]), eight(px[2])))
		}
		info.RGB = append(info.RGB, line)
	}
	return info
}

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
	for _, line := range i.Colour.RGB {
		fmt.Fprint(w, " ")
		for _, c := range line {
			fmt.Fprint(w, " ", c)
		}
		fmt.Fprintln(w)
	}
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// A kernelInfo is an implementation of the arithmetic.
type kernelInfo struct {
	Name      string `json:"name"`
	Available bool   `json:"available"`
	Active    bool   `json:"active"`
}

func (a *app) infoMachine(asJSON bool) error {
	var list []kernelInfo
	for _, name := range kernels.Names() {
		list = append(list, kernelInfo{name, kernels.Available(name), name == kernels.Active()})
	}
	if asJSON {
		return printJSON(a.stdout, list)
	}
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "kernels\tavailable\tin use")
	for _, k := range list {
		yes, why := "no", ""
		if k.Available {
			yes = "yes"
		}
		if k.Active {
			why = "best available"
			if forced() {
				why = kernels.EnvVar + " asks for it"
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", k.Name, yes, why)
	}
	return t.Flush()
}
