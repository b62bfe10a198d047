package codec

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestSpecification: the second half of the worked example in FORMAT.md, what
// the codes of testdata/coffee.coclico stand for, follows from FORMAT.md's
// formulas, and is what the package makes of them. Package format has a test of
// the first half.
func TestSpecification(t *testing.T) {
	const (
		name  = "FORMAT.md"
		start = "<!-- its values, written by TestSpecification -->\n"
		end   = "<!-- end of values -->\n"
	)
	data, err := os.ReadFile("testdata/coffee.coclico")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := bytes.Cut(doc, []byte(start))
	was, after, found := bytes.Cut(rest, []byte(end))
	if !ok || !found {
		t.Fatalf("%s: no worked example", name)
	}
	want := describeColor(t, f) + describeVector(t, f)
	if string(was) == want {
		return
	}
	if !*update {
		t.Fatalf("%s: the worked example is not that of the file, which is:\n%s", name, want)
	}
	if err := os.WriteFile(name, slices.Concat(before, []byte(start+want+end), after), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestSpecificationOfID: FORMAT.md has the built-in model's ID and fingerprint,
// and the first is the beginning of the second in bits, not in digits.
func TestSpecificationOfID(t *testing.T) {
	c, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	id, err := c.ModelID()
	if err != nil {
		t.Fatal(err)
	}
	fingerprint, err := c.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	var whole uint32
	if _, err := fmt.Sscanf(fingerprint, "%08x", &whole); err != nil || ModelID(whole>>22) != id {
		t.Errorf("the fingerprint %s does not begin with the ID %v: %v", fingerprint, id, err)
	}
	doc, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(string(doc)), " ")
	for _, want := range []string{
		fmt.Sprintf("%v for the built-in model, whose fingerprint is %s", id, fingerprint),
		fmt.Sprintf("%010b model %v, the built-in one", uint16(id), id),
	} {
		if !strings.Contains(words, want) {
			t.Errorf("FORMAT.md does not say %q", want)
		}
	}
}

// describeColor writes the levels of a tuned color map of two bits, and its
// first pixel.
func describeColor(t *testing.T, f *File) string {
	h := f.f.Header
	if h.Profile != Tuned || h.ColorBits != 2 {
		t.Fatal("not the file for this example")
	}
	levels := func(lo, hi float64) (v [4]float64, text string) {
		for k := range v {
			v[k] = lo + (float64(k)+0.5)/4*(hi-lo)
			text += fmt.Sprintf(" %.4f", v[k])
		}
		return v, text
	}
	luma, lumaText := levels(float64(h.Range.Low)/16, 1-float64(h.Range.High)/16)
	r := math.Pow(2, -1-float64(h.Range.Chroma)/2)
	chroma, chromaText := levels(0.5-r+r/4, 0.5+r+r/4)

	y, u, v := luma[f.f.Map.Y[0]], chroma[f.f.Map.U[0]], chroma[f.f.Map.V[0]]
	red, blue := y+1.402*(v-0.5), y+1.772*(u-0.5)
	green := (y - 0.299*red - 0.114*blue) / 0.587
	px := f.ColorMap().At(0, 0).(color.RGBA)
	for i, c := range []float64{red, green, blue} {
		if got := float64([]uint8{px.R, px.G, px.B}[i]); math.Abs(min(max(c, 0), 1)*255-got) > 0.51 {
			t.Errorf("channel %d of the first pixel is %v, by FORMAT.md %.4f", i, got, c*255)
		}
	}
	return fmt.Sprintf("    Y       codes 0 to 3: %s\n    U, V    codes 0 to 3: %s\n    pixel (0,0): Y %.4f, U %.4f, V %.4f: R %.4f, G %.4f, B %.4f: #%02x%02x%02x\n",
		lumaText, chromaText, y, u, v, red, green, blue, px.R, px.G, px.B)
}

// describeVector writes the first values of a tuned vector.
func describeVector(t *testing.T, f *File) string {
	c := builtIn(t)
	x, err := c.Vector(f)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.prior()
	if err != nil {
		t.Fatal(err)
	}
	bits := f.f.Allocation(p)
	var b strings.Builder
	s := 0
	for i := range 2 {
		if bits[i] != 1 {
			t.Fatal("not the file for this example")
		}
		s = (2*s + int(x.Codes[i])) % 4096
		j := 1229 * s % 4096
		j ^= j / 128
		j = 3313 * j % 4096
		j ^= j / 64
		level := math.Sqrt2 * math.Erfinv(2*(float64(j)+0.5)/4096-1)
		m := p.Moments[i]
		mean, std := math.Ldexp(float64(m.Mean), -24), math.Ldexp(float64(m.Std), -24)
		value := mean + std*math.Pow(2, (1-float64(f.f.Spread))/4)*0.875*level
		if math.Abs(value-float64(x.Values[i])) > 1e-6 {
			t.Errorf("value %d of the vector is %g, by FORMAT.md %g", i, x.Values[i], value)
		}
		fmt.Fprintf(&b, "    x(%d)    s = %04b, j = %4d, level %+.4f, mean %+.4f, deviation %.4f: %+.4f\n", i, s, j, level, mean, std, value)
	}
	return b.String()
}
