package pack

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"time"
)

// A Writer writes files to a tar or zip file.
type Writer interface {
	Add(name string, data []byte, t time.Time) error
	Close() error // completes the file
}

// NewTar returns a Writer of a tar file.
func NewTar(w io.Writer) Writer { return &tarWriter{w: tar.NewWriter(w)} }

// NewGzip returns a Writer of a compressed tar file.
func NewGzip(w io.Writer) Writer {
	z := gzip.NewWriter(w)
	return &tarWriter{tar.NewWriter(z), z}
}

// NewZip returns a Writer of a zip file. The files are stored as they are: they
// cannot be compressed.
func NewZip(w io.Writer) Writer { return zipWriter{zip.NewWriter(w)} }

type tarWriter struct {
	w *tar.Writer
	z *gzip.Writer // below, or nil
}

func (t *tarWriter) Add(name string, data []byte, when time.Time) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o644, ModTime: when.Truncate(time.Second)}
	if err := t.w.WriteHeader(h); err != nil {
		return err
	}
	_, err := t.w.Write(data)
	return err
}

func (t *tarWriter) Close() error {
	err := t.w.Close()
	if t.z != nil {
		err = errors.Join(err, t.z.Close())
	}
	return err
}

type zipWriter struct{ w *zip.Writer }

func (z zipWriter) Add(name string, data []byte, when time.Time) error {
	h := &zip.FileHeader{Name: name, Method: zip.Store, Modified: when}
	h.SetMode(fs.FileMode(0o644))
	w, err := z.w.CreateHeader(h)
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}

func (z zipWriter) Close() error { return z.w.Close() }
