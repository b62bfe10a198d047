// Package inspect describes files and compares them: it has what the commands
// info and compare print.
package inspect

import (
	"cmp"
	"fmt"
	"image"
	"io"
	"strconv"
	"strings"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
)

// A Subject is a file to inspect, or what a picture is encoded as.
type Subject struct {
	Name   string
	File   *codec.File
	Vector *codec.Vector // nil if the file's model is not at hand
	Model  string        // the name of the file's model, "" if it is not at hand
	Side   int           // pixels of the longer side of what is painted; 0 is DefaultSide
}

// DefaultSide is the longer side of what the paper's model paints.
const DefaultSide = 768

// A Size is how large a file is painted.
type Size struct{ Width, Height int }

// unit is what sides of paintings are multiples of: a latent of Stable Diffusion's
// autoencoders and of the built-in one has 8 x 8 pixels.
const unit = 8

// SizeOf returns the size of a file whose longer side has so many pixels; 0 is
// DefaultSide.
func SizeOf(f *codec.File, side int) Size {
	w, h := f.Size(cmp.Or(side, DefaultSide), unit)
	return Size{w, h}
}

// BitsPerPixel returns the rate of a file of n bytes.
func (s Size) BitsPerPixel(n int) float64 {
	return 8 * float64(n) / (float64(s.Width) * float64(s.Height))
}

// A Description is what info prints about a file.
type Description struct {
	File         string      `json:"file"`
	FileBytes    []byte      `json:"file_bytes,omitempty"` // of a name that is not UTF-8
	Bytes        int         `json:"bytes"`
	Bits         int         `json:"bits"` // of information
	Size         int         `json:"size"` // pixels of the longer side
	BitsPerPixel float64     `json:"bits_per_pixel"`
	Raw          bool        `json:"raw,omitempty"`
	Profile      string      `json:"profile,omitempty"`
	Model        string      `json:"model,omitempty"`      // its ID
	ModelName    string      `json:"model_name,omitempty"` // if it is on this machine
	Whole        string      `json:"whole,omitempty"`      // the shape of a whole picture, as width x height
	Sampling     *Sampling   `json:"sampling,omitempty"`
	Candidate    int         `json:"candidate,omitempty"` // see codec.File.Candidate
	Prompt       string      `json:"prompt,omitempty"`    // what the file says in words
	Split        codec.Sizes `json:"split"`               // of the bytes
	Clip         Clip        `json:"clip"`
	Color        Color       `json:"color_map"`

	size Size
	img  image.Image // the color map
}

// Sampling is how a file is painted by default, in JSON.
type Sampling struct {
	Steps         int     `json:"steps"`
	Guidance      float64 `json:"guidance"`
	Strength      float64 `json:"strength"`
	Seed          string  `json:"seed"` // JavaScript's numbers have 53 bits
	ColorGuidance float64 `json:"color_guidance"`
}

// SamplingOf returns the sampling of a file.
func SamplingOf(f *codec.File) Sampling {
	s := f.Sampling()
	return Sampling{s.Steps, s.Guidance, s.Strength, strconv.FormatUint(s.Seed, 10), s.ColorGuidance}
}

// Clip describes a file's CLIP vector.
type Clip struct {
	Dimensions int      `json:"dimensions"`
	Bits       int      `json:"bits_each,omitempty"` // not in the tuned profile
	Total      int      `json:"bits"`
	Codes      []uint16 `json:"codes"` // null without the file's model
}

// Color describes a file's color map.
type Color struct {
	Size int        `json:"size"`
	Bits int        `json:"bits_each"`
	Y    [][]int    `json:"y"`
	U    [][]int    `json:"u"`
	V    [][]int    `json:"v"`
	RGB  [][]string `json:"rgb"`  // the colors that the codes stand for
	Mean string     `json:"mean"` // of these
}

// Describe describes a file.
func Describe(s Subject) Description {
	f := s.File
	d := Description{
		File: s.Name, FileBytes: files.Bytes(s.Name), Bytes: f.Len(), Bits: f.Bits(), Raw: f.Raw(), Split: f.Sizes(),
		Clip:  Clip{Dimensions: f.Dimensions(), Bits: f.Format().DimensionBits, Total: f.VectorBits()},
		Color: describeColor(f),
		size:  SizeOf(f, s.Side), img: f.ColorMap(),
	}
	d.Size = max(d.size.Width, d.size.Height)
	d.BitsPerPixel = d.size.BitsPerPixel(f.Len())
	if s.Vector != nil {
		d.Clip.Codes = s.Vector.Codes
	}
	if f.Raw() {
		return d
	}
	sampling := SamplingOf(f)
	d.Profile, d.Model, d.ModelName = f.Profile().String(), f.ModelID().String(), s.Model
	d.Sampling, d.Candidate, d.Prompt = &sampling, f.Candidate(), f.Prompt()
	if f.Whole() {
		d.Whole = fmt.Sprintf("%dx%d", d.size.Width, d.size.Height)
	}
	return d
}

