package codec

import (
	"errors"
	"testing"

	"github.com/coclico/coclico/codec/stream"
)

// FuzzDecode covers what Decode does before a network runs.
func FuzzDecode(f *testing.F) {
	c := open(f, "tiny")
	file, err := c.Encode(f.Context(), testPicture(40, 30), &EncodeOptions{Whole: true, Painting: Painting{Seed: 5}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file, false, 0, 0, 0)
	f.Add(make([]byte, 28), true, 0, 0, 0)
	f.Add([]byte("0123456789012345678901234567"), true, 1, 8, 2)
	f.Add(make([]byte, 20), true, 2, 4, 3)
	f.Fuzz(func(t *testing.T, data []byte, raw bool, clip, size, colour int) {
		d := &decoder{Codec: c, o: DecodeOptions{Raw: raw, Format: Format{clip, size, colour}}}
		err := d.prepare(data)
		var format FormatError
		var option OptionError
		var unsupported UnsupportedError
		var wrong *ModelError
		switch {
		case err == nil:
			if len(d.rgb) != 3*d.n*d.n || len(d.class) != 64 || d.z.Len() == 0 {
				t.Fatal("accepted and not read")
			}
		case !errors.As(err, &format) && !errors.As(err, &option) && !errors.As(err, &unsupported) && !errors.As(err, &wrong):
			t.Fatal(err)
		}
	})
}

func TestLargestStream(t *testing.T) {
	p := stream.Params{EmbeddingDim: stream.MaxEmbeddingDim, EmbeddingBits: stream.MaxEmbeddingBits, MapSize: stream.MaxMapSize, ColourBits: stream.MaxColourBits}
	if n := p.Bytes(); n != 137216 {
		t.Errorf("the largest stream has %d bytes", n)
	}
}
