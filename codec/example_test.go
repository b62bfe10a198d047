package codec_test

import (
	"context"
	"fmt"
	"image/jpeg"
	"log"
	"os"

	"github.com/coclico/coclico/codec"
)

// A photo becomes about 120 bytes and comes back as a picture, by the built-in model.
// codec.Open does the same with a model folder.
func Example() {
	f, err := os.Open("testdata/photos/coffee.jpg")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	photo, err := jpeg.Decode(f)
	if err != nil {
		log.Fatal(err)
	}

	folder, err := codec.BuiltIn()
	if err != nil {
		log.Fatal(err)
	}
	c := codec.New(folder)
	defer c.Close()

	ctx := context.Background()
	data, err := c.Encode(ctx, photo, nil)
	if err != nil {
		log.Fatal(err)
	}
	img, err := c.Decode(ctx, data, &codec.DecodeOptions{Steps: 4, Seed: new(uint64(7))})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(data) <= 122, "and painted again at", img.Bounds().Dx(), "x", img.Bounds().Dy())
	// Output: true and painted again at 128 x 128
}
