package vit

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/coclico/coclico/nn/config"
)

// maxPictureSide bounds size and crop_size in a preprocessor_config.json.
// CLIP's largest tower has 448.
const maxPictureSide = 4096

// A PreprocessConfig describes how a picture becomes the input of a CLIP vision
// tower.
type PreprocessConfig struct {
	Size     int        // shorter side after resizing
	CropSize int        // side of the center square seen by the tower; at most Size
	Mean     [3]float32 // of R, G and B in [0, 1]
	Std      [3]float32
}

// ParsePreprocessConfig parses feature_extractor/preprocessor_config.json.
// Absent keys have the defaults of transformers' CLIPImageProcessor. Any
// preprocessing other than CLIP's is an error that names the key.
func ParsePreprocessConfig(data []byte) (PreprocessConfig, error) {
	file := preprocessorJSON{DoResize: true, DoCenterCrop: true, DoRescale: true, DoNormalize: true}
	var cfg PreprocessConfig
	err := config.Decode(data, &file, nil)
	if err == nil {
		err = file.checkFixed()
	}
	if err == nil {
		cfg, err = file.config()
	}
	if err != nil {
		return PreprocessConfig{}, err
	}
	return cfg, nil
}

// preprocessorJSON has the keys of preprocessor_config.json that affect the
// result of CLIPImageProcessor.
type preprocessorJSON struct {
	Processor    string          `json:"image_processor_type"`
	Extractor    string          `json:"feature_extractor_type"` // its name before transformers 4.26
	DoResize     bool            `json:"do_resize"`
	DoCenterCrop bool            `json:"do_center_crop"`
	DoRescale    bool            `json:"do_rescale"`
	DoNormalize  bool            `json:"do_normalize"`
	Resample     *int            `json:"resample"`
	Factor       *float64        `json:"rescale_factor"`
	Size         json.RawMessage `json:"size"`
	CropSize     json.RawMessage `json:"crop_size"`
	Mean         []float32       `json:"image_mean"`
	Std          []float32       `json:"image_std"`
}

// checkFixed returns an error that names the first key whose value is not
// CLIP's.
func (f *preprocessorJSON) checkFixed() error {
	for _, kind := range []string{f.Processor, f.Extractor} {
		if kind != "" && !strings.HasPrefix(kind, "CLIP") {
			return fmt.Errorf("image processor %q is not supported, only CLIPImageProcessor", kind)
		}
	}
	for _, do := range []struct {
		key   string
		value bool
	}{{"do_resize", f.DoResize}, {"do_center_crop", f.DoCenterCrop}, {"do_rescale", f.DoRescale}, {"do_normalize", f.DoNormalize}} {
		if !do.value {
			return fmt.Errorf("%s false is not supported", do.key)
		}
	}
	if f.Resample != nil && *f.Resample != 3 {
		return fmt.Errorf("resample %d is not supported, only 3 (bicubic)", *f.Resample)
	}
	if f.Factor != nil && math.Abs(*f.Factor*255-1) > 1e-6 {
		return fmt.Errorf("rescale_factor %v is not supported, only 1/255", *f.Factor)
	}
	return nil
}

func (f *preprocessorJSON) config() (cfg PreprocessConfig, err error) {
	cfg.Mean = [3]float32{0.48145466, 0.4578275, 0.40821073}
	cfg.Std = [3]float32{0.26862954, 0.26130258, 0.27577711}
	if cfg.Size, err = pictureSide("size", f.Size, "shortest_edge"); err != nil {
		return cfg, err
	}
	if cfg.CropSize, err = pictureSide("crop_size", f.CropSize, "height", "width"); err != nil {
		return cfg, err
	}
	if cfg.CropSize > cfg.Size {
		return cfg, fmt.Errorf("crop_size %d larger than size %d is not supported", cfg.CropSize, cfg.Size)
	}
	if f.Mean != nil {
		if len(f.Mean) != 3 {
			return cfg, fmt.Errorf("image_mean has %d values, not 3", len(f.Mean))
		}
		cfg.Mean = [3]float32(f.Mean)
	}
	if f.Std != nil {
		if len(f.Std) != 3 || min(f.Std[0], f.Std[1], f.Std[2]) < 1e-6 {
			return cfg, fmt.Errorf("image_std %v is not three positive values", f.Std)
		}
		cfg.Std = [3]float32(f.Std)
	}
	return cfg, nil
}

