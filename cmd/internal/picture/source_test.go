package picture

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
)

var errDisk = errors.New("the disk failed")

// A flaky is a file whose reads fail once: the same read again does not.
type flaky struct {
	*bytes.Reader
	left int // reads until then
}

func (f *flaky) Read(p []byte) (int, error) {
	if f.left--; f.left == 0 {
		return 0, errDisk
	}
	return f.Reader.Read(p)
}

// TestReadFails: whichever read fails, that is the error: no metadata is lost, and
// the file is not called broken.
func TestReadFails(t *testing.T) {
	for _, name := range []string{
		"icc_p3.jpg", "progressive.jpg", "eXIf6.png", "icc_p3_red.png", "orient6.tif", "part.webp", "lossy-alpha.webp", "anim.webp", "film.gif", "rgb565.bmp", "p3.avif",
	} {
		data := testdata(t, name)
		for n := 1; ; n++ {
			r := &flaky{bytes.NewReader(data), n}
			f, err := Open(r)
			if err == nil {
				_, err = f.Image()
			}
			if r.left > 0 { // that was all
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
			if err != errDisk || f != nil && len(f.Warnings) > 0 {
				t.Errorf("%s: error %v of read %d", name, err, n)
			}
		}
	}
}

// TestEndFails: where the end of a file cannot be found, that is the error, and
// the file is not called broken. What needs no end is read without.
func TestEndFails(t *testing.T) {
	for name, want := range map[string]error{"orient6.tif": errDisk, "test8.heic": errDisk, "p3.avif": errDisk, "part.webp": nil} {
		f, err := Open(&endless{bytes.NewReader(testdata(t, name))})
		if err == nil {
			_, err = f.Image()
		}
		if err != want {
			t.Errorf("%s: error %v, want %v", name, err, want)
		}
	}
}

// An endless is a file whose end cannot be found.
type endless struct{ *bytes.Reader }

func (e *endless) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekEnd {
		return 0, errDisk
	}
	return e.Reader.Seek(offset, whence)
}

// TestStreamReadFails: a file that cannot be read is not one without a stream.
func TestStreamReadFails(t *testing.T) {
	data := encode(t, func(w io.Writer) error { return encodePNG(w, sample(), nil, []byte("stream")) })
	for n := 1; ; n++ {
		r := &flaky{bytes.NewReader(data), n}
		stream, err := Stream(r)
		if r.left > 0 {
			if err != nil || string(stream) != "stream" {
				t.Errorf("stream %q, error %v", stream, err)
			}
			break
		}
		if err != errDisk || stream != nil {
			t.Errorf("stream %q, error %v of read %d", stream, err, n)
		}
	}
}

// TestFarOffset: a file that names a place beyond what the system can have is
// broken, not unreadable.
func TestFarOffset(t *testing.T) {
	far := appendWebPChunk(nil, "JUNK", nil)
	copy(far[4:], "\xff\xff\xff\xff")
	data := slices.Concat(testdata(t, "lossy.webp"), far)
	f, err := Open(&shortSeeker{bytes.NewReader(data)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Image(); err != nil {
		t.Error(err)
	}
}

// A shortSeeker is a file of a system that has none of 4 GiB.
type shortSeeker struct{ *bytes.Reader }

func (s *shortSeeker) Seek(offset int64, whence int) (int64, error) {
	if offset >= 1<<32 {
		return 0, errors.New("invalid argument")
	}
	return s.Reader.Seek(offset, whence)
}
