package icc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// inputs returns the colors that bench/golden/icc.py converts.
func inputs(gray bool) [][3]uint8 {
	var list [][3]uint8
	if !gray {
		for i := range 9 * 9 * 9 {
			list = append(list, [3]uint8{uint8(255 * (i / 81) / 8), uint8(255 * (i / 9 % 9) / 8), uint8(255 * (i % 9) / 8)})
		}
	}
	for v := range 256 {
		list = append(list, [3]uint8{uint8(v), uint8(v), uint8(v)})
	}
	return list
}

// TestGolden compares conversions with those of Little CMS, in 8 bits and, with
// the same colors, in 16.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.icc")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d profiles (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(file, ".icc") + ".rgb")
			if err != nil {
				t.Fatal(err)
			}
			p, err := Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			list := inputs(p.Gray())
			if len(want) != 3*len(list) {
				t.Fatalf("%d bytes for %d colors", len(want), len(list))
			}
			narrow, wide := p.Transform(1<<8), p.Transform(1<<16)
			worst, other := 0, 0
			for i, c := range list {
				r, g, b := narrow.Convert(uint16(c[0]), uint16(c[1]), uint16(c[2]))
				r16, g16, b16 := wide.Convert(257*uint16(c[0]), 257*uint16(c[1]), 257*uint16(c[2]))
				if r != r16 || g != g16 || b != b16 {
					t.Fatalf("%v: %v in 8 bits and %v in 16", c, [3]uint16{r, g, b}, [3]uint16{r16, g16, b16})
				}
				for j, v := range []uint16{r, g, b} {
					got := (int(v)*255 + 0x7fff) / 0xffff
					d := got - int(want[3*i+j])
					if d != 0 {
						other++
					}
					if d = max(d, -d); d > worst {
						worst = d
						if d > 1 {
							t.Errorf("%v: channel %d is %d, Little CMS has %d", c, j, got, want[3*i+j])
						}
					}
				}
			}
			t.Logf("%d of %d values differ, by at most %d", other, 3*len(list), worst)
		})
	}
}

func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".icc")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// edited returns a copy of a profile with some bytes in other places replaced.
func edited(data []byte, at int, with string) []byte {
	data = bytes.Clone(data)
	copy(data[at:], with)
	return data
}