func describeColor(f *codec.File) Color {
	n, img := f.Format().MapSize, f.ColorMap()
	y, u, v := f.ColorCodes()
	c := Color{Size: n, Bits: f.Format().ColorBits, Y: rows(y, n), U: rows(u, n/2), V: rows(v, n/2)}
	var sum [3]int
	for y := range n {
		var line []string
		for x := range n {
			r, g, b, _ := img.At(x, y).RGBA()
			px := [3]int{int(r >> 8), int(g >> 8), int(b >> 8)}
			line = append(line, hex(px))
			for i := range sum {
				sum[i] += px[i]
			}
		}
		c.RGB = append(c.RGB, line)
	}
	for i := range sum {
		sum[i] = (sum[i] + n*n/2) / (n * n)
	}
	c.Mean = hex(sum)
	return c
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

// Print prints the description, with the color map as a picture where the
// terminal has colors.
func (d Description) Print(s *terminal.Screen) {
	w := s.Out
	fmt.Fprintf(w, "%s: %d bytes of %d bits, %.4f bits per pixel at %d x %d\n", terminal.Printable(d.File), d.Bytes, d.Bits, d.BitsPerPixel, d.size.Width, d.size.Height)
	prompt := ""
	if d.Prompt != "" {
		prompt = fmt.Sprintf("prompt %.1f, ", d.Split.Prompt)
	}
	fmt.Fprintf(w, "bytes:       header %.1f, %sCLIP vector %.1f, color map %.1f\n", d.Split.Header, prompt, d.Split.Vector, d.Split.Color)
	if p := d.Sampling; p != nil {
		seed := "seed " + p.Seed
		if d.Candidate > 0 {
			seed += fmt.Sprintf(" (candidate %d)", d.Candidate)
		}
		fmt.Fprintf(w, "file:        %s profile, of model %s (%s)\n", d.Profile, d.Model, cmp.Or(terminal.Printable(d.ModelName), "not on this machine"))
		fmt.Fprintf(w, "picture:     %s; %d steps, guidance %g, strength %g, %s, color guidance %g\n", cmp.Or(d.Whole, "the center square"), p.Steps, p.Guidance, p.Strength, seed, p.ColorGuidance)
	} else {
		fmt.Fprintln(w, "file:        raw bits")
	}
	if d.Prompt != "" {
		fmt.Fprintf(w, "prompt:      %s\n", terminal.Printable(d.Prompt))
	}
	d.Clip.print(w)
	fmt.Fprintf(w, "color map:   %d x %d pixels, YUV 4:2:0 of %d bits\n", d.Color.Size, d.Color.Size, d.Color.Bits)
	if s.ColorMap(d.img, d.size.Width, d.size.Height) {
		return
	}
	for _, line := range d.Color.RGB {
		fmt.Fprintln(w, "  "+strings.Join(line, " "))
	}
}

func (c Clip) print(w io.Writer) {
	fmt.Fprintf(w, "CLIP vector: %d dimensions in %d bits", c.Dimensions, c.Total)
	switch {
	case c.Codes == nil:
		fmt.Fprintln(w, ", not read: that needs the model that the file was made with (--model)")
	case c.Bits == 0:
		fmt.Fprintln(w, ", more of them for some than for others")
	default:
		ones := 0
		for _, code := range c.Codes {
			ones += int(code) >> (c.Bits - 1)
		}
		fmt.Fprintf(w, ", %d of them not negative\n", ones)
	}
}

// Header names the columns of Row.
const Header = "file\tbytes\tbits per pixel\tmodel\tCLIP\tcolor map\tmean color\tpicture"

// Row returns the description as a line of a table, its columns separated by
// tabs.
func (d Description) Row() string {
	return fmt.Sprintf("%s\t%d\t%.4f\t%s\t%d: %d bits\t%d x %d x %d bits\t%s\t%s", terminal.Printable(d.File), d.Bytes, d.BitsPerPixel, cmp.Or(d.Model, "raw"),
		d.Clip.Dimensions, d.Clip.Total, d.Color.Size, d.Color.Size, d.Color.Bits, d.Color.Mean, cmp.Or(d.Whole, "square"))
}
