package main

import (
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/quant"
)

func (a *app) compareCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compare A B",
		Short: "Say how far two files are apart",
		Long: `Compare prints the cosine of the CLIP vectors of two files (what they show: 1 is the same), and the mean square error
between their colour maps at 32 x 32 pixels in RGB from 0 to 1 (where they have which colours). Of the paper's profile and of raw
bits it prints too how many of the vectors' bits differ; those of the tuned profile mean something only all together. CLIP bits
are read with the model that the files were made with.`,
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
		c.print(a.stdout)
		return nil
	}
	return cmd
}

// A comparison is how far two files are apart.
type comparison struct {
	Files       [2]string `json:"files"`
	Bytes       [2]int    `json:"bytes"`
	Cosine      float64   `json:"cosine"`              // of the CLIP vectors
	Hamming     *int      `json:"hamming,omitempty"`   // bits of the vectors' codes that differ, where each stands for itself
	ClipBits    int       `json:"clip_bits,omitempty"` // that hamming is of
	ColourScore float64   `json:"colour_score"`        // mean square error of the maps at 32 x 32, RGB in [0, 1]
}

func (a *app) compare(first, second string, how *reading) (comparison, error) {
	c := comparison{Files: [2]string{first, second}}
	var both [2]parsed
	for i, path := range c.Files {
		var err error
		if both[i], err = how.open(a, path); err != nil {
			return c, err
		}
		if both[i].vector == nil {
			return c, fileError(path, errors.New("its CLIP bits cannot be read without the model that it was made with (--model)"))
		}
		c.Bytes[i] = both[i].Len()
	}
	x, y := both[0], both[1]
	if n, m := x.Dimensions(), y.Dimensions(); n != m {
		return c, fmt.Errorf("%s and %s cannot be compared: %d CLIP dimensions in the one, %d in the other", first, second, n, m)
	}
	c.Cosine = quant.Cosine(x.vector.Values, y.vector.Values)
	if x.Profile() == codec.Paper && y.Profile() == codec.Paper && x.Format().DimensionBits == y.Format().DimensionBits {
		c.ClipBits, c.Hamming = x.VectorBits(), new(int)
		for i, code := range x.vector.Codes {
			*c.Hamming += bits.OnesCount16(code ^ y.vector.Codes[i])
		}
	}
	c.ColourScore = codec.ColorScore(x.File, y.File)
	return c, nil
}

func (c comparison) print(w io.Writer) {
	fmt.Fprintf(w, "CLIP vector: cosine %.4f", c.Cosine)
	if c.Hamming != nil {
		fmt.Fprintf(w, "; %d of %d bits differ (%.1f %%)", *c.Hamming, c.ClipBits, 100*float64(*c.Hamming)/float64(c.ClipBits))
	}
	fmt.Fprintf(w, "\ncolour map:  score %.4f (mean square error at 32 x 32)\n", c.ColourScore)
	fmt.Fprintf(w, "bytes:       %d and %d\n", c.Bytes[0], c.Bytes[1])
}
