package evaluate

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
)

// writePNG writes a picture, as small as fast compression makes it.
func writePNG(w io.Writer, p *Picture) error {
	return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, p.Image())
}

// maxFile is the size of the largest file that a tool's result may have: no PNG
// of a picture of the largest size is larger.
const maxFile = 1 << 28

// readFile reads a file that a tool or a peer wrote: a regular one, since a pipe
// may never end.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, cause(err)
	case len(data) > maxFile:
		return nil, fmt.Errorf("more than %d bytes", maxFile)
	}
	return data, nil
}

// cause returns the error of a file without its path, which may be a temporary
// folder's.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// spoiled returns the error of a picture that was whole when this run wrote or
// checked it: somebody has changed it since.
func spoiled(path string, err error) error {
	return fmt.Errorf("%s: %w; the same command makes it again", path, err)
}

// readPNG reads a picture of side pixels.
func readPNG(path string, side int) (*Picture, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	c, err := png.DecodeConfig(bytes.NewReader(data))
	if err == nil {
		err = checkSize(c.Width, c.Height, side)
	}
	if err != nil {
		return nil, err
	}
	return decodePNG(data)
}

func decodePNG(data []byte) (*Picture, error) {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return pictureOf(img)
}

func checkSize(w, h, side int) error {
	if w != side || h != side {
		return fmt.Errorf("a picture of %d x %d pixels, not %d x %d", w, h, side, side)
	}
	return nil
}

// writePPM writes the format that cjpeg reads.
func writePPM(w io.Writer, p *Picture) error {
	if _, err := fmt.Fprintf(w, "P6\n%d %d\n255\n", p.Side, p.Side); err != nil {
		return err
	}
	_, err := w.Write(p.RGB)
	return err
}

// readPPM reads a picture of side pixels: netpbm's P6 of 8 bits, or P5, as
// which djpeg writes a gray picture.
func readPPM(path string, side int) (*Picture, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReader(bytes.NewReader(data))
	var kind string
	var w, h, most int
	if _, err := fmt.Fscanf(r, "%2s\n%d %d\n%d\n", &kind, &w, &h, &most); err != nil || most != 255 || kind != "P6" && kind != "P5" {
		return nil, errors.New("not a PPM picture of 8 bits")
	}
	if err := checkSize(w, h, side); err != nil {
		return nil, err
	}
	p := &Picture{side, make([]byte, side*side*3)}
	if kind == "P6" {
		_, err = io.ReadFull(r, p.RGB)
		return p, err
	}
	gray := make([]byte, side*side)
	_, err = io.ReadFull(r, gray)
	for i, v := range gray {
		p.RGB[3*i], p.RGB[3*i+1], p.RGB[3*i+2] = v, v, v
	}
	return p, err
}

// writeTo creates a file for a tool to read.
func writeTo(path string, write func(io.Writer, *Picture) error, p *Picture) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = write(w, p)
	if e := w.Flush(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
