// Measure compares the profiles on pictures, and makes the table that a budget is divided by:
//
//	go run ./codec/measure -photos DIR [-model DIR] [-decode]      the profiles at equal size
//	go run ./codec/measure -photos DIR -sizes                      where the bytes of the paper's files are
//	go run ./codec/measure -photos DIR -plans codec/plans.go       the table
//	go run ./codec/measure -photos DIR -budgets 40,112,400         what budgets buy
package main

import (
	"context"
	"flag"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/container"
	"github.com/coclico/coclico/codec/stream"
	"github.com/coclico/coclico/codec/tuned"
)

func main() {
	log.SetFlags(0)
	photos := flag.String("photos", "", "folder of JPEG and PNG pictures")
	model := flag.String("model", "", "model folder (default the built-in model)")
	paint := flag.Bool("decode", false, "also paint the pictures, and score their colours")
	plans := flag.String("plans", "", "file to write the table of colour maps to")
	budgets := flag.String("budgets", "", "budgets to divide, with commas between")
	sizes := flag.Bool("sizes", false, "print where the bytes of the paper's files are")
	flag.Parse()
	if err := run(*photos, *model, *plans, *budgets, *sizes, *paint); err != nil {
		log.Fatal(err)
	}
}

func run(photos, model, plans, budgets string, sizes, paint bool) error {
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
	if sizes {
		return printSizes(c, pictures)
	}
	if budgets == "" {
		return compare(c, pictures, paint)
	}
	for _, word := range strings.Split(budgets, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		if err := budget(c, pictures, n); err != nil {
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
	names, err := filepath.Glob(filepath.Join(dir, "*.*g"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("%s: no pictures", dir)
	}
	slices.Sort(names)
	var all []picture
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		img, _, err := image.Decode(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, picture{filepath.Base(name), img})
	}
	return all, nil
}

func openCodec(model string) (*codec.Codec, error) {
	if model != "" {
		return codec.Open(model)
	}
	folder, err := codec.BuiltIn()
	if err != nil {
		return nil, err
	}
	return codec.New(folder), nil
}

// A result is how well a file keeps a picture.
type result struct {
	bytes   int
	cosine  float64 // of the vector and the unquantised one
	colours float64 // score of the colour map
	painted float64 // score of the painted picture
}

func (r *result) add(o result) {
	r.bytes += o.bytes
	r.cosine += o.cosine
	r.colours += o.colours
	r.painted += o.painted
}

func (r result) String(n float64) string {
	return fmt.Sprintf("%7.1f bytes  cosine %.4f  colour map %.5f  painted %.5f", float64(r.bytes)/n, r.cosine/n, r.colours/n, r.painted/n)
}

// printSizes prints where the bytes of the paper's files are.
func printSizes(c *codec.Codec, pictures []picture) error {
	var sum container.Split
	row := func(name string, s container.Split, n float64) {
		bytes := (s.Header + s.Colour + s.Vector) / n
		fmt.Printf("| %s | %.1f | %.1f | %.1f | %.1f |\n", name, bytes, s.Header/n, s.Vector/n, s.Colour/n)
	}
	fmt.Println("| photo | bytes | header | CLIP | colour map |\n|---|---|---|---|---|")
	for _, p := range pictures {
		data, err := c.Encode(context.Background(), p.img, nil)
		if err != nil {
			return err
		}
		s, err := container.SplitOf(data)
		if err != nil {
			return err
		}
		row(p.name, s, 1)
		sum.Header += s.Header
		sum.Colour += s.Colour
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

// budget prints what a budget buys, on average.
func budget(c *codec.Codec, pictures []picture, n int) error {
	var sum result
	for _, p := range pictures {
		r, err := measure(c, p, codec.EncodeOptions{Profile: codec.Tuned, Bytes: n}, false)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		sum.add(r)
	}
	fmt.Printf("budget %4d %s\n", n, sum.String(float64(len(pictures))))
	return nil
}

func measure(c *codec.Codec, p picture, o codec.EncodeOptions, paint bool) (result, error) {
	var whole []float32
	o.Trace = func(name string, x []float32) {
		if name == "image_embeds" {
			whole = slices.Clone(x)
		}
	}
	data, err := c.Encode(context.Background(), p.img, &o)
	if err != nil {
		return result{}, err
	}
	s, err := c.Sketch(data)
	if err != nil {
		return result{}, err
	}
	rgb, side, err := stream.CentreSquare(p.img)
	if err != nil {
		return result{}, err
	}
	target := stream.NewRGB(rgb, side, side, 32)
	n := s.Header.MapSize
	r := result{bytes: len(data), cosine: tuned.Cosine(s.Vector, whole), colours: codec.Score(stream.Upsample(s.RGB, n, 32, 32), target)}
	if paint {
		img, err := c.Decode(context.Background(), data, nil)
		if err != nil {
			return r, err
		}
		rgb, side, err := stream.CentreSquare(img)
		if err != nil {
			return r, err
		}
		r.painted = codec.Score(stream.NewRGB(rgb, side, side, 32), target)
	}
	return r, nil
}
