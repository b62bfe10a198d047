package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec"
)

// encode answers POST /v1/encode.
func (s *Server) encode(w http.ResponseWriter, r *http.Request) error {
	query, err := queryOf(r)
	if err != nil {
		return err
	}
	how, err := encodingOf(query)
	if err != nil {
		return err
	}
	if n := how.Options.Candidates; n > s.Limits.Candidates {
		return badParameter.problem("candidates %d: at most %d; --max-candidates allows more", n, s.Limits.Candidates).of("candidates")
	}
	if !s.Model.Encodes {
		return halfModel.problem("the server's model, %s, only decodes: coclico pull --for both gets a whole one", s.Model.Name)
	}
	if s.isDraining() {
		return stopping.problem("it takes no more work")
	}
	body, err := s.readPicture(w, r)
	if err != nil {
		return err
	}
	defer body.release()
	begun := time.Now()
	e, err := s.encodeBody(r.Context(), body, how, sharer(r))
	if err != nil {
		return err
	}
	s.metrics.encodeSeconds.Observe(time.Since(begun).Seconds())
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept")
	if accepted(r, fileType, "application/json") == "application/json" {
		writeJSON(w, "application/json", http.StatusOK, e)
		return nil
	}
	w.Header().Set("Content-Type", fileType)
	w.Header().Set("Content-Length", strconv.Itoa(len(e.data)))
	_, err = w.Write(e.data)
	return err
}

const fileType = "application/vnd.coclico"

// readPicture reads the picture that a request has.
func (s *Server) readPicture(w http.ResponseWriter, r *http.Request) (*body, error) {
	const why = "--max-body allows more"
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "multipart/form-data" {
		if err := checkMediaType(r, "image/*"); err != nil {
			return nil, err
		}
		return s.readBody(w, r, r.Body, s.Limits.Body, why)
	}
	if err := checkLength(w, r, s.Limits.Body+multipartOverhead, why); err != nil {
		return nil, err
	}
	// The limit covers what precedes the picture, too. A part's header is kept
	// in memory, and mime/multipart would allow 10 MiB of it.
	rest := &io.LimitedReader{R: r.Body, N: multipartOverhead + 1}
	r.Body = struct {
		io.Reader
		io.Closer
	}{rest, r.Body}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, badBody.problem("%v", err)
	}
	for {
		part, err := parts.NextPart()
		switch {
		case err != nil && rest.N <= 0: // even io.EOF, which may be that of the limit
			w.Header().Set("Connection", "close")
			return nil, bodyTooLarge.problem("more than %d bytes precede the field picture", multipartOverhead)
		case err == io.EOF:
			return nil, badBody.problem("the form has no field picture")
		case err != nil:
			return nil, s.bodyProblem(w, r, err)
		case part.FormName() == "picture":
			rest.N += s.Limits.Body
			return s.readBody(w, r, part, s.Limits.Body, why)
		}
	}
}

// multipartOverhead is what a form may have besides its picture.
const multipartOverhead = 64 << 10

// An encoded is what a picture has become.
type encoded struct {
	*fileJSON
	Source   *sourceJSON `json:"source,omitempty"`
	Warnings []string    `json:"warnings"`

	data []byte
}

type sourceJSON struct {
	Width  int `json:"width"`
	Height int `json:"height"`
	Bytes  int `json:"bytes"`
}

