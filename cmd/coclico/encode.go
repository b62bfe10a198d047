package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/inspect"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
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
--raw, the same parameters and the same --model.

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
it; the file takes a byte more. With one picture, Ctrl-C keeps the best so far.
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
	m := manyFlags(cmd.Flags(), 8, "how many are in memory at once, if that takes at most 2 GiB, and less than half of the memory that is left; the network sees up to 16 of them at a time", "redo files that are done and unchanged; replace a FILE that is named like a picture")
	how := encodingFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		*output = files.Output(*output)
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
		if err := options.NoEffect(cmd.Flags(), "it is for many files", "jobs"); err != nil {
			return err
		}
		if err := keepPicture(*output, m.force || files.Same(args[0], *output)); err != nil {
			return err
		}
		return one(s, m, args[0], *output, func() error { return encodeFile(cmd.Context(), f, s, e, args[0], *output) })
	}
	return cmd
}

// encodingFlags adds the flags that change the file, and returns what the user
// gave.
func encodingFlags(cmd *cobra.Command) func() (*encoding, error) {
	model := modelFlag(cmd)
	how := options.Encode(cmd.Flags())
	completeChoices(cmd)
	complete(cmd, "background", "white", "black", "gray")
	return func() (*encoding, error) {
		o, err := how()
		if err != nil {
			return nil, err
		}
		return &encoding{
			shelf: &shelf{flag: *model}, options: o.Options, background: o.Background,
			fresh: o.Fresh || options.Changed(cmd.Flags(), "model"), params: o.Params,
		}, nil
	}
}

func encodeFile(ctx context.Context, f *files.IO, s *terminal.Screen, e *encoding, input, output string) error {
	var interrupted error // and yet there is a file to write
	err := f.Write(ctx, output, func(w io.Writer) error {
		in, err := openSource(ctx, f, input, e.fresh)
		if err != nil {
			return err
		}
		src, err := in.read()
		if err != nil {
			return cmp.Or(ctx.Err(), err) // an interruption is not about the picture
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
	params     string     // the flags that the user gave, for an archive to record
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
	name     string
	by       *encoding
	embedded *codec.Embedded
}

// see shows a picture to the image encoder. An error about the picture, or about
// memory, begins with its name; any that is not an UnsupportedError would be the
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
	if errors.As(err, new(codec.UnsupportedError)) || errors.As(err, new(codec.MemoryError)) {
		err = files.Named(name, err)
	}
	return viewed{src, name, e, embedded}, advise(err)
}

// file returns the stream.
func (v viewed) file(ctx context.Context, progress func(codec.Progress)) ([]byte, error) {
	if v.embedded == nil {
		return v.stream, nil
	}
	v.by.chosen = contest{}
	v.embedded.Progress = progress
	data, err := v.embedded.Encode(ctx)
	if errors.As(err, new(codec.MemoryError)) {
		err = files.Named(v.name, fmt.Errorf("%w: less is needed without --candidates", err))
	}
	return data, advise(err)
}

// advise says in an error about half a model what the whole one is for.
func advise(err error) error {
	if errors.Is(err, codec.ErrNoDecoder) {
		return fmt.Errorf("%w (--candidates; coclico pull --for both gets a whole one)", err)
	}
	return err
}
