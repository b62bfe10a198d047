package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
)

func decodeCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "decode FILE... -o PICTURE",
		Short: "Paint the pictures that files describe",
		Long: `Decode paints a picture from a file that encode wrote, with the model that the
file was made with: without --model, whichever model of this machine that is.
Raw bits need --raw and the parameters that they were encoded with. They name no
model: give --model unless they were made with the default one. The picture is
made up: it shows what the bytes tell, in its own way, and the same seed paints
the same picture. Steps, guidance, strength, seed and color guidance are the
file's unless given. The sampler is the model's own unless --sampler or
--schedule names another one; no file holds it.

--prompt says in English words what the picture shows, beside what the bytes
tell, and --negative-prompt what it is to be unlike; the model reads about 60
words of each. Words that encode --prompt put into the file are used unless
--prompt has others: --prompt "" leaves them out. The built-in model knows no
words.

PICTURE is written as PNG, as JPEG if its name ends in .jpg, or as lossless WebP
if it ends in .webp; - stands for standard input and output. A picture records
that it is generated, and how; with --keep-stream a PNG holds the bytes too, and
encode returns them. The one file that -o names is replaced, whatever it is.
Among many, a picture that decode did not write is replaced with --force only.

With --preview a single picture can be watched while it is painted. A small
picture shows its color map at once, and after each step what it is becoming. A
PNG file is replaced as a whole each time, in the end by the finished picture;
"terminal" draws above the progress bar, in the best way that the terminal
knows. Ctrl-C stops a decode within a moment. It leaves no picture, or with
--keep-partial what it was becoming, which records that it is unfinished. The
exit status is 130 either way.
` + builtInHelp + manyHelp + `a.coclico as OUT/a.png,
and files/sub/b.jpg.coclico as OUT/files/sub/b.jpg.png. In a folder, every file
that ends in .coclico is taken.` + manyRestHelp,
		Example: `  coclico decode photo.coclico -o again.png
  coclico decode photo.coclico -o again.jpg --seed 7 --strength 0.7
  coclico decode photo.coclico -o again.png --preview terminal --keep-partial
  coclico decode out/ -o again/ --format jpg --jpeg-quality 85`,
		Args:              someArgs("a FILE"),
		ValidArgsFunction: completeFiles(streamExt[1:]),
	}
	output := cmd.Flags().StringP("output", "o", "", "`picture` to write, .png, .jpg or .webp, or folder for many (required)")
	preview, keep := previewFlag(cmd), partialFlag(cmd.Flags())
	m := manyFlags(cmd.Flags(), 4, "how many are read ahead of the network, which has all processors", "many files: redo files that are done and unchanged, and replace other pictures; the one file that -o names is replaced anyway")
	how, w := decodingFlags(cmd), writingFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		*output = files.Output(*output)
		if *output == "" {
			return usagef("decode needs an output: -o PICTURE")
		}
		d, err := how()
		if err != nil {
			return err
		}
		d.screen, d.place, d.partial.wanted = s, *preview, *keep
		defer d.shelf.close()
		if isMany(args, *output) {
			if err := options.NoEffect(cmd.Flags(), "it is for one file", "preview", "keep-partial"); err != nil {
				return err
			}
			return decodeMany(cmd.Context(), f, s, m, d, w, args, *output)
		}
		if err := options.NoEffect(cmd.Flags(), "it is for many files", "format", "jobs"); err != nil {
			return err
		}
		return one(s, m, args[0], *output, func() error { return decodeFile(cmd.Context(), f, s, d, w, args[0], *output) })
	}
	return cmd
}

// decodingFlags adds the flags that change the picture, and returns what the user
// gave.
func decodingFlags(cmd *cobra.Command) func() (*decoding, error) {
	flags := cmd.Flags()
	model := modelFlag(cmd)
	read := readingFlags(flags)
	how := options.Decode(flags)
	completeChoices(cmd)
	lowMemory := flags.Bool("low-memory", false, "paint the same picture with less memory, more slowly")
	return func() (*decoding, error) {
		r, err := read()
		if err != nil {
			return nil, err
		}
		if r.raw {
			if err := options.NoEffect(flags, "raw bits name no model", "any-model"); err != nil {
				return nil, err
			}
			if err := options.NoEffect(flags, "raw bits have the paper's profile", "no-projection"); err != nil {
				return nil, err
			}
		}
		h, err := how()
		if err != nil {
			return nil, err
		}
		h.Options.LowMemory = *lowMemory
		return &decoding{shelf: &shelf{flag: *model}, reading: r, how: h}, nil
	}
}

