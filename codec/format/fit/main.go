// Fit makes the tables of package format from pictures:
//
//	go run ./codec/format/fit -o codec/format/tables.go -train DIR -test DIR
//
// See README.md for the pictures that the committed tables are made of.
package main

import (
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
)

func main() {
	log.SetFlags(0)
	out := flag.String("o", "tables.go", "file to write")
	train := flag.String("train", "", "folder of JPEG pictures to fit the tables to")
	test := flag.String("test", "", "folder of JPEG pictures to measure the program's own tables on")
	chroma := flag.Bool("chroma", false, "fit only the tuned profile's chroma of two bits and more, and keep the other tables")
	crops := flag.Int("crops", 20, "squares cut of each training picture")
	flag.Parse()
	if err := run(*out, *train, *test, *crops, *chroma); err != nil {
		log.Fatal(err)
	}
}

func run(out, train, test string, crops int, chroma bool) error {
	if train != "" {
		maps, err := readMaps(train, crops)
		if err != nil {
			return err
		}
		if err := makeTables(&maps, chroma).write(out); err != nil {
			return err
		}
	}
	if test != "" {
		maps, err := readMaps(test, 1)
		if err != nil {
			return err
		}
		for profile := range maps {
			report(maps[profile], profile)
		}
	}
	return nil
}

func makeTables(maps *[profiles][]colorMap, chroma bool) *tables {
	var t tables
	t.curves()
	for profile := range t.predictors {
		for i := range t.predictors[profile] {
			for plane := range t.predictors[profile][i] {
				if chroma && (profile == 0 || plane == 0 || i == 0) {
					t.predictors[profile][i][plane] = format.PredictorOf(format.Profile(profile), i+1, plane)
					continue
				}
				m, bits := fit(collect(maps[profile], i+1, plane))
				t.predictors[profile][i][plane] = m
				log.Printf("profile %d, %d bits, plane %c: %.3f bits a sample", profile, i+1, "YUV"[plane], bits)
			}
		}
	}
	return &t
}

// sizes are the sizes of map that the tables are fitted to, and how much of the weight each has.
var sizes = []struct {
	n      int
	weight float64
}{{4, 0.1}, {8, 0.6}, {16, 0.2}, {32, 0.1}}

// A colorMap is a map before it is quantized.
type colorMap struct {
	quant.Planes
	profile, n int
}

// codes returns a map's codes.
func (m colorMap) codes(bits int) format.ColorMap {
	if m.profile == 1 {
		c, _ := quant.QuantizeTunedColor(m.Planes, bits)
		return c
	}
	return quant.QuantizePaperColor(m.Planes, m.n, bits)
}

// readMaps returns the maps of each profile of a folder's pictures: of the center square, and of crops-1 others.
func readMaps(dir string, crops int) (maps [profiles][]colorMap, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil || len(names) == 0 {
		return maps, fmt.Errorf("%s: no .jpg files (%v)", dir, err)
	}
	slices.Sort(names)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, name := range names {
		img, err := readPicture(name)
		if err != nil {
			return maps, fmt.Errorf("%s: %w", name, err)
		}
		for i := range crops {
			part := img
			if i > 0 {
				part = crop(img, rng)
			}
			rgb, side, err := quant.CenterSquare(part)
			if err != nil {
				return maps, fmt.Errorf("%s: %w", name, err)
			}
			for profile := range profiles {
				for _, s := range sizes {
					if s.n <= 8 || i%(s.n/4) == 0 {
						maps[profile] = append(maps[profile], colorMap{quant.NewPlanes(rgb, side, side, s.n, profile == 1), profile, s.n})
					}
				}
			}
		}
	}
	log.Printf("%s: %d pictures, %d maps of each profile", dir, len(names), len(maps[0]))
	return maps, nil
}

func readPicture(name string) (*image.YCbCr, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, err := jpeg.Decode(f)
	if err != nil {
		return nil, err
	}
	if y, ok := img.(*image.YCbCr); ok {
		return y, nil
	}
	return nil, fmt.Errorf("not a color JPEG")
}

// crop returns a square of 0.4 to 1 times the shorter side.
func crop(img *image.YCbCr, rng *rand.Rand) *image.YCbCr {
	b := img.Bounds()
	side := int(float64(min(b.Dx(), b.Dy())) * (0.4 + 0.6*rng.Float64()))
	x, y := b.Min.X+rng.IntN(b.Dx()-side+1), b.Min.Y+rng.IntN(b.Dy()-side+1)
	return img.SubImage(image.Rect(x, y, x+side, y+side)).(*image.YCbCr)
}

// collect returns the samples of a plane at a number of bits; the finest stands for itself and two finer ones.
func collect(maps []colorMap, bits, plane int) []sample {
	var all []sample
	depths := []int{bits}
	if bits == 5 {
		depths = []int{5, 6, 8}
	}
	count := map[int]int{}
	for _, m := range maps {
		count[m.n]++
	}
	for _, b := range depths {
		for _, m := range maps {
			weight := 0.0
			for _, s := range sizes {
				if s.n == m.n {
					weight = s.weight / float64(count[m.n]*m.n*m.n*len(depths))
				}
			}
			if plane > 0 {
				weight *= 4
			}
			half := 0.0
			if m.profile == 1 && plane > 0 && b > 1 {
				half = 0.5 // see format.VisitSamples
			}
			format.VisitSamples(m.codes(b), format.Profile(m.profile), m.n, b, func(p int, ctx *format.Context, code uint8) uint8 {
				if p == plane {
					all = append(all, newSample(ctx, code, b, half, weight))
				}
				return code
			})
		}
	}
	return all
}
