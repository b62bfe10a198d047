package options

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
)

// An Encoding is how pictures are encoded.
type Encoding struct {
	Options    codec.EncodeOptions
	Background color.RGBA // under transparent pictures
	Fresh      bool       // encode the pixels even of a picture that holds its file
	Params     string     // the flags that the user gave, for an archive to record
}

// Encode adds the flags that change the file, and returns what the user gave.
func Encode(flags *pflag.FlagSet) func() (*Encoding, error) {
	sizes := Format(flags)
	flags.Lookup("clip-bits").Usage = clipBitsUsage("paper, --raw")
	raw := flags.Bool("raw", false, "write the paper's bits and nothing else")
	profile := Choose(flags, "profile", "tuned, or paper: exactly what the paper keeps", codec.Tuned.String(), codec.Paper.String())
	budget := Whole(flags, "bytes", 0, codec.MinBytes, codec.MaxBytes, fmt.Sprintf("tuned: choose the sizes for a file of at most so many bytes, %d to %d", codec.MinBytes, codec.MaxBytes))
	exact := Precision(flags, "exact", "fast")
	fit := Choose(flags, "fit", "crop (the center square) or whole (all of the picture, up to 6:1)", "crop", "whole")
	under := flags.String("background", "white", "`color` under a transparent picture: white, black, gray, #rgb or #rrggbb")
	prompt := flags.String("prompt", "", "`text` that says what the picture shows; the file holds it, in three to four bits a letter")
	sampling := samplingFlags(flags, maxFileGuidance)
	candidates := Whole(flags, "candidates", 1, 1, codec.MaxCandidates, fmt.Sprintf("paint the picture from so many noises, 1 to %d, and keep the seed of the best; takes about half as many decodes", codec.MaxCandidates))
	fresh := flags.Bool("from-pixels", false, "encode the pixels even of a PNG that holds its stream, as any flag does that changes the file")
	antialias := flags.Bool("antialias", false, "paper: average the picture into the color map, as tuned does, instead of reading four pixels for each of the map's")
	return func() (*Encoding, error) {
		o := codec.EncodeOptions{
			Format: sizes(), Antialias: *antialias, Raw: *raw, Whole: *fit == "whole", Bytes: *budget, Candidates: *candidates, Fast: !exact(),
			Prompt: *prompt,
		}
		if *profile == codec.Tuned.String() && !*raw {
			o.Profile = codec.Tuned
		}
		if err := checkEncoding(flags, o); err != nil {
			return nil, err
		}
		if o.Bytes != 0 {
			o.Format = codec.Format{} // the budget chooses
		}
		s, changed := sampling(codec.DefaultSampling(o.Profile))
		if changed {
			o.Sampling = &s
		}
		if why := noStep(s); why != "" && o.Candidates > 1 {
			return nil, Usagef("--candidates %d: %s, in which candidates differ", o.Candidates, why)
		}
		background, err := picture.ParseColor(*under)
		if err != nil {
			return nil, Usagef("--background %s: %v", *under, err)
		}
		changing := slices.Concat(fileFlags, FormatNames, SamplingNames)
		return &Encoding{
			Options: o, Background: background, Fresh: *fresh || Changed(flags, changing...), Params: given(flags, append(changing, "from-pixels")),
		}, nil
	}
}

// Check returns the error with which every picture would fail to be encoded with a
// model, such as sizes that the model does not have. It encodes a small gray
// picture, and stops where candidates would be painted.
func (e *Encoding) Check(ctx context.Context, c *codec.Codec) error {
	ended, end := context.WithCancel(ctx)
	defer end()
	o := e.Options
	o.Progress = func(p codec.Progress) {
		if p.Stage == codec.StageCandidates {
			end()
		}
	}
	_, err := c.Encode(ended, image.NewGray(image.Rect(0, 0, 64, 64)), &o)
	if errors.Is(err, context.Canceled) {
		return ctx.Err()
	}
	return err
}

// HideRaw leaves --raw out of the help of a command that refuses raw bits.
func HideRaw(flags *pflag.FlagSet) {
	flags.Lookup("raw").Hidden = true
	flags.Lookup("clip-bits").Usage = clipBitsUsage("paper")
}

func clipBitsUsage(paper string) string {
	return fmt.Sprintf("bits of each CLIP dimension: 1 to %d on average (tuned), 1 to 16 (%s)", format.MaxTunedBits, paper)
}

// fileFlags are the flags that change the file, besides those of the format and
// of the sampling.
var fileFlags = []string{"precision", "antialias", "raw", "profile", "bytes", "fit", "background", "candidates", "prompt"}

// given lists the flags of these names that the user gave, as a command line has
// them.
func given(flags *pflag.FlagSet, names []string) string {
	var words []string
	flags.Visit(func(f *pflag.Flag) {
		if value := f.Value.String(); slices.Contains(names, f.Name) {
			if strings.ContainsFunc(value, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }) {
				value = strconv.Quote(value)
			}
			words = append(words, "--"+f.Name+"="+value)
		}
	})
	return cmp.Or(strings.Join(words, " "), "defaults")
}

// maxFileGuidance is the largest guidance that a file holds.
const maxFileGuidance = 655.35

// checkEncoding refuses flags that contradict each other or change nothing.
func checkEncoding(flags *pflag.FlagSet, o codec.EncodeOptions) error {
	tuned := o.Profile == codec.Tuned
	switch {
	case o.Raw && flags.Changed("profile") && flags.Lookup("profile").Value.String() == codec.Tuned.String():
		return Usagef("--raw writes the paper's profile, not --profile tuned")
	case o.Raw && o.Whole:
		return Usagef("--fit whole: --raw has no room for a picture's shape")
	case tuned && o.DimensionBits > format.MaxTunedBits:
		return Usagef("--clip-bits %d: the tuned profile has at most %d, --profile paper 16", o.DimensionBits, format.MaxTunedBits)
	case o.Raw:
		return NoEffect(flags, "--raw writes the paper's bits and nothing else", append([]string{"bytes", "candidates", "prompt"}, SamplingNames...)...)
	case !tuned:
		if err := NoEffect(flags, "the paper's profile does not hold it", "color-guidance"); err != nil {
			return err
		}
		return NoEffect(flags, "the paper's profile has one size", "bytes")
	case o.Bytes != 0:
		return NoEffect(flags, "--bytes chooses the sizes", append([]string{"antialias"}, FormatNames...)...)
	}
	return NoEffect(flags, "the tuned profile always averages", "antialias")
}
