package codec_test

import (
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"log"
	"os"
	"path/filepath"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/search"
)

// The built-in model turns a photo into about 120 bytes, and paints it again.
// codec.Open does the same with a model folder.
func Example() {
	c, err := codec.BuiltIn()
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	ctx := context.Background()
	data, err := c.Encode(ctx, open("coffee"), nil)
	if err != nil {
		log.Fatal(err)
	}
	s := codec.DefaultSampling(codec.Paper)
	s.Steps, s.Seed = 4, 7
	img, err := c.Decode(ctx, data, &codec.DecodeOptions{Sampling: &s})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(data) <= 122, "and painted again at", img.Bounds().Dx(), "x", img.Bounds().Dy())
	// Output: true and painted again at 128 x 128
}

// Parse reads everything but the CLIP vector without any model.
func ExampleParse() {
	data, err := os.ReadFile("testdata/coffee.coclico")
	if err != nil {
		log.Fatal(err)
	}
	f, err := codec.Parse(data)
	if err != nil {
		log.Fatal(err)
	}
	s := f.Sampling()
	fmt.Println(f.Len(), "bytes,", f.Profile(), "profile, model", f.ModelID())
	fmt.Println(s.Steps, "steps, guidance", s.Guidance, "strength", s.Strength)
	fmt.Println("color map", f.ColorMap().Bounds().Size())
	// Output:
	// 114 bytes, tuned profile, model 241
	// 20 steps, guidance 12 strength 0.88
	// color map (8,8)
}

// A decode with the real model takes minutes. Preview shows what it is painting
// and Partial keeps it if the context ends, here after four steps.
func ExampleDecodeOptions_preview() {
	data, err := os.ReadFile("testdata/coffee.coclico")
	if err != nil {
		log.Fatal(err)
	}
	c, err := codec.BuiltIn()
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	img, err := c.Decode(ctx, data, &codec.DecodeOptions{
		Preview: func(p codec.Preview) {
			fmt.Println("step", p.Step, "of", p.Steps, p.Image.Bounds().Size())
			if p.Step == 4 {
				cancel()
			}
		},
		Partial: context.Background,
	})
	fmt.Println(err, img.Bounds().Size())
	// Output:
	// step 0 of 17 (16,16)
	// step 1 of 17 (16,16)
	// step 2 of 17 (16,16)
	// step 3 of 17 (16,16)
	// step 4 of 17 (16,16)
	// context canceled (128,128)
}

// Many pictures are kept in an archive, and found by what they show.
func ExampleCodec_Prior() {
	ctx := context.Background()
	c, err := codec.BuiltIn()
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	prior, err := c.Prior()
	if err != nil {
		log.Fatal(err)
	}
	fingerprint, err := c.Fingerprint()
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "archive")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	w, err := archive.NewWriter(dir, &archive.Options{Origin: archive.Origin{Fingerprint: fingerprint}})
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"cat", "mountain-meadow", "seeding"} {
		data, err := c.Encode(ctx, open(name), &codec.EncodeOptions{Profile: codec.Tuned})
		if err != nil {
			log.Fatal(err)
		}
		if err := w.Add(&archive.Row{Name: name, Data: data}); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	a, err := archive.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	set, err := search.Open(ctx, a, prior, search.Options{Dir: filepath.Join(dir, search.Folder)})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	row, err := a.Get("seeding")
	if err != nil {
		log.Fatal(err)
	}
	query, err := search.FileQuery(row.Data, prior)
	if err != nil {
		log.Fatal(err)
	}
	query.K = 2
	hits, err := set.Search(ctx, query)
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hits {
		fmt.Printf("%s %.1f\n", h.Row.Name, h.Score)
	}
	// Output:
	// seeding 1.0
	// mountain-meadow 0.6
}

// open decodes one of the test photos.
func open(name string) image.Image {
	f, err := os.Open(filepath.Join("testdata", "photos", name+".jpg"))
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	img, err := jpeg.Decode(f)
	if err != nil {
		log.Fatal(err)
	}
	return img
}