// pictureSide decodes the value of key: a number, or an object that has exactly
// these fields, all of one value. The default is CLIP's 224.
func pictureSide(key string, data json.RawMessage, fields ...string) (int, error) {
	n := 224
	if data != nil && json.Unmarshal(data, &n) != nil {
		var object map[string]int
		if json.Unmarshal(data, &object) != nil {
			return 0, fmt.Errorf("%s is neither a number of pixels nor an object of numbers", key)
		}
		n = object[fields[0]]
		for _, field := range fields {
			if v, ok := object[field]; !ok || v != n || len(object) != len(fields) {
				return 0, fmt.Errorf("%s is not supported unless it has %s alone, all of one value", key, strings.Join(fields, " and "))
			}
		}
	}
	if n < 1 || n > maxPictureSide {
		return 0, fmt.Errorf("%s %d is outside 1..%d", key, n, maxPictureSide)
	}
	return n, nil
}

// Preprocess resizes and crops rgb [h, w, 3] to the tower's input, uint8
// [CropSize, CropSize, 3].
func (c PreprocessConfig) Preprocess(rgb []byte, w, h int) []byte {
	return resizeAndCrop(rgb, w, h, c.Size, c.CropSize)
}

// PreprocessWhole is like Preprocess, but stretches the whole picture to the
// tower's square.
func (c PreprocessConfig) PreprocessWhole(rgb []byte, w, h int) []byte {
	return resize(rgb, w, h, int64(c.CropSize), int64(c.CropSize), c.CropSize)
}

// Preprocess is [PreprocessConfig.Preprocess] with a crop as large as the
// shorter side. It returns uint8 [size, size, 3].
func Preprocess(rgb []byte, w, h, size int) []byte {
	return resizeAndCrop(rgb, w, h, size, size)
}

// Normalize sets dst to (px/255 - mean)/std of px [N, 3]. It rounds like
// transformers: px times the float64 1/255 is rounded to float32, and so are
// the difference and the quotient.
func Normalize(dst []float32, px []byte, mean, std [3]float32) {
	if len(dst) != len(px) || len(px)%3 != 0 {
		panic("vit: Normalize of slices of different lengths")
	}
	var value [3][256]float32
	for c := range value {
		for b := range value[c] {
			value[c][b] = (float32(float64(b)*(1.0/255)) - mean[c]) / std[c]
		}
	}
	for i := 0; i < len(px); i += 3 {
		dst[i], dst[i+1], dst[i+2] = value[0][px[i]], value[1][px[i+1]], value[2][px[i+2]]
	}
}

// resizeAndCrop is transformers' CLIPImageProcessor before the change to
// torchvision (now called CLIPImageProcessorPil). Pillow's bicubic resize makes
// the shorter side size and the longer side int(size*long/short), and the crop
// x crop pixels in the center are returned. Half of an odd margin is rounded
// down.
func resizeAndCrop(rgb []byte, w, h, size, crop int) []byte {
	if crop < 1 || crop > size {
		panic("vit: crop is outside 1..size")
	}
	newW, newH := int64(size), int64(size)
	if w <= h {
		newH = int64(float64(newH*int64(h)) / float64(w))
	} else {
		newW = int64(float64(newW*int64(w)) / float64(h))
	}
	return resize(rgb, w, h, newW, newH, crop)
}