func decodeFile(ctx context.Context, f *files.IO, s *terminal.Screen, d *decoding, how *writing, input, output string) error {
	encode, err := picture.EncoderFor(output)
	if err != nil {
		return usageError{Err: err}
	}
	if err := how.checkOutput(output); err != nil {
		return err
	}
	bar := s.Bar()
	defer bar.Close()
	view, err := newViewer(ctx, f, s, bar, d.place, input, output)
	if err != nil {
		return err
	}
	if view.show != nil {
		d.how.Options.Preview = view.preview
	}
	var interrupted error
	err = f.Write(ctx, output, func(w io.Writer) error {
		if _, err := d.shelf.choose(); err != nil {
			return err
		}
		file, err := d.open(ctx, f, input)
		if err != nil {
			return err
		}
		if err := d.how.CheckFile(file); err != nil {
			return files.Named(input, err)
		}
		img, err := d.decode(ctx, input, file, bar)
		switch {
		case img == nil:
			return err
		case err != nil:
			interrupted = d.partial.keep(output)
		}
		view.finish(img, d.notes(file))
		return encode(w, img, how.options(d, file))
	})
	return cmp.Or(err, interrupted)
}

// A decoding is what a run of decode does to every file.
type decoding struct {
	shelf   *shelf
	screen  *terminal.Screen
	reading reading
	how     *options.Decoding
	place   place // of previews; "" for none
	partial partial

	told []*shelved // models that the user was told about
}

// open reads and parses a file.
func (d *decoding) open(ctx context.Context, f *files.IO, path string) (*codec.File, error) {
	data, err := f.Read(ctx, path, maxStream)
	if err != nil {
		return nil, err
	}
	file, err := d.reading.parse(data)
	if err != nil {
		return nil, files.Named(path, err)
	}
	return file, nil
}

// decode returns the picture of a file, and with --keep-partial one beside the
// error of an interruption. An error about the file, or about its picture's
// memory, begins with its name; any that is not about the file would be the next
// one's too.
func (d *decoding) decode(ctx context.Context, name string, f *codec.File, p progress) (image.Image, error) {
	m, err := d.shelf.choosing(f)
	if err != nil {
		return nil, err
	}
	c, err := d.shelf.use(m)
	if err != nil {
		return nil, err
	}
	d.tell(name, m, p)
	o := d.how.For(f)
	o.Progress = p.Progress
	d.partial.follow(&o, d.screen, p)
	img, err := c.Paint(ctx, f, &o)
	var wrong *codec.ModelError
	switch _, words := errors.AsType[codec.PromptError](err); {
	case words && o.Prompt == nil && f.Prompt() != "":
		return nil, files.Named(name, filePromptError{err})
	case errors.As(err, &wrong):
		return nil, files.Named(name, fmt.Errorf("%w; --any-model decodes anyway", modelError(wrong, m)))
	case errors.As(err, new(codec.MemoryError)):
		return nil, files.Named(name, fmt.Errorf("%w: %s", err, d.lessMemory()))
	case isAboutFile(err):
		return nil, files.Named(name, err)
	}
	return img, err
}

// lessMemory says what needs less memory than this run.
func (d *decoding) lessMemory() string {
	if d.how.Options.LowMemory {
		return "a smaller --size needs less"
	}
	return "a smaller --size or --low-memory needs less"
}

// A filePromptError reports that a model cannot read the prompt of a file.
type filePromptError struct{ error }

func (e filePromptError) Error() string {
	return e.error.Error() + `; --prompt "" paints without the file's`
}

// progress is a bar or a board.
type progress interface {
	Progress(codec.Progress)
	Close() // until the next Progress
}

// tell tells the user once what is worth knowing about a model: that it is not
// the chosen one, and that the built-in one knows little.
func (d *decoding) tell(name string, m *shelved, p progress) {
	if slices.Contains(d.told, m) {
		return
	}
	d.told = append(d.told, m)
	p.Close()
	if chosen, err := d.shelf.choose(); err == nil && m != chosen {
		d.screen.Complain(fmt.Sprintf("%s: decoding with the model that it was made with, %s (%v)", files.Name(name), m.Name, m.id))
	}
	if m.Kind == catalog.KindBuiltIn {
		d.screen.Note("%s", builtInNote)
	}
}

// isAboutFile reports whether an error is about a file and not about the model
// or the options.
func isAboutFile(err error) bool {
	return errors.As(err, new(filePromptError)) || errors.As(err, new(codec.FormatError)) || errors.As(err, new(codec.UnsupportedError)) || errors.As(err, new(*codec.ModelError))
}
