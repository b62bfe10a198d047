//go:build nodynamic

package picture

import (
	"image"
	"io"

	"github.com/gen2brain/heic"
)

func heicFormats() []format {
	var list []format
	for _, brand := range heicBrands() {
		list = append(list, format{"HEIC", "????ftyp" + brand, heicConfig, heic.Decode})
	}
	return list
}

// heicConfig gives the decoder all of the file that it looks at for a header; one Read need not.
func heicConfig(r io.Reader) (image.Config, error) { return heic.DecodeConfig(fullReader{r}) }

// A fullReader fills what it is given, as far as the file goes.
type fullReader struct{ r io.Reader }

func (f fullReader) Read(p []byte) (int, error) {
	n, err := io.ReadFull(f.r, p)
	if err == io.ErrUnexpectedEOF {
		err = nil
	}
	return n, err
}
