package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/inspect"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
)

func encodeCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "encode PICTURE... -o FILE",
		Short: "Turn pictures into about a hundred bytes each",
		Long: `Encode keeps what the center square of a picture shows and where its colors are;
with --fit whole, all of the picture. The file has as many bits as the paper's,
which are about 112 bytes, or at most --bytes. It records the model it was made
with and what decode needs to know. --profile paper keeps exactly what the paper
keeps, in about 107 bytes; it tints grays, since its colors have no level at
neutral. --raw writes the paper's 120 bytes and nothing else: decode then needs
--raw and the same parameters.

--prompt puts words into the file that say, beside the CLIP vector, what the
picture shows: a prompt of five words takes about seven bytes. The built-in
model knows no words.

PICTURE is a PNG, JPEG, GIF or WebP (the first frame), TIFF, BMP, HEIC or AVIF
file, whatever its name, or - for standard input. It is encoded as it is seen:
upright, its colors converted to sRGB by its profile, what is transparent over
--background. FILE may be - for standard output, and is replaced if it exists; a
FILE that is named like a picture is replaced with --force only. A PNG that
decode --keep-stream wrote yields the bytes that it holds.

--candidates paints the picture from several noises with the model's decoder and
keeps the one whose picture comes out nearest, as the model's image encoder sees
it; the file takes a byte more. Ctrl-C keeps the best one so far.
` + builtInHelp + manyHelp + `a.jpg as OUT/a.jpg.coclico,
and photos/sub/b.png as OUT/photos/sub/b.png.coclico. In a folder, every file
that is (or is named like) a picture is taken.` + manyRestHelp,
		Example: `  coclico encode photo.jpg -o photo.coclico
  coclico encode photo.jpg -o photo.coclico --fit whole --bytes 200
  coclico encode photo.jpg -o photo.coclico --candidates 8
  coclico encode a.jpg photos/ -o out/
  coclico encode - -o - < photo.jpg | wc -c`,
		Args:              someArgs("a PICTURE"),
		ValidArgsFunction: completeFiles(pictureEndings...),
	}
	output := cmd.Flags().StringP("output", "o", "", "`file` to write, or folder for many (required)")
	m := manyFlags(cmd.Flags(), 8, "how many are in memory at once; the network sees up to 16 of them at a time", "redo files that are done and unchanged; replace a FILE that is named like a picture")
	how := encodingFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *output == "" {
			return usagef("encode needs an output: -o FILE")
		}
		e, err := how()
		if err != nil {
			return err
		}
		defer e.shelf.close()
		if isMany(args, *output) {
			return encodeMany(cmd.Context(), f, s, m, e, args, *output)
		}
		if err := noEffect(cmd.Flags(), "it is for many files", "jobs"); err != nil {
			return err
		}
		if !m.force && files.IsRegular(*output) && isPictureName(*output) && !files.Same(args[0], *output) {
			return files.Named(*output, errors.New("exists and is named like a picture: --force replaces it"))
		}
		return one(s, m, args[0], *output, func() error { return encodeFile(cmd.Context(), f, s, e, args[0], *output) })
	}
	return cmd
}

