// Command pictures paints what a colorist looks for faults in: a gray photo, a
// flat sky, a panorama, a tall crop and color maps of 4, 16 and 32 pixels with
// eight bits. Each file has the input, its color map and the painting side by
// side.
//
//	go run ./bench/pictures -o bench/pictures
//
// A grid of the map's cells, ringing at edges, or a tint of grays would show
// here. It uses the built-in model, and three of codec/testdata/photos.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"log"
	"math"
	"os"
	"path/filepath"

	"github.com/coclico/coclico/codec"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("pictures: ")
	folder := flag.String("o", "", "folder to write to")
	photos := flag.String("photos", "codec/testdata/photos", "folder of coffee.jpg, mountain-meadow.jpg and rocket.jpg")
	flag.Parse()
	if *folder == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*folder, *photos); err != nil {
		log.Fatal(err)
	}
}

func run(folder, photos string) error {
	var errs [3]error
	coffee, meadow, rocket := open(photos, "coffee.jpg", &errs[0]), open(photos, "mountain-meadow.jpg", &errs[1]), open(photos, "rocket.jpg", &errs[2])
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	c, err := codec.BuiltIn()
	if err != nil {
		return err
	}
	defer c.Close()
	whole := codec.EncodeOptions{Profile: codec.Tuned, Whole: true}
	for _, p := range []struct {
		name    string
		picture image.Image
		o       codec.EncodeOptions
	}{
		{"gray", gray(coffee), codec.EncodeOptions{Profile: codec.Tuned}},
		{"sky", sky(1152, 384), whole},
		{"panorama", crop(meadow, 3, 1), whole},
		{"tall", crop(rocket, 1, 3), whole},
		{"map4", meadow, mapOf(4, 8)},
		{"map8", meadow, mapOf(8, 2)},
		{"map16", meadow, mapOf(16, 8)},
		{"map32", meadow, mapOf(32, 8)},
	} {
		if err := paint(c, p.picture, p.o, filepath.Join(folder, p.name+".png")); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

func mapOf(size, bits int) codec.EncodeOptions {
	return codec.EncodeOptions{Profile: codec.Tuned, Format: codec.Format{MapSize: size, ColorBits: bits}}
}

// paint writes a picture, its color map and its painting beside each other.
func paint(c *codec.Codec, picture image.Image, o codec.EncodeOptions, name string) error {
	ctx := context.Background()
	data, err := c.Encode(ctx, picture, &o)
	if err != nil {
		return err
	}
	f, err := codec.Parse(data)
	if err != nil {
		return err
	}
	painting, err := c.Paint(ctx, f, nil)
	if err != nil {
		return err
	}
	b := painting.Bounds()
	w, h := b.Dx(), b.Dy()
	if !o.Whole {
		picture = crop(picture, 1, 1)
	}
	const gap = 4
	sheet := image.NewRGBA(image.Rect(0, 0, 3*w+2*gap, h))
	draw.Draw(sheet, sheet.Bounds(), image.White, image.Point{}, draw.Src)
	for i, img := range []image.Image{average(picture, w, h), average(f.ColorMap(), w, h), painting} {
		x := i * (w + gap)
		draw.Draw(sheet, image.Rect(x, 0, x+w, h), img, img.Bounds().Min, draw.Src)
	}
	fmt.Printf("%s: %d bytes, %d x %d\n", name, len(data), w, h)
	return save(sheet, name)
}

// save writes a PNG.
func save(img image.Image, name string) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return png.Encode(f, img)
}

func open(folder, name string, err *error) image.Image {
	f, e := os.Open(filepath.Join(folder, name))
	if e != nil {
		*err = e
		return nil
	}
	defer f.Close()
	img, e := jpeg.Decode(f)
	if e != nil {
		*err = fmt.Errorf("%s: %w", f.Name(), e)
	}
	return img
}

func gray(img image.Image) image.Image {
	g := image.NewGray(img.Bounds())
	draw.Draw(g, g.Bounds(), img, img.Bounds().Min, draw.Src)
	return g
}

// sky returns a clear sky: a smooth gradient, in which every line would show.
func sky(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		t := float64(y) / float64(h-1)
		mix := func(a, b float64) uint8 { return uint8(math.Round(a + (b-a)*t)) }
		c := color.RGBA{mix(70, 190), mix(120, 215), mix(200, 235), 255}
		for x := range w {
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// crop returns the largest center part of a shape.
func crop(img image.Image, w, h int) image.Image {
	b := img.Bounds()
	n := min(b.Dx()/w, b.Dy()/h)
	corner := b.Min.Add(image.Pt((b.Dx()-n*w)/2, (b.Dy()-n*h)/2))
	out := image.NewRGBA(image.Rect(0, 0, n*w, n*h))
	draw.Draw(out, out.Bounds(), img, corner, draw.Src)
	return out
}

// average scales a picture: the mean of each pixel's area, or of the one pixel
// that it lies in.
func average(img image.Image, w, h int) image.Image {
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		y0, y1 := y*b.Dy()/h, max((y+1)*b.Dy()/h, y*b.Dy()/h+1)
		for x := range w {
			x0, x1 := x*b.Dx()/w, max((x+1)*b.Dx()/w, x*b.Dx()/w+1)
			out.SetRGBA(x, y, mean(img, b.Min, image.Rect(x0, y0, x1, y1)))
		}
	}
	return out
}

func mean(img image.Image, corner image.Point, area image.Rectangle) color.RGBA {
	var r, g, b, n uint64
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			cr, cg, cb, _ := img.At(corner.X+x, corner.Y+y).RGBA()
			r, g, b, n = r+uint64(cr), g+uint64(cg), b+uint64(cb), n+1
		}
	}
	eight := func(sum uint64) uint8 { return uint8((sum/n + 128) / 257) }
	return color.RGBA{eight(r), eight(g), eight(b), 255}
}
