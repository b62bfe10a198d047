package worker

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
)

// A Painter makes rows of .coclico files by painting them: the picture becomes an
// object of its own, and the row has the file that it was painted from.
type Painter struct {
	Source
	Out      *bucket.Bucket
	Codec    *codec.Codec
	Decoding *options.Decoding
	Software string
	Model    string
}

// PictureName returns the name of a file's picture. No two files have the same
// one, whatever the case of their endings.
func PictureName(file string) string {
	stem := strings.TrimSuffix(file, job.FileExt)
	if strings.EqualFold(path.Ext(stem), job.FileExt) {
		stem = file // x.COCLICO.coclico, beside x.COCLICO
	}
	return job.Pictures + stem + ".png"
}

// Make implements [Maker].
func (p *Painter) Make(ctx context.Context, o bucket.Object) (*archive.Row, error) {
	data, err := p.read(ctx, o, maxFile)
	if err != nil {
		return nil, err
	}
	file, err := codec.Parse(data)
	if err != nil {
		return nil, PictureError(err.Error())
	}
	how := p.Decoding.For(file)
	img, err := p.Codec.Paint(ctx, file, &how)
	if isAboutFile(err) {
		return nil, PictureError(err.Error())
	}
	if err != nil {
		return nil, err
	}
	encode, err := picture.EncoderFor(".png")
	if err != nil {
		return nil, err
	}
	err = p.Out.PutFrom(ctx, PictureName(o.Name), func(w io.Writer) error {
		return encode(w, img, picture.Options{Notes: p.Decoding.Notes(file, p.Software, p.Model, "")})
	})
	if unheld := bucket.NameError(""); errors.As(err, &unheld) {
		return nil, PictureError("has no place for its picture: " + unheld.Error())
	}
	if err != nil && !errors.Is(err, fs.ErrExist) { // another worker's is as good
		return nil, err
	}
	size := img.Bounds().Size()
	return &archive.Row{Name: o.Name, Data: data, Width: size.X, Height: size.Y, Size: o.Size, Time: o.Time}, nil
}

// isAboutFile reports whether an error is about a file, and not about the model.
func isAboutFile(err error) bool {
	return errors.As(err, new(codec.FormatError)) || errors.As(err, new(codec.UnsupportedError)) ||
		errors.As(err, new(*codec.ModelError)) || errors.As(err, new(codec.PromptError)) || errors.As(err, new(codec.OptionError))
}