// encodeBody encodes a picture. It waits for the memory that this takes.
func (s *Server) encodeBody(ctx context.Context, b *body, how *options.Encoding, address string) (*encoded, error) {
	in := cancelable{bytes.NewReader(b.data), ctx}
	if !how.Fresh {
		kept, err := picture.Stream(in)
		if err == nil && kept != nil {
			var f *codec.File
			if f, err = codec.Parse(kept); err == nil {
				return &encoded{fileJSON: s.describe(f), Warnings: []string{}, data: f.Bytes()}, nil
			}
			err = fmt.Errorf("the stream that it holds is not a file: %w; from_pixels encodes the picture instead", err)
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, badPicture.problem("%v", err)
		}
		if _, err := in.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
	}
	p, err := picture.Open(in)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, new(picture.SizeError)):
		return nil, pictureTooLarge.problem("%v", err)
	case err != nil:
		return nil, badPicture.problem("%v", err)
	case p.Width > s.Limits.Pixels/p.Height:
		return nil, pictureTooLarge.problem("%d x %d pixels: at most %d; --max-pixels allows more", p.Width, p.Height, s.Limits.Pixels)
	case p.EncodeMemory() > s.Limits.OnePicture:
		return nil, pictureTooLarge.problem("%d x %d pixels take %d MiB of memory to encode: the server has %d MiB, scale it down first",
			p.Width, p.Height, p.EncodeMemory()>>20, s.Limits.OnePicture>>20)
	}
	embedded, source, err := s.embed(ctx, p, how, address)
	if err != nil {
		return nil, err
	}
	source.Bytes = len(b.data)
	warnings := append([]string{}, p.Warnings...) // of p alone, which holds the body
	b.release()                                   // before the queue
	data, err := s.finish(ctx, embedded, how, address)
	if err != nil {
		return nil, err
	}
	f, err := codec.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("a file that was just written: %v", err) // not the client's fault
	}
	return &encoded{fileJSON: s.describe(f), Source: source, Warnings: warnings, data: data}, nil
}

// A cancelable is a picture whose decoder, which takes no context, ends with
// the request when it next reads. That of HEIC and AVIF has read all before.
type cancelable struct {
	io.ReadSeeker
	ctx context.Context
}

func (c cancelable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.ReadSeeker.Read(p)
}

func (c cancelable) Seek(offset int64, whence int) (int64, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.ReadSeeker.Seek(offset, whence)
}

// embed shows a picture to the image encoder.
func (s *Server) embed(ctx context.Context, p *picture.File, how *options.Encoding, address string) (*codec.Embedded, *sourceJSON, error) {
	if err := s.encodes.acquire(ctx, address); err != nil {
		return nil, nil, err
	}
	defer s.encodes.release()
	memory := min(p.EncodeMemory(), s.Limits.PictureMemory) // what takes more is alone
	if err := s.pictures.Acquire(ctx, memory); err != nil {
		return nil, nil, err
	}
	defer s.pictures.Release(memory)
	img, err := p.Image()
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case err != nil:
		return nil, nil, badPicture.problem("%v", err)
	}
	size := img.Bounds().Size()
	o := how.Options
	e, err := s.Model.Codec.Embed(ctx, picture.Over(img, how.Background), &o)
	if errors.As(err, new(codec.UnsupportedError)) {
		err = badPicture.problem("%v", err)
	}
	return e, &sourceJSON{Width: size.X, Height: size.Y}, err
}

// finish returns the file of a picture that the image encoder has seen.
// Candidates are the painter's work.
func (s *Server) finish(ctx context.Context, e *codec.Embedded, how *options.Encoding, address string) ([]byte, error) {
	if how.Options.Candidates < 2 {
		if err := s.encodes.acquire(ctx, address); err != nil {
			return nil, err
		}
		defer s.encodes.release()
		return e.Encode(ctx)
	}
	c := &contest{embedded: e, ctx: ctx, done: make(chan struct{})}
	if err := s.queue.add(address, c); err != nil {
		return nil, err
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		if !s.queue.remove(c) {
			<-c.done // within a block of a network
		}
		return nil, ctx.Err()
	}
	return c.data, c.err
}

// A contest is an encode with candidates, in the queue.
type contest struct {
	embedded *codec.Embedded
	ctx      context.Context // of the request
	done     chan struct{}
	data     []byte
	err      error
}

func (c *contest) moved(int) {}

func (c *contest) dropped() {
	c.err = stopping.problem("it takes no more work")
	close(c.done)
}

func (c *contest) run(ctx context.Context) {
	defer close(c.done)
	defer func() {
		if v := recover(); v != nil {
			c.err = panicked(v)
		}
	}()
	request, cancel := context.WithCancel(c.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	c.data, c.err = c.embedded.Encode(request)
	if c.err != nil && ctx.Err() != nil {
		c.err = stopping.problem("the candidates were not all painted")
	}
}