// resize returns the crop x crop pixels in the center of rgb [h, w, 3] resized
// to newW x newH pixels. It computes only the pixels that these depend on, so
// that time and memory depend on the size of the picture and not on the size
// that 1 x 10,000 pixels would be enlarged to.
//
// Pillow's resize (src/libImaging/Resample.c) resizes rows and then columns,
// each from bytes to bytes with fixed-point weights. This function does the
// same and computes the same bytes.
func resize(rgb []byte, w, h int, newW, newH int64, crop int) []byte {
	if w < 1 || h < 1 || len(rgb)%3 != 0 || len(rgb)/3%w != 0 || len(rgb)/3/w != h {
		panic("vit: picture is not [h, w, 3]")
	}
	across, down := bicubicWindows(w, newW, crop), bicubicWindows(h, newH, crop)

	// The windows of the crop cover rows first to end.
	first, last := down[0].first, down[crop-1]
	end := last.first + len(last.weight)
	rows := make([]byte, 0, (end-first)*crop*3)
	for y := first; y < end; y++ {
		rows = appendRow(rows, rgb[y*w*3:][:w*3], across)
	}
	dst := make([]byte, 0, crop*crop*3)
	sums := make([]int32, crop*3)
	for _, win := range down {
		clear(sums)
		for k, f := range win.weight {
			row := rows[(win.first-first+k)*crop*3:][:crop*3]
			for i, v := range row {
				sums[i] += int32(v) * f
			}
		}
		for _, sum := range sums {
			dst = append(dst, toByte(sum))
		}
	}
	return dst
}

// appendRow appends the resized pixels of a line of RGB pixels to dst.
func appendRow(dst, line []byte, windows []bicubicWindow) []byte {
	for _, win := range windows {
		var r, g, b int32
		at := win.first * 3
		for _, f := range win.weight {
			px := line[at : at+3 : at+3]
			r += int32(px[0]) * f
			g += int32(px[1]) * f
			b += int32(px[2]) * f
			at += 3
		}
		dst = append(dst, toByte(r), toByte(g), toByte(b))
	}
	return dst
}

// A bicubicWindow has the weights of the input samples, starting with the
// first, whose sum is an output sample.
type bicubicWindow struct {
	first  int
	weight []int32 // in units of 2^-weightBits; the sum is about 1
}

// weightBits leaves 8 bits for the sample, and 2 for the sign and for sums
// above 1.
const weightBits = 32 - 8 - 2

// bicubicWindows returns the windows of the count samples in the center of a
// line of in samples resized to out samples: precompute_coeffs and
// normalize_coeffs_8bpc of Resample.c. The conversions to float64 keep the
// compiler from fusing multiplications with additions.
func bicubicWindows(in int, out int64, count int) []bicubicWindow {
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	reach := 2 * stretch
	from := (out - int64(count)) / 2
	all := make([]bicubicWindow, count)
	for i := range all {
		center := float64((float64(from+int64(i)) + 0.5) * scale)
		first := max(int(center-reach+0.5), 0)
		weight := make([]float64, min(int(center+reach+0.5), in)-first)
		sum := 0.0
		for j := range weight {
			weight[j] = bicubic((float64(first+j) - center + 0.5) * (1 / stretch))
			sum += weight[j]
		}
		all[i] = bicubicWindow{first, make([]int32, len(weight))}
		for j, v := range weight {
			all[i].weight[j] = int32(math.Round(v / sum * (1 << weightBits)))
		}
	}
	return all
}

// bicubic is the cubic convolution kernel with a = -1/2.
func bicubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return float64((float64((a+2)*x)-(a+3))*x*x) + 1
	case x < 2:
		return (float64((float64((x-5)*x)+8)*x) - 4) * a
	}
	return 0
}

// toByte rounds a weighted sum and clamps it to a byte.
func toByte(sum int32) byte {
	return byte(min(max((sum+1<<(weightBits-1))>>weightBits, 0), 255))
}
