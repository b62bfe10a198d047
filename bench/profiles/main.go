// Profiles compares the profiles on pictures, and makes the table that a budget is divided by:
//
//	go run ./bench/profiles -photos DIR [-model DIR] [-decode]      the profiles at equal size
//	go run ./bench/profiles -photos DIR -candidates 1,4,8           tuned files of the best of so many noises
//	go run ./bench/profiles -photos DIR -candidates 1 -finished 8   the best of so many finished pictures instead
//	go run ./bench/profiles -photos DIR -samplers                   samplers and numbers of steps
//	go run ./bench/profiles -photos DIR -sizes                      where the bytes of the paper's files are
//	go run ./bench/profiles -photos DIR -plans codec/plans.go       the table
//	go run ./bench/profiles -photos DIR -budgets 40,112,400         what budgets buy
package main

import (
	"context"
	"flag"
	"fmt"
	"image"
	"log"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/coclico/coclico/bench/folder"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
)

func main() {
	log.SetFlags(0)
	photos := flag.String("photos", "", "folder of JPEG and PNG pictures")
	model := flag.String("model", "", "model folder (default the built-in model)")
	paint := flag.Bool("decode", false, "also paint the pictures, and print their area color scores and CLIP distances")
	plans := flag.String("plans", "", "file to write the table of color maps to")
	budgets := flag.String("budgets", "", "budgets to divide, with commas between")
	candidates := flag.String("candidates", "", "numbers of noises to choose from, with commas between")
	samplers := flag.Bool("samplers", false, "paint with every sampler and several numbers of steps")
	sizes := flag.Bool("sizes", false, "print where the bytes of the paper's files are")
	flag.Parse()
	if err := run(*photos, *model, *plans, *budgets, *candidates, *sizes, *samplers, *paint); err != nil {
		log.Fatal(err)
	}
}

func run(photos, model, plans, budgets, candidates string, sizes, samplers, paint bool) error {
	pictures, err := readPictures(photos)
	if err != nil {
		return err
	}
	if plans != "" {
		return writePlans(plans, pictures)
	}
	c, err := openCodec(model)
	if err != nil {
		return err
	}
	defer c.Close()
	switch {
	case sizes:
		return printSizes(c, pictures)
	case samplers:
		return printSamplers(c, pictures)
	case candidates != "":
		c.KeepNetworks = true
		return each(candidates, func(n int) error {
			o := codec.EncodeOptions{Profile: codec.Tuned, Candidates: n}
			return mean(c, pictures, fmt.Sprintf("candidates %2d", n), o, true)
		})
	case budgets != "":
		return each(budgets, func(n int) error {
			o := codec.EncodeOptions{Profile: codec.Tuned, Bytes: n}
			return mean(c, pictures, fmt.Sprintf("budget %4d", n), o, false)
		})
	}
	return compare(c, pictures, paint)
}

// each calls do for each of some numbers with commas between.
func each(numbers string, do func(n int) error) error {
	for _, word := range strings.Split(numbers, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		if err := do(n); err != nil {
			return err
		}
	}
	return nil
}

// A picture is a file's.
type picture struct {
	name string
	img  image.Image
}

func readPictures(dir string) ([]picture, error) {
	paths, err := folder.Pictures(dir)
	if err != nil {
		return nil, err
	}
	log.Printf("%d pictures", len(paths))
	var all []picture
	for _, path := range paths {
		img, err := folder.Read(path)
		if err != nil {
			return nil, err
		}
		all = append(all, picture{filepath.Base(path), img})
	}
	return all, nil
}

func openCodec(model string) (*codec.Codec, error) {
	if model != "" {
		return codec.Open(model)
	}
	return codec.BuiltIn()
}

// A result is how well a file keeps a picture.
type result struct {
	bytes   int
	cosine  float64 // of the vector and the unquantized one
	colors  float64 // area color score of the color map
	painted float64 // and of the painted picture
	clip    float64 // its CLIP distance, 1 - cosine
}

func (r *result) add(o result) {
	r.bytes += o.bytes
	r.cosine += o.cosine
	r.colors += o.colors
	r.painted += o.painted
	r.clip += o.clip
}

func (r result) String(n float64) string {
	return fmt.Sprintf("%7.1f bytes  cosine %.4f  area color score of the map %.5f, painted %.5f  CLIP distance %.4f", float64(r.bytes)/n, r.cosine/n, r.colors/n, r.painted/n, r.clip/n)
}

