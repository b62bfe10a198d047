package main

import (
	"context"
	"io"
	"os"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
)

func decodeMany(ctx context.Context, f *files.IO, s *terminal.Screen, m *many, d *decoding, w *writing, inputs []string, out string) error {
	ending := "." + *w.format
	if err := w.checkOutput(ending); err != nil {
		return err
	}
	encode, err := picture.EncoderFor(ending)
	if err != nil {
		return usageError{Err: err}
	}
	board := s.Board()
	return runMany(ctx, f, s, board, m, &batch.Plan{
		Out: out, Kind: "*" + streamExt + " files",
		Wanted: isStreamName,
		Name: func(name string) string {
			if isStreamName(name) {
				name = name[:len(name)-len(streamExt)]
			}
			return name + ending
		},
		Same: func(in, out string) bool { return isPictureOf(ctx, f, d, w, in, out) },
		Ours: isOurPicture,
	}, &batch.Runner[*codec.File]{
		Open: func(ctx context.Context, j batch.Job) (*batch.Input[*codec.File], error) {
			return &batch.Input[*codec.File]{Read: func() (*codec.File, error) { return d.open(ctx, f, j.Input) }}, nil
		},
		Work: func(ctx context.Context, j batch.Job, file *codec.File) (func(io.Writer) error, error) {
			img, err := d.decode(ctx, j.Input, file, board)
			if err != nil && !isAboutFile(err) {
				err = batch.Fatal(err)
			}
			return func(to io.Writer) error { return encode(to, img, w.options(d, file)) }, err
		},
	}, inputs, "decoded")
}

// isPictureOf reports whether a picture records that it was made of that file as
// it would be made now.
func isPictureOf(ctx context.Context, f *files.IO, d *decoding, w *writing, in, out string) bool {
	file, err := d.open(ctx, f, in)
	if err != nil {
		return false
	}
	r, err := os.Open(out)
	if err != nil {
		return false
	}
	defer r.Close()
	if !picture.Says(r, w.options(d, file)) {
		return false
	}
	kept, err := picture.Stream(r)
	return err == nil && (kept != nil) == *w.keepStream
}

// isOurPicture reports whether decode may overwrite a picture: it may not if
// somebody's photo has the name of the picture that is painted from it.
func isOurPicture(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return picture.Ours(f)
}