// encodingFlags adds the flags that change the file, and returns what the user
// gave.
func encodingFlags(cmd *cobra.Command) func() (*encoding, error) {
	flags := cmd.Flags()
	model := modelFlag(cmd)
	sizes := formatFlags(flags)
	flags.Lookup("clip-bits").Usage = fmt.Sprintf("bits of each CLIP dimension: 1 to %d on average (tuned), 1 to 16 (paper, --raw)", format.MaxTunedBits)
	raw := flags.Bool("raw", false, "write the paper's bits and nothing else")
	profile := choiceFlag(cmd, "profile", "tuned, or paper: exactly what the paper keeps", codec.Tuned.String(), codec.Paper.String())
	budget := wholeFlag(flags, "bytes", 0, codec.MinBytes, codec.MaxBytes, fmt.Sprintf("tuned: choose the sizes for a file of at most so many bytes, %d to %d", codec.MinBytes, codec.MaxBytes))
	exact := precisionFlag(cmd, "exact", "fast")
	fit := choiceFlag(cmd, "fit", "crop (the center square) or whole (all of the picture, up to 6:1)", "crop", "whole")
	under := flags.String("background", "white", "`color` under a transparent picture: white, black, gray, #rgb or #rrggbb")
	complete(cmd, "background", "white", "black", "gray")
	prompt := flags.String("prompt", "", "`text` that says what the picture shows; the file holds it, in three to four bits a letter")
	sampling := samplingFlags(flags, maxFileGuidance)
	candidates := wholeFlag(flags, "candidates", 1, 1, codec.MaxCandidates, fmt.Sprintf("paint the picture from so many noises, 1 to %d, and keep the seed of the best; takes about half as many decodes", codec.MaxCandidates))
	fresh := flags.Bool("from-pixels", false, "encode the pixels even of a PNG that holds its stream, as any flag does that changes the file")
	antialias := flags.Bool("antialias", false, "paper: average the picture into the color map, as tuned does, instead of reading four pixels for each of the map's")
	return func() (*encoding, error) {
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
		if s, given := sampling(codec.DefaultSampling(o.Profile)); given {
			o.Sampling = &s
		}
		background, err := picture.ParseColor(*under)
		if err != nil {
			return nil, usagef("--background %s: %v", *under, err)
		}
		return &encoding{
			shelf: &shelf{flag: *model}, options: o, background: background,
			fresh: *fresh || changed(flags, slices.Concat(fileFlags, rawFlags, samplingNames)...),
		}, nil
	}
}

// fileFlags are the flags that change the file, besides rawFlags and
// samplingNames.
var fileFlags = []string{"model", "precision", "antialias", "raw", "profile", "bytes", "fit", "background", "candidates", "prompt"}

// maxFileGuidance is the largest guidance that a file holds.
const maxFileGuidance = 655.35

// checkEncoding refuses flags that contradict each other or change nothing.
func checkEncoding(flags *pflag.FlagSet, o codec.EncodeOptions) error {
	tuned := o.Profile == codec.Tuned
	switch {
	case o.Raw && flags.Changed("profile") && flags.Lookup("profile").Value.String() == codec.Tuned.String():
		return usagef("--raw writes the paper's profile, not --profile tuned")
	case o.Raw && o.Whole:
		return usagef("--fit whole: --raw has no room for a picture's shape")
	case tuned && o.DimensionBits > format.MaxTunedBits:
		return usagef("--clip-bits %d: the tuned profile has at most %d, --profile paper and --raw 16", o.DimensionBits, format.MaxTunedBits)
	case o.Raw:
		return noEffect(flags, "--raw writes the paper's bits and nothing else", append([]string{"bytes", "candidates", "prompt"}, samplingNames...)...)
	case !tuned:
		if err := noEffect(flags, "the paper's profile does not hold it", "color-guidance"); err != nil {
			return err
		}
		return noEffect(flags, "the paper's profile has one size", "bytes")
	case o.Bytes != 0:
		return noEffect(flags, "--bytes chooses the sizes", append([]string{"antialias"}, rawFlags...)...)
	}
	return noEffect(flags, "the tuned profile always averages", "antialias")
}

func encodeFile(ctx context.Context, f *files.IO, s *terminal.Screen, e *encoding, input, output string) error {
	var interrupted error // and yet there is a file to write
	err := f.Write(output, func(w io.Writer) error {
		in, err := openSource(ctx, f, input, e.fresh)
		if err != nil {
			return err
		}
		src, err := in.read()
		if err != nil {
			return cmp.Or(ctx.Err(), err) // a decoder that is interrupted calls the picture broken
		}
		s.Warn(files.Name(input), src.warnings)
		bar := s.Bar()
		defer bar.Close()
		data, err := e.encode(ctx, input, src, bar.Progress)
		switch {
		case err == nil:
		case ctx.Err() != nil && data != nil:
			interrupted = e.chosen.keep(output)
		default:
			return err
		}
		if _, err = w.Write(data); err != nil {
			return err
		}
		bar.Close()
		e.note(s, output, src, data)
		return nil
	})
	return cmp.Or(err, interrupted)
}