// printSizes prints where the bytes of the paper's files are.
func printSizes(c *codec.Codec, pictures []picture) error {
	var sum codec.Sizes
	row := func(name string, s codec.Sizes, n float64) {
		bytes := (s.Header + s.Color + s.Vector) / n
		fmt.Printf("| %s | %.1f | %.1f | %.1f | %.1f |\n", name, bytes, s.Header/n, s.Vector/n, s.Color/n)
	}
	fmt.Println("| photo | bytes | header | CLIP | color map |\n|---|---|---|---|---|")
	for _, p := range pictures {
		data, err := c.Encode(context.Background(), p.img, nil)
		if err != nil {
			return err
		}
		f, err := codec.Parse(data)
		if err != nil {
			return err
		}
		s := f.Sizes()
		row(p.name, s, 1)
		sum.Header += s.Header
		sum.Color += s.Color
		sum.Vector += s.Vector
	}
	row("mean", sum, float64(len(pictures)))
	return nil
}

// compare prints the profiles at equal size: the tuned file has as many bytes as the paper's of the same picture.
func compare(c *codec.Codec, pictures []picture, paint bool) error {
	var sum [2]result
	for _, p := range pictures {
		limit := 0
		for profile := range sum {
			o := codec.EncodeOptions{Profile: codec.Profile(profile), Bytes: limit}
			r, err := measure(c, p, o, paint)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			limit = r.bytes
			sum[profile].add(r)
			fmt.Printf("%-24s %-5v %s\n", p.name, o.Profile, r.String(1))
		}
	}
	for profile, r := range sum {
		fmt.Printf("%-24s %-5v %s\n", "mean", codec.Profile(profile), r.String(float64(len(pictures))))
	}
	return nil
}

// mean prints what files of some options keep, on average.
func mean(c *codec.Codec, pictures []picture, name string, o codec.EncodeOptions, paint bool) error {
	var sum result
	for _, p := range pictures {
		r, err := measure(c, p, o, paint)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		sum.add(r)
	}
	fmt.Printf("%s %s\n", name, sum.String(float64(len(pictures))))
	return nil
}

func measure(c *codec.Codec, p picture, o codec.EncodeOptions, paint bool) (result, error) {
	data, whole, err := encode(c, p.img, &o)
	if err != nil {
		return result{}, err
	}
	f, err := format.Parse(data)
	if err != nil {
		return result{}, err
	}
	file, err := codec.Parse(data)
	if err != nil {
		return result{}, err
	}
	v, err := c.Vector(file)
	if err != nil {
		return result{}, err
	}
	target, err := average(p.img)
	if err != nil {
		return result{}, err
	}
	colors := quant.Upsample(quant.RGB(f.Header, f.Map), f.MapSize, quant.ScoreSide, quant.ScoreSide)
	r := result{bytes: len(data), cosine: quant.Cosine(v.Values, whole), colors: quant.Score(colors, target)}
	if paint {
		for seed := range uint64(*finished) {
			painted, clip, err := look(c, file, seed, target, whole)
			if err != nil {
				return r, err
			}
			if seed == 0 || clip < r.clip {
				r.painted, r.clip = painted, clip
			}
		}
	}
	return r, nil
}

// plain is whether pictures are painted without color guidance and projection.
var plain = flag.Bool("plain", false, "paint without color guidance and projection")

// color is another color guidance than the file's.
var color = flag.Float64("color", -1, "paint tuned files with this color guidance, 0 to 1")

// painting returns the options that a file is painted with.
func painting(f *codec.File) *codec.DecodeOptions {
	s := f.Sampling()
	switch {
	case *plain:
		s.ColorGuidance = 0
	case *color >= 0 && f.Profile() == codec.Tuned:
		s.ColorGuidance = *color
	}
	return &codec.DecodeOptions{Sampling: &s, NoProjection: *plain}
}

// finished is the number of finished pictures that one is chosen from.
var finished = flag.Int("finished", 1, "paint every file from so many seeds, and measure the picture of the least CLIP distance")

// look paints a file with its seed and so many more. It returns the picture's
// area color score and CLIP distance.
func look(c *codec.Codec, f *codec.File, more uint64, target, vector []float32) (colors, clip float64, err error) {
	o := painting(f)
	o.Sampling.Seed += more
	img, err := c.Paint(context.Background(), f, o)
	if err != nil {
		return 0, 0, err
	}
	painted, err := average(img)
	if err != nil {
		return 0, 0, err
	}
	seen, err := c.Embed(context.Background(), img, nil)
	if err != nil {
		return 0, 0, err
	}
	return quant.Score(painted, target), 1 - quant.Cosine(seen.Vector(), vector), nil
}

// encode also returns the CLIP vector as the tower computes it.
func encode(c *codec.Codec, img image.Image, o *codec.EncodeOptions) (data []byte, vector []float32, err error) {
	e, err := c.Embed(context.Background(), img, o)
	if err != nil {
		return nil, nil, err
	}
	data, err = e.Encode(context.Background())
	return data, e.Vector(), err
}

// average returns the pixels that the area color score compares.
func average(img image.Image) ([]float32, error) {
	rgb, side, err := quant.CenterSquare(img)
	if err != nil {
		return nil, err
	}
	return quant.Average(rgb, side, side, quant.ScoreSide), nil
}
