package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/coclico/internal/batch"
	"github.com/coclico/coclico/cmd/coclico/internal/picture"
)

// A writing is how decoded pictures are written.
type writing struct {
	format     string // of many files
	quality    int    // of JPEG
	keepStream bool
}

func writingFlags(cmd *cobra.Command) *writing {
	w, flags := new(writing), cmd.Flags()
	flags.StringVar(&w.format, "format", "png", "many files: png, jpg or webp")
	flags.IntVar(&w.quality, "jpeg-quality", picture.DefaultQuality, "quality of JPEG, 1 to 100")
	flags.BoolVar(&w.keepStream, "keep-stream", false, "keep the stream in the PNG, so that encode gives it back")
	complete(cmd, "format", pictureFormats()...)
	return w
}

func pictureFormats() []string { return []string{"png", "jpg", "webp"} }

// complete lists the values of a flag for the shells' completions.
func complete(cmd *cobra.Command, flag string, values ...string) {
	if cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) != nil {
		panic("coclico: completion of a flag that is not there")
	}
}

func (w *writing) check() error {
	switch {
	case w.quality < 1 || w.quality > 100:
		return usagef("--jpeg-quality %d: 1 to 100", w.quality)
	case !slices.Contains(pictureFormats(), w.format):
		return usagef("--format %s: it is png, jpg or webp", w.format)
	}
	return nil
}

// checkOutput refuses a picture file that cannot hold what it should.
func (w *writing) checkOutput(output string) error {
	if w.keepStream && !picture.IsPNG(output) {
		return usagef("--keep-stream: only a PNG holds a stream, not %s", output)
	}
	return nil
}

// options say of a picture how it was made of a stream.
func (w *writing) options(d *decoding, stream []byte) picture.Options {
	o := picture.Options{Quality: w.quality, Notes: d.notes(stream)}
	if w.keepStream {
		o.Stream = stream
	}
	return o
}

// notes are what is worth knowing of a picture that is made up. They say the same whenever the picture is the same.
func (d *decoding) notes(stream []byte) []picture.Note {
	o, _ := d.options.Resolve(stream)
	_, _ = d.model.open() // without it there is no picture to speak of
	precision := "fast"
	if o.Exact {
		precision = "exact"
	}
	size := "the model's own"
	if o.Size != 0 {
		size = fmt.Sprint(o.Size)
	}
	return []picture.Note{
		{Key: "Software", Text: "coclico " + version()},
		{Key: "Comment", Text: fmt.Sprintf("Generated picture: painted by a diffusion model from %d bytes, not a photograph", len(stream))},
		{Key: "Parameters", Text: fmt.Sprintf("steps %d, guidance %g, strength %g, seed %d, noise level %d, size %s, %s",
			o.Steps, o.Guidance, o.Strength, *o.Seed, o.Level, size, precision)},
		{Key: "Model", Text: d.model.name},
		{Key: "Source", Text: fmt.Sprintf("sha256:%x", sha256.Sum256(stream))},
	}
}

func (a *app) decodeMany(ctx context.Context, m *many, d *decoding, w *writing, inputs []string, out string) error {
	if err := w.checkOutput("." + w.format); err != nil {
		return err
	}
	encode, err := picture.EncoderFor("." + w.format)
	if err != nil {
		return usageError{err}
	}
	return runMany(ctx, a, m, &batch.Runner[[]byte]{
		Plan: &batch.Plan{
			Out: out, Kind: "*" + streamExt + " files",
			Wanted: isStreamName,
			Name: func(name string) string {
				if isStreamName(name) {
					name = name[:len(name)-len(streamExt)]
				}
				return name + "." + w.format
			},
			Same: func(in, out string) bool { return a.isPictureOf(d, w, in, out) },
			Ours: isOurPicture,
		},
		Open: func(_ context.Context, j batch.Job) (*batch.Input[[]byte], error) {
			return &batch.Input[[]byte]{Read: func() ([]byte, error) { return a.readStream(j.Input, maxStream) }}, nil
		},
		Work: func(ctx context.Context, j batch.Job, data []byte) (io.WriterTo, error) {
			img, err := d.decode(ctx, j.Input, data, a.display.progress)
			if err != nil && !isAboutStream(err) {
				err = batch.Fatal(err)
			}
			return writerTo(func(to io.Writer) error { return encode(to, img, w.options(d, data)) }), err
		},
	}, inputs, "decoded")
}

// isPictureOf reports whether a picture says that it was made of that stream as it would be made now. A WebP says nothing,
// and is believed.
func (a *app) isPictureOf(d *decoding, w *writing, in, out string) bool {
	stream, err := a.readStream(in, maxStream)
	if err != nil {
		return false
	}
	f, err := os.Open(out)
	if err != nil {
		return false
	}
	defer f.Close()
	if w.format == "webp" {
		return true
	}
	if !picture.Says(f, w.options(d, stream)) {
		return false
	}
	kept, err := picture.Stream(f)
	return err == nil && (kept != nil) == w.keepStream
}

// isOurPicture reports whether decode may write over a picture: not where somebody's photo lies under the name of the file
// that was made of it.
func isOurPicture(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return picture.Ours(f)
}

// A writerTo is a function that writes.
type writerTo func(io.Writer) error

func (f writerTo) WriteTo(w io.Writer) (int64, error) {
	c := &countedWriter{w: w}
	err := f(c)
	return c.n, err
}

type countedWriter struct {
	w io.Writer
	n int64
}

func (c *countedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
