package inspect

import (
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/quant"
)

// A Comparison is how far two files are apart.
type Comparison struct {
	Files      [2]string  `json:"files"`
	FilesBytes *[2][]byte `json:"files_bytes,omitempty"` // of names that are not UTF-8
	Bytes      [2]int     `json:"bytes"`
	Cosine     float64    `json:"cosine"`              // of the CLIP vectors
	Hamming    *int       `json:"hamming,omitempty"`   // bits of the vectors that differ, if each means something by itself
	ClipBits   int        `json:"clip_bits,omitempty"` // out of so many
	ColorScore float64    `json:"color_score"`         // mean square error of the maps at 32 x 32, RGB in [0, 1]
}

// Compare compares two files.
func Compare(a, b Subject) (Comparison, error) {
	c := Comparison{Files: [2]string{a.Name, b.Name}, Bytes: [2]int{a.File.Len(), b.File.Len()}}
	if names := [2][]byte{files.Bytes(a.Name), files.Bytes(b.Name)}; names[0] != nil || names[1] != nil {
		c.FilesBytes = &names
	}
	for _, s := range []Subject{a, b} {
		if s.Vector == nil {
			return c, files.Named(s.Name, errors.New("its CLIP bits cannot be read without the model that it was made with (--model)"))
		}
	}
	if n, m := a.File.Dimensions(), b.File.Dimensions(); n != m {
		return c, fmt.Errorf("%s and %s cannot be compared: %d CLIP dimensions in the one, %d in the other", a.Name, b.Name, n, m)
	}
	c.Cosine = quant.Cosine(a.Vector.Values, b.Vector.Values)
	if a.File.Profile() == codec.Paper && b.File.Profile() == codec.Paper && a.File.Format().DimensionBits == b.File.Format().DimensionBits {
		c.ClipBits, c.Hamming = a.File.VectorBits(), new(int)
		for i, code := range a.Vector.Codes {
			*c.Hamming += bits.OnesCount16(code ^ b.Vector.Codes[i])
		}
	}
	c.ColorScore = codec.ColorScore(a.File, b.File)
	return c, nil
}

// Print prints the comparison.
func (c Comparison) Print(w io.Writer) {
	fmt.Fprintf(w, "CLIP vector: cosine %.4f", c.Cosine)
	if c.Hamming != nil {
		fmt.Fprintf(w, "; %d of %d bits differ (%.1f %%)", *c.Hamming, c.ClipBits, 100*float64(*c.Hamming)/float64(c.ClipBits))
	}
	fmt.Fprintf(w, "\ncolor map:   score %.4f (mean square error at 32 x 32)\n", c.ColorScore)
	fmt.Fprintf(w, "bytes:       %d and %d\n", c.Bytes[0], c.Bytes[1])
}
