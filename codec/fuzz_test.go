package codec

import (
	"errors"
	"testing"
)

// FuzzPaint covers what Paint does before a network runs.
func FuzzPaint(f *testing.F) {
	c := open(f, "tiny")
	file, err := c.Encode(f.Context(), testPicture(40, 30), &EncodeOptions{Whole: true, Sampling: &Sampling{20, 12, 0.88, 5, 0}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file, false, 0, 0, 0)
	f.Add([]byte("\xc4\xf3\x80\x0f\x14\x82\x12n\xa9\xdb@\xa8\x8c\xb7\xac\x15Vt\r\x1e$\x90j#\xc6\x83%\x80\xa0"), false, 0, 0, 0) // has a prompt
	f.Add(make([]byte, 28), true, 0, 0, 0)
	f.Add([]byte("0123456789012345678901234567"), true, 1, 8, 2)
	f.Add(make([]byte, 20), true, 2, 4, 3)
	f.Fuzz(func(t *testing.T, data []byte, raw bool, dimension, size, color int) {
		read := func() (*File, error) {
			if raw {
				return ParseRaw(data, Format{dimension, size, color})
			}
			return Parse(data)
		}
		file, err := read()
		var p *painter
		if err == nil {
			s := file.Sizes()
			if d := s.Header + s.Prompt + s.Color + s.Vector - float64(len(data)); d < -1e-9 || d > 1e-9 || file.ColorMap().Bounds().Dx() != file.Format().MapSize {
				t.Fatalf("%+v of %d bytes", s, len(data))
			}
			p, err = c.newPainter(t.Context(), file, nil)
		}
		var format FormatError
		var option OptionError
		var unsupported UnsupportedError
		var wrong *ModelError
		switch {
		case err == nil:
			if len(p.class) != 64 || p.path.z.Len() == 0 {
				t.Fatal("accepted and not read")
			}
		case !errors.As(err, &format) && !errors.As(err, &option) && !errors.As(err, &unsupported) && !errors.As(err, &wrong):
			t.Fatal(err)
		}
	})
}
