package vit

import (
	"fmt"
	"hash/crc32"
	"runtime"
	"strings"
	"testing"

	"github.com/coclico/coclico/internal/nntest"
)

// TestPreprocessGolden compares with testdata/preprocess.safetensors: what
// transformers 5.23 computes for case_preprocess of golden.py,
//
//	p = CLIPImageProcessor(size={"shortest_edge": size}, crop_size={"height": size, "width": size})
//	in/i                uint8 [h, w, 3]
//	out/i/pixel_values  p(images=img).pixel_values[0], [3, size, size], where size is 56
//	out/i/resized_uint8 the same with do_rescale=False, do_normalize=False
func TestPreprocessGolden(t *testing.T) {
	g := nntest.Open(t, "testdata/preprocess.safetensors")
	cfg, err := ParsePreprocessConfig([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		in, out := fmt.Sprintf("in/%d", i), fmt.Sprintf("out/%d/", i)
		picture, resized := g.Raw(in), g.Raw(out+"resized_uint8")
		size := resized.Shape[1]
		px := Preprocess(picture.Data, picture.Shape[1], picture.Shape[0], size)
		want := resized.Data // [3, size, size]
		for j, v := range px {
			if w := want[j%3*size*size+j/3]; v != w {
				t.Fatalf("%s: channel %d of pixel %d is %d, want %d", in, j%3, j/3, v, w)
			}
		}
		if size != 56 {
			continue
		}
		values := make([]float32, len(px))
		Normalize(values, px, cfg.Mean, cfg.Std)
		floats := g.Raw(out + "pixel_values").Float32s()
		for j, v := range values {
			if w := floats[j%3*size*size+j/3]; v != w {
				t.Fatalf("%s: value %d of pixel %d is %v, want %v", in, j%3, j/3, v, w)
			}
		}
	}
}

// preprocessPicture returns a picture [h, w, 3] of bytes from a linear
// congruential generator.
func preprocessPicture(h, w int) []byte {
	rgb := make([]byte, h*w*3)
	x := uint32(1)
	for i := range rgb {
		x = x*1664525 + 1013904223
		rgb[i] = byte(x >> 24)
	}
	return rgb
}

// TestPreprocessShapes compares with checksums of the bytes that Pillow 13.0.0
// computes for preprocessPicture(h, w):
//
//	short, long = (w, h) if w <= h else (h, w)
//	other = int(size * long / short)
//	nw, nh = (size, other) if w <= h else (other, size)
//	r = np.asarray(Image.fromarray(rgb).resize((nw, nh), Image.BICUBIC))
//	top, left = (nh - crop) // 2, (nw - crop) // 2
//	zlib.crc32(r[top:top+crop, left:left+crop].tobytes())
func TestPreprocessShapes(t *testing.T) {
	for _, c := range []struct {
		h, w, size, crop int
		crc              uint32
	}{
		{1, 1, 56, 56, 0x3a337f58},
		{1, 300, 56, 56, 0x4ad448ff},
		{300, 1, 56, 56, 0x545770a8},
		{7, 5, 33, 33, 0xc284f4a6},
		{500, 3, 56, 56, 0x2c0dd765},
		{3, 1000, 57, 56, 0x5ff99817},
		{224, 224, 224, 224, 0x8831f166},
		{225, 224, 224, 224, 0x8831f166},
		{224, 227, 224, 200, 0x76011f3b},
		{700, 701, 56, 56, 0x6b86dc57},
		{64, 64, 224, 224, 0x7d3f62a8},
		{90, 91, 60, 33, 0xe49f20ef},
	} {
		px := PreprocessConfig{Size: c.size, CropSize: c.crop}.Preprocess(preprocessPicture(c.h, c.w), c.w, c.h)
		if len(px) != c.crop*c.crop*3 || crc32.ChecksumIEEE(px) != c.crc {
			t.Errorf("%dx%d to %d, cropped to %d: the bytes are not Pillow's", c.w, c.h, c.size, c.crop)
		}
	}
}

// TestPreprocessLongPictures: 1 x 10,000 pixels would become 224 x 2,240,000,
// but the tower sees only 224 x 224 of them.
func TestPreprocessLongPictures(t *testing.T) {
	for _, shape := range [][2]int{{10000, 1}, {1, 10000}, {3, 20000}, {20000, 3}, {1, 1}} {
		rgb := preprocessPicture(shape[0], shape[1])
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		px := Preprocess(rgb, shape[1], shape[0], 224)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; len(px) != 224*224*3 || used > 4<<20 {
			t.Errorf("%v: %d bytes with %d bytes allocated", shape, len(px), used)
		}
	}
}

func TestParsePreprocessConfig(t *testing.T) {
	cfg, err := ParsePreprocessConfig([]byte(`{"crop_size": {"height": 56, "width": 56}, "do_center_crop": true, "do_convert_rgb": true,
		"do_normalize": true, "do_rescale": true, "do_resize": true, "image_mean": [0.5, 0.25, 0.125], "image_std": [1, 2, 4],
		"image_processor_type": "CLIPImageProcessor", "resample": 3, "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 64}}`))
	want := PreprocessConfig{64, 56, [3]float32{0.5, 0.25, 0.125}, [3]float32{1, 2, 4}}
	if err != nil || cfg != want {
		t.Errorf("%+v, %v; want %+v", cfg, err, want)
	}
	clip := PreprocessConfig{224, 224, [3]float32{0.48145466, 0.4578275, 0.40821073}, [3]float32{0.26862954, 0.26130258, 0.27577711}}
	for _, data := range []string{`{}`, `{"size": 224, "crop_size": 224, "feature_extractor_type": "CLIPFeatureExtractor"}`,
		`{"size": null, "image_mean": null, "resample": null}`} {
		if cfg, err := ParsePreprocessConfig([]byte(data)); err != nil || cfg != clip {
			t.Errorf("%s: %+v, %v", data, cfg, err)
		}
	}
	for data, key := range map[string]string{
		`{"do_resize": false}`:                               "do_resize",
		`{"do_resize": null}`:                                "do_resize is null",
		`{"do_center_crop": false}`:                          "do_center_crop",
		`{"do_center_crop": null}`:                           "do_center_crop is null",
		`{"do_rescale": false}`:                              "do_rescale",
		`{"do_rescale": null}`:                               "do_rescale is null",
		`{"do_normalize": false}`:                            "do_normalize",
		`{"do_normalize": null}`:                             "do_normalize is null",
		`{"resample": 2}`:                                    "resample",
		`{"rescale_factor": 1}`:                              "rescale_factor",
		`{"size": {"height": 224, "width": 224}}`:            "size",
		`{"size": {"shortest_edge": 224, "longest_edge":9}}`: "size",
		`{"size": 0}`:                                        "size",
		`{"size": 1e9}`:                                      "size",
		`{"size": [224]}`:                                    "size",
		`{"crop_size": {"height": 224, "width": 225}}`:       "crop_size",
		`{"crop_size": {"height": 224}}`:                     "crop_size",
		`{"crop_size": 225}`:                                 "crop_size",
		`{"crop_size": -1}`:                                  "crop_size",
		`{"image_mean": [0.5]}`:                              "image_mean",
		`{"image_std": [1, 0, 1]}`:                           "image_std",
		`{"image_std": [1, 1, 1, 1]}`:                        "image_std",
		`{"image_std": [1, 1e99, 1]}`:                        "image_std",
		`{"image_processor_type": "ViTImageProcessor"}`:      "ViTImageProcessor",
		`{"resample": "bicubic"}`:                            "resample",
		`[]`:                                                 "JSON object",
		``:                                                   "JSON",
		`{"s`:                                                "JSON",
	} {
		_, err := ParsePreprocessConfig([]byte(data))
		if err == nil || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %s", data, err, key)
		}
	}
}

func FuzzParsePreprocessConfig(f *testing.F) {
	f.Add([]byte(`{"crop_size": {"height": 56, "width": 56}, "image_mean": [0, 0, 0], "resample": 3, "size": {"shortest_edge": 56}}`))
	f.Add([]byte(`{"size": 1e400, "image_std": [1, 2]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := ParsePreprocessConfig(data)
		if err == nil && (cfg.CropSize < 1 || cfg.CropSize > cfg.Size || cfg.Size > maxPictureSide || cfg.Std[0] <= 0) {
			t.Errorf("%+v is valid", cfg)
		}
	})
}
