package main

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/container"
	"github.com/coclico/coclico/codec/stream"
)

func (a *app) compareCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compare A B",
		Short: "Say how far two files are apart",
		Long: `Compare prints how many of the CLIP vectors' bits differ in two files (what they show), and the mean square error
between their colour maps at 32 x 32 pixels in RGB from 0 to 1 (where they have which colours). CLIP bits are read with the model that the files were made with.`,
		Example: "  coclico compare a.coclico b.coclico\n  coclico compare a.coclico b.coclico --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("compare takes two FILEs, not %d", len(args))
			}
			return nil
		},
	}
	how := readingFlags(cmd.Flags())
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		r, err := how()
		if err != nil {
			return err
		}
		defer r.model.close()
		if err := r.checkModel(); err != nil {
			return err
		}
		c, err := a.compare(args[0], args[1], r)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(a.stdout, c)
		}
		fmt.Fprintf(a.stdout, "CLIP vector: %d of %d bits differ (%.1f %%)\n", c.Hamming, c.ClipBits, 100*float64(c.Hamming)/float64(c.ClipBits))
		fmt.Fprintf(a.stdout, "colour map:  score %.4f (mean square error at 32 x 32)\n", c.ColourScore)
		fmt.Fprintf(a.stdout, "bytes:       %d and %d\n", c.Bytes[0], c.Bytes[1])
		return nil
	}
	return cmd
}

// A comparison is how far two files are apart.
type comparison struct {
	Files       [2]string `json:"files"`
	Bytes       [2]int    `json:"bytes"`
	Hamming     int       `json:"hamming"` // bits of the CLIP vectors' codes that differ
	ClipBits    int       `json:"clip_bits"`
	ColourScore float64   `json:"colour_score"` // mean square error of the maps at 32 x 32, RGB in [0, 1]
}

func (a *app) compare(first, second string, how *reading) (comparison, error) {
	c := comparison{Files: [2]string{first, second}}
	var both [2]coded
	for i, path := range c.Files {
		var err error
		if both[i], err = a.readCoded(path, how); err != nil {
			return c, err
		}
		if both[i].Embedding == nil {
			return c, fileError(path, errors.New("it takes the model that the file was made with to read its CLIP bits (--model)"))
		}
		c.Bytes[i] = both[i].Bytes
	}
	x, y := both[0], both[1]
	if vectorOf(x) != vectorOf(y) {
		return c, errors.New(first + " and " + second + " cannot be compared: " + vectorOf(x) + " in the one, " + vectorOf(y) + " in the other")
	}
	c.ClipBits = x.vectorBits()
	for i, code := range x.Embedding {
		c.Hamming += bits.OnesCount16(code ^ y.Embedding[i])
	}
	c.ColourScore = codec.Score(enlarged(x), enlarged(y))
	return c, nil
}

// vectorOf says what the CLIP bits of a file are.
func vectorOf(c coded) string {
	h := c.Header
	if h.Profile == container.Tuned {
		return fmt.Sprintf("%d CLIP dimensions in %d bits of the tuned profile", h.EmbeddingDim, h.VectorBits)
	}
	return fmt.Sprintf("%d CLIP dimensions of %d bits", h.EmbeddingDim, h.EmbeddingBits)
}

// enlarged returns a colour map's pixels at 32 x 32, for [codec.Score].
func enlarged(c coded) []float32 {
	const side = 32
	return stream.Upsample(c.rgb(), c.Header.MapSize, side, side)
}