func TestParseErrors(t *testing.T) {
	good := golden(t, "v4-p3-para3")
	gray := golden(t, "gray-v2-gamma")
	tag := func(name string) int { return bytes.Index(good, []byte(name)) }
	body := func(name string) int { return int(binary.BigEndian.Uint32(good[tag(name)+4:])) }
	flat := edited(good, tag("bXYZ")+4, string(good[tag("rXYZ")+4:][:8]))
	var format FormatError
	var unsupported UnsupportedError
	for name, c := range map[string]struct {
		data []byte
		as   any
		want string
	}{
		"empty":            {nil, &format, "too short"},
		"a header":         {good[:128], &format, "too short"},
		"cut":              {good[:len(good)-100], &format, "no curves or colorants"},
		"no signature":     {edited(good, 36, "    "), &format, "no signature"},
		"many tags":        {edited(good, 128, "\xff\xff\xff\xff"), &format, "tag table too long"},
		"101 tags":         {append(edited(good, 128, "\x00\x00\x00\x65"), make([]byte, 9999)...), &format, "tag table too long"},
		"offset":           {edited(good, tag("rXYZ")+4, "\xff\xff\xff\xff"), &format, "no curves or colorants"},
		"size":             {edited(good, tag("rXYZ")+8, "\xff\xff\xff\xff"), &format, "no curves or colorants"},
		"no colorant":      {edited(good, tag("rXYZ"), "????"), &format, "no curves or colorants"},
		"no curve":         {edited(good, tag("gTRC"), "????"), &format, "no curves or colorants"},
		"no gray curve":    {edited(gray, bytes.Index(gray, []byte("kTRC")), "????"), &format, "no gray curve"},
		"lookup table":     {edited(good, tag("gTRC"), "A2B0"), &unsupported, "lookup table"},
		"CMYK":             {edited(good, 16, "CMYK"), &unsupported, "CMYK"},
		"Lab":              {edited(good, 16, "Lab "), &unsupported, "neither RGB nor gray"},
		"connection space": {edited(good, 20, "RGB "), &format, "unknown connection space"},
		"device link":      {edited(good, 12, "link"), &unsupported, "not of a device or a color space"},
		"version 5":        {edited(good, 8, "\x05"), &unsupported, "version 5 or later"},
		"type of colorant": {edited(good, body("rXYZ"), "text"), &format, "bad colorant"},
		"type of curve":    {edited(good, body("rTRC"), "text"), &format, "unknown type of curve"},
		"function":         {edited(good, body("rTRC")+8, "\x00\x05"), &format, "unknown parametric curve"},
		"samples":          {edited(good, body("rTRC"), "curv\x00\x00\x00\x00\x7f\xff\xff\xff"), &format, "curve too short"},
		"parameters":       {edited(good, tag("rTRC")+8, "\x00\x00\x00\x10"), &format, "curve too short"},
		"short curve":      {edited(good, tag("rTRC")+8, "\x00\x00\x00\x08"), &format, "curve too short"},
		"no slope":         {edited(good, body("rTRC")+8, "\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"), &format, "parametric curve without a slope"},
		"one hue":          {flat, &format, "colorants in a plane"},
	} {
		_, err := Parse(c.data)
		if !errors.As(err, c.as) || !strings.HasSuffix(err.Error(), ": "+c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	beside := edited(good, tag("wtpt")+4, "\xff\xff\xff\xff")
	for _, data := range [][]byte{good, beside} {
		if _, err := Parse(data); err != nil {
			t.Error(err)
		}
	}
}

// TestCICP compares code points with the profiles that say the same.
func TestCICP(t *testing.T) {
	for _, c := range []struct {
		primaries, transfer uint8
		profile             string
	}{
		{1, 13, "v2-srgb-1024-samples"},
		{Unspecified, Unspecified, "v2-srgb-1024-samples"},
		{12, 13, "v4-p3-para3"},
		{12, 4, "v4-p3-para0"},
		{12, 8, "v2-p3-identity"},
		{9, 1, "v4-bt2020-para3"},
		{9, 8, "v2-bt2020-2-samples"},
	} {
		got, err := CICP(c.primaries, c.transfer)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Parse(golden(t, c.profile))
		if err != nil {
			t.Fatal(err)
		}
		x, y := got.Transform(256), want.Transform(256)
		for _, in := range inputs(false) {
			r, g, b := x.Convert(uint16(in[0]), uint16(in[1]), uint16(in[2]))
			r2, g2, b2 := y.Convert(uint16(in[0]), uint16(in[1]), uint16(in[2]))
			for i, d := range []int{int(r) - int(r2), int(g) - int(g2), int(b) - int(b2)} {
				if d < -257 || d > 257 {
					t.Errorf("%d/%d: channel %d of %v is %d of 65535 off %s", c.primaries, c.transfer, i, in, d, c.profile)
				}
			}
		}
	}
	for _, c := range [][2]uint8{{0, 13}, {3, 13}, {23, 13}, {1, 0}, {1, 3}, {1, 16}, {1, 18}, {1, 19}} {
		var unsupported UnsupportedError
		if _, err := CICP(c[0], c[1]); !errors.As(err, &unsupported) {
			t.Errorf("%d/%d: error %v", c[0], c[1], err)
		}
	}
}

// TestNeutral checks that every space's white is white, and grays are gray.
func TestNeutral(t *testing.T) {
	for primaries := range uint8(23) {
		for transfer := range uint8(19) {
			p, err := CICP(primaries, transfer)
			if err != nil {
				continue
			}
			tr := p.Transform(256)
			for v := range uint16(256) {
				r, g, b := tr.Convert(v, v, v)
				if max(r, g, b)-min(r, g, b) > 2 {
					t.Errorf("%d/%d: %d is %d, %d, %d", primaries, transfer, v, r, g, b)
				}
				if v == 0 && r > 0 || v == 255 && min(r, g, b) < 65533 {
					t.Errorf("%d/%d: %d is %d", primaries, transfer, v, r)
				}
			}
		}
	}
}

// TestEncoded checks the interpolation of the curve of sRGB.
func TestEncoded(t *testing.T) {
	p, err := New(BT709, Linear)
	if err != nil {
		t.Fatal(err)
	}
	tr := p.Transform(1 << 16)
	for v := range 1 << 16 {
		want := encodeSRGB(float64(v)/math.MaxUint16) * math.MaxUint16
		if got, _, _ := tr.Convert(uint16(v), uint16(v), uint16(v)); math.Abs(float64(got)-want) > 1 {
			t.Errorf("%d is %d, want %.2f", v, got, want)
		}
	}
	for y, want := range map[float32]uint16{-1: 0, 2: math.MaxUint16, 1 << 20: math.MaxUint16, -1 << 20: 0} {
		if got := tr.encoded(y); got != want {
			t.Errorf("%v is %d, want %d", y, got, want)
		}
	}
}

func TestSRGB(t *testing.T) {
	for name, want := range map[string]bool{
		"v2-srgb-1024-samples": true, "gray-v4-para3": true,
		"v2-p3-1024-samples": false, "v2-adobe-gamma": false, "gray-v2-gamma": false, "gray-v2-linear": false,
	} {
		p, err := Parse(golden(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if p.SRGB() != want {
			t.Errorf("%s: SRGB is %v", name, !want)
		}
	}
	if p, err := New(BT709, Gamma(2.2)); err != nil || p.SRGB() {
		t.Errorf("the power 2.2 is the curve of sRGB (%v)", err)
	}
}

func TestNewErrors(t *testing.T) {
	zero := XY{}
	for name, p := range map[string]Primaries{
		"all zero":         {},
		"one hue":          {XY{0.3, 0.3}, XY{0.3, 0.3}, XY{0.3, 0.3}, d65},
		"on a line":        {XY{0.1, 0.1}, XY{0.2, 0.2}, XY{0.3, 0.3}, d65},
		"no white":         {BT709.Red, BT709.Green, BT709.Blue, zero},
		"white is red":     {BT709.Red, BT709.Green, BT709.Blue, BT709.Red},
		"white is nothing": {BT709.Red, BT709.Green, BT709.Blue, XY{42949, 1e-5}},
		"not numbers":      {XY{math.NaN(), 0}, BT709.Green, BT709.Blue, d65},
	} {
		if _, err := New(p, SRGB); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzProfile(f *testing.F) {
	files, err := filepath.Glob("testdata/*.icc")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data)
		if err != nil {
			var format FormatError
			var unsupported UnsupportedError
			if !errors.As(err, &format) && !errors.As(err, &unsupported) {
				t.Errorf("error %v", err)
			}
			return
		}
		tr := p.Transform(256)
		for v := range uint16(256) {
			r, g, b := tr.Convert(v, v, 255-v)
			if r2, g2, b2 := tr.Convert(v, v, 255-v); r != r2 || g != g2 || b != b2 {
				t.Errorf("%d: not the same twice", v)
			}
		}
		p.SRGB()
	})
}
