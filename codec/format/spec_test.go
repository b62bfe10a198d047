package format

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/mini"
)

// TestSpecification: the worked example in FORMAT.md is what a reader of
// testdata/coffee.coclico goes through.
func TestSpecification(t *testing.T) {
	const (
		name  = "../FORMAT.md"
		start = "<!-- coffee.coclico, written by TestSpecification -->\n"
		end   = "<!-- end -->\n"
	)
	data, err := os.ReadFile("../testdata/coffee.coclico")
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
	want := walkthrough(t, data)
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

// walkthrough reads a coded file of the tuned profile without an extension, and
// writes down how.
func walkthrough(t *testing.T, data []byte) string {
	f, err := Parse(data)
	if err != nil || f.Profile != Tuned || f.extended() || f.Stored() {
		t.Fatalf("not the file for this example (%v)", err)
	}
	p := builtInPrior(t)
	codes, err := f.Vector(p)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := 0; i < len(data); i += 32 {
		fmt.Fprintf(&b, "    %02x  % x\n", i, data[i:min(i+32, len(data))])
	}
	b.WriteString("\nThe header's bits are the first ones, although the file is coded:\n\n")
	writeHeader(&b, data)
	b.WriteString("\nThe first sample has f6 = 256 and f7 = -224, all other features 0:\n\n")
	writeFirst(&b, f)
	b.WriteString("\nThe range coder, in hexadecimal, before symbols of the map and the vector:\n\n")
	writeSymbols(&b, f, p)
	const some = 64
	fmt.Fprintf(&b, "\nThe codes of the map, row by row, and of the vector's first %d dimensions, which have %s bit each:\n\n", some, each(f.Allocation(p)[:some]))
	for plane, codes := range [][]uint8{f.Map.Y, f.Map.U, f.Map.V} {
		side := f.MapSize
		if plane != planeY {
			side /= 2
		}
		fmt.Fprintf(&b, "    %c", "YUV"[plane])
		for row := range slices.Chunk(codes, side) {
			fmt.Fprint(&b, " ", digits(row))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "    x %s\n", digits(codes[:some]))
	return b.String()
}

// digits returns codes of one digit each.
func digits[T uint8 | uint16](v []T) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", ""), "[]")
}

// each returns "one" if all bits are 1.
func each(bits []uint8) string {
	if slices.Min(bits) != 1 || slices.Max(bits) != 1 {
		return "not one"
	}
	return "one"
}

// writeHeader writes the fields of the header, bit by bit.
func writeHeader(b *strings.Builder, data []byte) {
	r := bitString{data: data}
	for _, field := range []struct {
		bits int
		show func(v uint64) string
	}{
		{4, func(v uint64) string { return fmt.Sprintf("version %d", v-11) }},
		{1, func(v uint64) string { return Profile(v).String() + " profile" }},
		{1, func(v uint64) string { return [...]string{"no extension", "extension"}[v] }},
		{FingerprintBits, func(v uint64) string { return fmt.Sprintf("model %03x, the built-in one", v) }},
		{SpreadBits, func(v uint64) string { return fmt.Sprintf("spread %d", v) }},
		{RangeBits, func(v uint64) string { return fmt.Sprintf("low %d", v) }},
		{RangeBits, func(v uint64) string { return fmt.Sprintf("high %d", v) }},
		{RangeBits, func(v uint64) string { return fmt.Sprintf("chroma %d", v) }},
	} {
		bytes := ""
		if r.at%16 == 0 {
			bytes = fmt.Sprintf("% x", data[r.at/8:r.at/8+2])
		}
		v := r.read(0, field.bits)
		fmt.Fprintf(b, "    %-5s  %-10s  %s\n", bytes, fmt.Sprintf("%0*b", field.bits, v), field.show(v))
	}
}

// writeFirst writes how the first sample of the map gets its probabilities, by
// the formulas of FORMAT.md.
func writeFirst(b *strings.Builder, f *File) {
	p := &predictorsFor(f.Profile, f.ColorBits)[planeY]
	w := p.Weights[0]
	mean := (int(w[6])*256 + int(w[7])*-224) >> 7
	cross := bin(f.MapSize, mapSizes)
	j := int(p.Scale[0]) + int(p.Activity[0]) + int(p.Cross[cross])
	fmt.Fprintf(b, "    mean = floor((%d * 256 + %d * -224) / 128) = %d;  j = %d + %d + %d = %d, inverseScales[j] = %d\n",
		w[6], w[7], mean, p.Scale[0], p.Activity[0], p.Cross[cross], j, inverseScales[j])
	for k := 1; k < 1<<f.ColorBits; k++ {
		z := (k<<(12-f.ColorBits) - 2048 - mean) * int(inverseScales[j]) >> 8
		fmt.Fprintf(b, "    k = %d  z = %d, colorCurve(z) = %d, F(k) = %d\n", k, z, at(&colorCurve, z), share(&colorCurve, z, k, f.ColorBits))
	}
}

// A slowDecoder is the range coder's reader as FORMAT.md has it.
type slowDecoder struct {
	data         []byte // what is not read yet
	value, width uint64
}

func (d *slowDecoder) shift() {
	d.value *= 256
	if len(d.data) > 0 {
		d.value += uint64(d.data[0])
		d.data = d.data[1:]
	}
}

func (d *slowDecoder) number() uint32 { return uint32(min(d.value/(d.width/65536), 65535)) }

// symbol is a [coder].
func (d *slowDecoder) symbol(_, _ int, below func(k int) uint32) int {
	k := 0
	for below(k+1) <= d.number() {
		k++
	}
	unit := d.width / 65536
	d.value -= unit * uint64(below(k))
	for d.width = unit * uint64(below(k+1)-below(k)); d.width < 1<<40; d.width *= 256 {
		d.shift()
	}
	return k
}

// writeSymbols writes the state of the range coder at some symbols.
func writeSymbols(b *strings.Builder, f *File, p Prior) {
	d := &slowDecoder{data: f.data[f.beginBytes():], width: 1 << 48}
	for range 6 {
		d.shift()
	}
	coder(d.symbol).bits(0, f.headBits)
	var log []string
	trace := func(_, n int, below func(k int) uint32) int {
		line := fmt.Sprintf("width %12x  value %12x  number %4x  F", d.width, d.value, d.number())
		k := d.symbol(0, n, below)
		for i := range n + 1 {
			line += fmt.Sprintf(" %4x", below(i))
		}
		log = append(log, fmt.Sprintf("%s  code %d", line, k))
		return k
	}
	coder(trace).colorMap(newColorMap(f.MapSize), f.Header)
	f.vectorCoder(p).code(trace, make([]uint16, f.Dimensions))
	luma := f.MapSize * f.MapSize
	for _, symbol := range []struct {
		name string
		at   int
	}{
		{"Y(0,0)", 0}, {"Y(1,0)", 1}, {"U(0,0)", luma}, {"V(0,0)", luma + luma/4}, {"x(0)", luma + luma/2},
	} {
		fmt.Fprintf(b, "    %-6s  %s\n", symbol.name, log[symbol.at])
	}
}

// builtInPrior returns the prior of the built-in model, which made the file.
func builtInPrior(t *testing.T) Prior {
	folder, err := mini.Folder()
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	store, err := folder.Part(weights.ImageNormalizer)
	if err != nil {
		t.Fatal(err)
	}
	const dim = 768
	mean, std := store.Scope().Tensor("mean", 1, dim).Float32s(), store.Scope().Tensor("std", 1, dim).Float32s()
	if err := store.Err(); err != nil {
		t.Fatal(err)
	}
	p := Prior{Fingerprint: 0x241, Moments: make([]Moment, dim)}
	for i := range p.Moments {
		p.Moments[i] = Moment{Float16(weights.Float16(mean[i])), Float16(weights.Float16(std[i]))}
	}
	return p
}
