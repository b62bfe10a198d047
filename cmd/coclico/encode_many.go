package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coclico/coclico/cmd/coclico/internal/batch"
	"github.com/coclico/coclico/cmd/coclico/internal/picture"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/container"
)

// streamExt is the ending of a stream's file.
const streamExt = ".coclico"

func (a *app) encodeMany(ctx context.Context, m *many, e *encoding, inputs []string, out string) error {
	return runMany(ctx, a, m, &batch.Runner[source]{
		Plan: &batch.Plan{
			Out: out, Wanted: wantsPicture, Kind: "pictures",
			Name: func(name string) string { return name + streamExt },
			Same: func(in, out string) bool { return e.wrote(a, in, out) },
		},
		Open: func(ctx context.Context, j batch.Job) (*batch.Input[source], error) {
			return a.openSource(ctx, j.Input, e.fresh)
		},
		Work: func(ctx context.Context, j batch.Job, src source) (io.WriterTo, error) {
			a.warn(j.Input, src.warnings)
			data, err := e.encode(ctx, j.Input, src, a.display.progress)
			var unsupported codec.UnsupportedError
			if err != nil && !errors.As(err, &unsupported) {
				err = batch.Fatal(err)
			}
			return bytes.NewReader(data), err
		},
	}, inputs, "encoded")
}

// wantsPicture reports whether a file in a folder is a picture by its content, or at least by its name.
func wantsPicture(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return true // a file that cannot be read is a failure to tell of
	}
	defer f.Close()
	var head [picture.Sniffed]byte
	n, _ := io.ReadFull(f, head[:])
	endings := []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".heic"}
	return picture.Known(head[:n]) || slices.Contains(endings, strings.ToLower(filepath.Ext(path)))
}

// wrote reports whether out is what encode would make of in now, as far as it tells: raw bits only by their number, and no
// file says whether its map was antialiased.
func (e *encoding) wrote(a *app, in, out string) bool {
	data, err := a.readStream(out, maxStream)
	if err != nil {
		return false
	}
	switch kept := a.keptStream(in); {
	case kept == nil:
	case !e.fresh:
		return checkKept(kept) == nil && bytes.Equal(kept, data)
	case bytes.Equal(kept, data): // of a run without --from-pixels
		return false
	}
	if e.options.Raw {
		_, noFile := container.ReadHeader(data) // a file may be as long; the few raw bits that look like one are made again
		_, noRaw := guessDimensions(e.options.Format, len(data))
		return noFile != nil && noRaw == nil
	}
	if !e.options.Fits(data) {
		return false
	}
	c, err := e.model.open()
	if err != nil {
		return false
	}
	m, err := c.FileModel()
	if err != nil {
		return false
	}
	_, _, err = container.Unmarshal(data, m, false) // all of it: it may have been cut since, or be of another model
	return err == nil
}

// keptStream returns the stream that a picture's file holds, nil for none.
func (a *app) keptStream(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	kept, err := picture.Stream(f)
	if err != nil {
		return nil
	}
	return kept
}

// checkKept returns an error if what a PNG holds is no file, as far as that can be seen without the model: it may be raw bits,
// or anybody's.
func checkKept(stream []byte) error {
	if _, _, err := container.ReadColour(stream); err != nil {
		return fmt.Errorf("the stream that it holds is not given back: %w; --from-pixels encodes the picture instead", err)
	}
	return nil
}

// A source is what is encoded: a picture, or the stream that its file holds.
type source struct {
	img      image.Image
	stream   []byte
	warnings []string
}

// openSource opens a picture file up to its pixels.
func (a *app) openSource(ctx context.Context, path string, fresh bool) (*batch.Input[source], error) {
	in, err := a.openInput(path, maxInput)
	if err != nil {
		return nil, err
	}
	r := batch.Reader{Ctx: ctx, File: in}
	fail := func(err error) (*batch.Input[source], error) {
		in.Close()
		return nil, fileError(path, err)
	}
	if !fresh {
		stream, err := picture.Stream(r)
		switch {
		case err != nil:
			return fail(err)
		case stream != nil:
			if err := checkKept(stream); err != nil {
				return fail(err)
			}
			in.Close()
			return &batch.Input[source]{Read: func() (source, error) { return source{stream: stream}, nil }}, nil
		}
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return fail(err)
	}
	f, err := picture.Open(r)
	if err != nil {
		return fail(err)
	}
	return &batch.Input[source]{Memory: f.Memory, Read: func() (source, error) {
		defer in.Close()
		var img image.Image
		if img, err = f.Image(); err != nil {
			return source{}, fileError(path, err)
		}
		return source{img: img, warnings: f.Warnings}, nil
	}}, nil
}
