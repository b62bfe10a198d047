package evaluate

import (
	"fmt"
	"image"
	"path/filepath"
	"strings"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/quant"
)

// A Set is how a known collection of pictures is evaluated. The pictures
// themselves are the user's.
type Set struct {
	Name string
	Rule string // how a picture becomes a square, for the table
	Size int    // of the evaluation, 0 for the model's own
	crop int    // side of the center square that is cut out; 0 is the largest
	stem []string
	many int // the number of pictures, where their names are not known
}

// Sets returns the known sets. The first one is any folder.
func Sets() []Set {
	return []Set{
		{Name: "any", Rule: "the center square, scaled"},
		// The paper's crop of 768 pixels discards all of Kodak, which is 512
		// high: peers cut out 512 x 512.
		{Name: "kodak", Rule: "the center 512 x 512 pixels", Size: 512, crop: 512, stem: numbered("kodim%02d", 1, 24)},
		{Name: "clic", Rule: "the center square, scaled", many: 428},
		{Name: "div2k", Rule: "the center square, scaled", stem: numbered("%04d", 801, 900)},
		// S-FLCKR's landscapes as the paper takes them: smaller ones are left out.
		{Name: "landscape", Rule: "the center 768 x 768 pixels", Size: 768, crop: 768},
	}
}

func numbered(format string, first, last int) []string {
	var stems []string
	for i := first; i <= last; i++ {
		stems = append(stems, fmt.Sprintf(format, i))
	}
	return stems
}

// SetOf returns the set of a name.
func SetOf(name string) (Set, error) {
	var names []string
	for _, s := range Sets() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Set{}, codec.OptionError(fmt.Sprintf("set %s: must be of %s", name, strings.Join(names, ", ")))
}

// square returns the square of a picture that is evaluated, of side pixels.
func (s Set) square(img image.Image, side int) (*Picture, error) {
	b := img.Bounds()
	if s.crop > 0 {
		if b.Dx() < s.crop || b.Dy() < s.crop {
			return nil, fmt.Errorf("%d x %d pixels: the set's rule needs %d x %d", b.Dx(), b.Dy(), s.crop, s.crop)
		}
		at := b.Min.Add(image.Pt((b.Dx()-s.crop)/2, (b.Dy()-s.crop)/2))
		img = part{img, image.Rectangle{at, at.Add(image.Pt(s.crop, s.crop))}}
	}
	rgb, n, err := quant.CenterSquare(img)
	if err != nil {
		return nil, err
	}
	return (&Picture{n, rgb}).resized(side), nil
}

// A part is a rectangle of a picture.
type part struct {
	image.Image
	bounds image.Rectangle
}

func (p part) Bounds() image.Rectangle { return p.bounds }

// missing names the pictures of the set that a folder lacks, or returns "".
func (s Set) missing(paths []string) string {
	if s.many > len(paths) {
		return fmt.Sprintf("%s has %d pictures, the folder %d", s.Name, s.many, len(paths))
	}
	have := map[string]bool{}
	for _, path := range paths {
		have[strings.ToLower(stemOf(path))] = true
	}
	var none []string
	for _, stem := range s.stem {
		// Kodak's files are also named 01.png.
		if !have[stem] && !have[strings.TrimPrefix(stem, "kodim")] {
			none = append(none, stem)
		}
	}
	switch n := len(none); {
	case n == 0:
		return ""
	case n > 3:
		return fmt.Sprintf("%d of the %d pictures of %s are missing: %s, ... %s", n, len(s.stem), s.Name, none[0], none[n-1])
	}
	return fmt.Sprintf("pictures of %s are missing: %s", s.Name, strings.Join(none, ", "))
}

// stemOf returns a file's name without folder and ending.
func stemOf(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
