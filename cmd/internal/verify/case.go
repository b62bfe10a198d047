package verify

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coclico/coclico/weights"
)

// A goldenCase is an opened case file. Its methods return no errors: err keeps
// the first one, about a tensor that is missing or has another shape or type.
type goldenCase struct {
	path, kind string
	store      *weights.Store
	err        error
}

const suffix = ".safetensors"

// find returns the case files of paths, which are files or folders of them.
func find(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, weights.NewFileError(path, err)
		case !info.IsDir():
			files = append(files, path)
			continue
		}
		found, err := filepath.Glob(filepath.Join(escape(path), "*"+suffix))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: contains no case file (*%s)", path, suffix)
		}
		files = append(files, found...)
	}
	// The cases of a network are adjacent, so that it is loaded once.
	slices.SortStableFunc(files, func(a, b string) int { return order(kindOf(a)) - order(kindOf(b)) })
	return files, nil
}

// escape returns the pattern that matches exactly a folder's name.
func escape(path string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(path)
}

// kindOf returns a case file's kind, which is its name without the extension;
// all unet_* are of kind unet.
func kindOf(path string) string {
	stem := strings.TrimSuffix(filepath.Base(path), suffix)
	if strings.HasPrefix(stem, "unet_") {
		return "unet"
	}
	return stem
}

func openCase(path string) (*goldenCase, error) {
	s, err := weights.OpenFile(path)
	if err != nil {
		return nil, err
	}
	return &goldenCase{path: path, kind: kindOf(path), store: s}, nil
}

func (c *goldenCase) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%s: %s", c.path, fmt.Sprintf(format, args...))
	}
}

// has reports whether the case has a tensor.
func (c *goldenCase) has(name string) bool {
	_, ok := c.store.Lookup(name)
	return ok
}

// tensor returns a tensor. A dimension of -1 stands for any positive size.
// After a failure only the shape of the result may be used.
func (c *goldenCase) tensor(name string, shape ...int) weights.Tensor {
	t, ok := c.store.Lookup(name)
	fits := ok && len(t.Shape) == len(shape)
	for i := 0; fits && i < len(shape); i++ {
		fits = t.Shape[i] == shape[i] || shape[i] == -1 && t.Shape[i] > 0
	}
	switch {
	case !ok:
		c.fail("no tensor %s", name)
	case !fits:
		c.fail("tensor %s is %v, not %s", name, t.Shape, shapeString(shape))
	default:
		return t
	}
	bad := weights.Tensor{Name: name, Shape: slices.Clone(shape)}
	for i := range bad.Shape {
		bad.Shape[i] = max(bad.Shape[i], 0)
	}
	return bad
}

// floats returns the values and the shape of a tensor of floats.
func (c *goldenCase) floats(name string, shape ...int) ([]float32, []int) {
	t := c.tensor(name, shape...)
	switch t.DType {
	case weights.F16, weights.BF16, weights.F32, weights.F64:
	default:
		c.fail("tensor %s is %v, not floats", name, t.DType)
	}
	if c.err != nil {
		return nil, t.Shape
	}
	return t.Float32s(), t.Shape
}

// ints returns the values and the shape of a tensor of integers.
func (c *goldenCase) ints(name string, shape ...int) ([]int64, []int) {
	t := c.tensor(name, shape...)
	switch t.DType {
	case weights.F16, weights.BF16, weights.F32, weights.F64:
		c.fail("tensor %s is %v, not integers", name, t.DType)
	}
	if c.err != nil {
		return nil, t.Shape
	}
	return t.Int64s(), t.Shape
}

// picture returns uint8 [h,w,3].
func (c *goldenCase) picture(name string) (rgb []byte, h, w int) {
	t := c.tensor(name, -1, -1, 3)
	if c.err == nil && t.DType != weights.U8 {
		c.fail("tensor %s is %v, not U8", name, t.DType)
	}
	return t.Data, t.Shape[0], t.Shape[1]
}

func shapeString(shape []int) string {
	s := make([]string, len(shape))
	for i, d := range shape {
		s[i] = fmt.Sprint(d)
		if d == -1 {
			s[i] = "any"
		}
	}
	return "[" + strings.Join(s, " ") + "]"
}