// note tells a watching user what a picture has become.
func (e *encoding) note(s *terminal.Screen, output string, src source, data []byte) {
	m, err := e.shelf.choose()
	if err != nil || src.img == nil {
		return // a PNG's own stream is returned as it was: nothing to report
	}
	line := fmt.Sprintf("%s: %d bytes", output, len(data))
	if file, err := e.reading().parse(data); err == nil {
		size := inspect.SizeOf(file, m.side)
		line += fmt.Sprintf(", %.4f bits per pixel at %d x %d", size.BitsPerPixel(len(data)), size.Width, size.Height)
		line += e.chosen.describe(file)
	}
	if lost := e.cropped(src.img); lost > muchCropped {
		line += fmt.Sprintf("; the crop left out %.0f %% of the picture (--fit whole keeps all of it)", 100*lost)
	}
	s.Note("%s", line)
}

// muchCropped is the share of a picture whose loss is worth a word.
const muchCropped = 1.0 / 3

// cropped returns the share of a picture that is outside its center square, if
// that is all that is kept.
func (e *encoding) cropped(img image.Image) float64 {
	size := img.Bounds().Size()
	if e.options.Whole || size.X < 1 || size.Y < 1 {
		return 0
	}
	return 1 - float64(min(size.X, size.Y))/float64(max(size.X, size.Y))
}

// An encoding is what a run of encode does to every picture.
type encoding struct {
	shelf   *shelf
	options codec.EncodeOptions
	fresh   bool // encode the pixels even of a file that holds its stream

	background color.RGBA // under transparent pictures
	chosen     contest    // of the last picture's candidates
}

// reading returns how the results are read.
func (e *encoding) reading() reading { return reading{e.options.Raw, e.options.Format} }

// encode returns a picture's stream; see see for its errors.
func (e *encoding) encode(ctx context.Context, name string, src source, progress func(codec.Progress)) ([]byte, error) {
	v, err := e.see(ctx, name, src, progress)
	if err != nil {
		return nil, err
	}
	return v.file(ctx, progress)
}

// A viewed is a source that the image encoder has seen, unless the source holds
// its stream.
type viewed struct {
	source
	by       *encoding
	embedded *codec.Embedded
}

// see shows a picture to the image encoder. An error about the picture begins
// with its name; any other is about the model or the options, and would be the
// next picture's too. Goroutines may call it at the same time.
func (e *encoding) see(ctx context.Context, name string, src source, progress func(codec.Progress)) (viewed, error) {
	if src.stream != nil {
		return viewed{source: src}, nil
	}
	m, err := e.shelf.choose()
	if err != nil {
		return viewed{}, err
	}
	c, err := e.shelf.use(m)
	if err != nil {
		return viewed{}, err
	}
	o := e.options
	o.Progress, o.Judged = progress, e.chosen.add
	embedded, err := c.Embed(ctx, picture.Over(src.img, e.background), &o)
	if errors.As(err, new(codec.UnsupportedError)) {
		err = files.Named(name, err)
	}
	return viewed{src, e, embedded}, advise(err)
}

// file returns the stream.
func (v viewed) file(ctx context.Context, progress func(codec.Progress)) ([]byte, error) {
	if v.embedded == nil {
		return v.stream, nil
	}
	v.by.chosen = contest{}
	v.embedded.Progress = progress
	data, err := v.embedded.Encode(ctx)
	return data, advise(err)
}

// advise says in an error about half a model what the whole one is for.
func advise(err error) error {
	if errors.Is(err, codec.ErrNoDecoder) {
		return fmt.Errorf("%w (--candidates; coclico pull --for both gets a whole one)", err)
	}
	return err
}
