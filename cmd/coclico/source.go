package main

import (
	"context"
	"fmt"
	"image"
	"io"
	"os"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/codec"
)

// Limits of what is read into memory from a pipe.
const (
	maxPicture = 1 << 30 // a picture to encode
	maxStream  = 1 << 20 // more than the longest stream there can be
)

// A source is what is encoded: a picture, or the stream that its file holds.
type source struct {
	img      image.Image
	stream   []byte
	warnings []string // about a picture that was read all the same
}

// A sourceFile is an open picture file.
type sourceFile struct {
	memory int64                  // bytes that read and the encoder take
	read   func() (source, error) // closes the file
}

// openSource opens a picture file as far as its pixels. If fresh is set, a
// stream in the file is passed over.
func openSource(ctx context.Context, f *files.IO, path string, fresh bool) (*sourceFile, error) {
	in, err := f.Open(ctx, path, maxPicture)
	if err != nil {
		return nil, err
	}
	s, err := sourceOf(in, path, fresh)
	if err != nil {
		in.Close()
	}
	return s, err
}

// sourceOf is openSource for an open file.
func sourceOf(in files.File, path string, fresh bool) (*sourceFile, error) {
	if !fresh {
		stream, err := picture.Stream(in)
		if err == nil && stream != nil {
			err = checkKept(stream)
		}
		switch {
		case err != nil:
			return nil, files.Named(path, err)
		case stream != nil:
			in.Close()
			return &sourceFile{read: func() (source, error) { return source{stream: stream}, nil }}, nil
		}
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return nil, files.Named(path, err)
	}
	p, err := picture.Open(in)
	if err != nil {
		return nil, files.Named(path, err)
	}
	if err := process.Fits(p.EncodeMemory()); err != nil {
		return nil, files.Named(path, fmt.Errorf("a picture of %d x %d pixels that %w", p.Width, p.Height, err))
	}
	return &sourceFile{p.EncodeMemory(), func() (source, error) {
		defer in.Close()
		img, err := p.Image()
		if err != nil {
			return source{}, files.Named(path, err)
		}
		return source{img: img, warnings: p.Warnings}, nil
	}}, nil
}

// keptStream returns the stream that a picture's file holds, or nil.
func keptStream(path string) []byte {
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

// checkKept returns an error if what a PNG holds is not a file, as far as that
// can be seen without the model: it may be raw bits, or anybody's.
func checkKept(stream []byte) error {
	if _, err := codec.Parse(stream); err != nil {
		return fmt.Errorf("the stream that it holds is not a file: %w; --from-pixels encodes the picture instead", err)
	}
	return nil
}
