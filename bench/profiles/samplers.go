package main

import (
	"context"
	"fmt"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/quant"
)

// samplers are the rows of the table of printSamplers.
var samplers = []struct {
	name string
	codec.Sampler
}{
	{"DPM++ 2M (the default)", codec.Sampler{}},
	{"DDIM", codec.Sampler{Order: 1}},
	{"DPM++ 3M", codec.Sampler{Order: 3}},
	{"DPM++ 2M SDE", codec.Sampler{Method: codec.MethodSDE}},
	{"UniPC", codec.Sampler{Method: codec.MethodUniPC}},
	{"UniPC, order 3", codec.Sampler{Method: codec.MethodUniPC, Order: 3}},
	{"DPM++ 2M, Karras", codec.Sampler{Schedule: codec.ScheduleKarras}},
	{"DPM++ 2M, exponential", codec.Sampler{Schedule: codec.ScheduleExponential}},
	{"DPM++ 2M, trailing", codec.Sampler{Schedule: codec.ScheduleTrailing}},
	{"UniPC, Karras", codec.Sampler{Method: codec.MethodUniPC, Schedule: codec.ScheduleKarras}},
	{"rescale 0.7", codec.Sampler{GuidanceRescale: 0.7}},
	{"interval 0-0.6", codec.Sampler{GuidanceInterval: [2]float64{0, 0.6}}},
	{"APG, eta 0", codec.Sampler{APG: &codec.APG{}}},
}

var samplerSteps = []int{4, 6, 8, 12, 16, 20, 30}

// printSamplers prints how near to the pictures each sampler paints them in how
// many steps: area color score and CLIP distance of tuned files, on average.
func printSamplers(c *codec.Codec, pictures []picture) error {
	c.KeepNetworks = true
	files, targets, vectors := make([]*codec.File, len(pictures)), make([][]float32, len(pictures)), make([][]float32, len(pictures))
	for i, p := range pictures {
		data, vector, err := encode(c, p.img, &codec.EncodeOptions{Profile: codec.Tuned})
		if err != nil {
			return err
		}
		vectors[i] = vector
		if files[i], err = codec.Parse(data); err != nil {
			return err
		}
		if targets[i], err = average(p.img); err != nil {
			return err
		}
	}
	fmt.Print("| sampler | ")
	for _, n := range samplerSteps {
		fmt.Printf("%d | ", n)
	}
	fmt.Println()
	for _, s := range samplers {
		fmt.Printf("| %s | ", s.name)
		for _, n := range samplerSteps {
			var colors, distance float64
			for i, f := range files {
				sampling := f.Sampling()
				sampling.Steps = n
				img, err := c.Paint(context.Background(), f, &codec.DecodeOptions{Sampling: &sampling, Sampler: s.Sampler})
				if err != nil {
					return err
				}
				painted, err := average(img)
				if err != nil {
					return err
				}
				seen, err := c.Embed(context.Background(), img, nil)
				if err != nil {
					return err
				}
				colors += quant.Score(painted, targets[i]) / float64(len(files))
				distance += (1 - quant.Cosine(seen.Vector(), vectors[i])) / float64(len(files))
			}
			fmt.Printf("%.4f %.3f | ", colors, distance)
		}
		fmt.Println()
	}
	return nil
}
