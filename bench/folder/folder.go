// Package folder reads the folders of pictures that the programs of bench
// measure.
package folder

import (
	"errors"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// endings are those of the names of pictures, whatever their case.
var endings = []string{".png", ".jpg", ".jpeg"}

// Pictures returns the paths of the PNG and JPEG files in a folder, in the order
// of their names. Hidden files, which macOS puts beside those of other systems,
// are left out. A folder without pictures is an error.
func Pictures(dir string) ([]string, error) {
	if dir == "" {
		return nil, errors.New("no folder of pictures is named")
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, d := range list {
		name := d.Name()
		if !d.IsDir() && !strings.HasPrefix(name, ".") && slices.Contains(endings, strings.ToLower(filepath.Ext(name))) {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: has no PNG or JPEG pictures", dir)
	}
	return paths, nil
}

// Read reads a picture.
func Read(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}
