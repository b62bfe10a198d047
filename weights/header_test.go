package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
)

// lies are files that are wrong in one way each, with a phrase of the error.
// They also seed the fuzz target.
var lies = []struct {
	name string
	data string
	want string
}{
	{"empty", "", "shorter than 8 bytes"},
	{"seven bytes", "\x00\x00\x00\x00\x00\x00\x00", "shorter than 8 bytes"},
	{"header of 2^63 bytes", "\x00\x00\x00\x00\x00\x00\x00\x80{}", "not a safetensors file"},
	{"header above the limit", "\x00\x00\x00\x06\x00\x00\x00\x00{}", "100663296 bytes long"},
	{"header longer than the file", "\xFF\x00\x00\x00\x00\x00\x00\x00{}", "cut short: 10 bytes, more than 263 expected"},
	{"header of no bytes", "\x00\x00\x00\x00\x00\x00\x00\x00", "does not begin with {"},
	{"web page", "<!DOCTYPE html><html>", "not a safetensors file"},
	{"git-lfs pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"},
	{"null", raw("null", 0), "does not begin with {"},
	{"not JSON", raw(`{"a":`, 0), "unexpected EOF"},
	{"two texts", raw(`{}{}`, 0), "invalid character"},
	{"not UTF-8", raw("{\"a\xFF\":{}}", 0), "not UTF-8"},
	{"nested", raw(strings.Repeat(`{"a":`, 1000)+"1"+strings.Repeat("}", 1000), 0), "nested too deeply"},
	{"many tensors", raw(manyTensors(), 0), "more than 65536 members"},
	{"long name", raw(`{"`+strings.Repeat("a", 1000)+`":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), "longer than 512"},
	{"duplicate name", raw(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}}`, 4), "a appears twice"},
	{"duplicate key", raw(`{"a":{"dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]}}`, 4), "dtype appears twice"},
	{"names equal once decoded", raw(`{"\ud800":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"\ud801":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 4), "appears twice"},
	{"line break in a name", raw("{\"a\\nb\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\\nb\":1}", 1), `"a\nb" appears twice`},
	{"unknown type", raw(`{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}`, 4), "tensor a: type F8_E4M3 is not supported: weights must be F16, BF16 or F32"},
	{"unknown type of many bits", raw(`{"a":{"dtype":"`+strings.Repeat("F", 300)+`","shape":[4],"data_offsets":[0,4]}}`, 4), "FFF... is not supported"},
	{"no type", raw(`{"a":{"shape":[4],"data_offsets":[0,4]}}`, 4), "expected 3 keys"},
	{"no offsets", raw(`{"a":{"dtype":"U8","shape":[4],"x":0}}`, 4), "data_offsets"},
	{"three offsets", raw(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,2,4]}}`, 4), "data_offsets"},
	{"negative dimension", raw(`{"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}`, 4), "shape"},
	{"fractional dimension", raw(`{"a":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}}`, 4), "shape"},
	{"long shape", raw(`{"a":{"dtype":"U8","shape":[`+strings.Repeat("1,", 50)+`1],"data_offsets":[0,1]}}`, 1), "51 dimensions"},
	{"shape overflows", raw(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "overflow"},
	{"size overflows", raw(`{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}`, 0), "overflow"},
	{"dimension beside a 0", raw(`{"a":{"dtype":"U8","shape":[0,18446744073709551615],"data_offsets":[0,0]}}`, 0), "dimension of"},
	{"size and shape differ", raw(`{"a":{"dtype":"F16","shape":[4],"data_offsets":[0,4]}}`, 4), "mismatch"},
	{"gap", raw(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[8,12]}}`, 12), "offset"},
	{"overlap", raw(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}`, 6), "offset"},
	{"backwards", raw(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}`, 4), "offset"},
	{"starts late", raw(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`, 8), "offset"},
	{"file cut", raw(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`, 4), "cut short: 65 bytes, 69 expected"},
	{"file longer", raw(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`, 9), "too long: 70 bytes, 69 expected"},
	{"ends near 2^64", raw(`{"a":{"dtype":"U8","shape":[18446744073709551600],"data_offsets":[0,18446744073709551600]}}`, 0), "incomplete"},
	{"metadata of numbers", raw(`{"__metadata__":{"a":1}}`, 0), "__metadata__"},
	{"quotes the whole file", raw(`{"a":{"dtype":"U8","shape":{"`+strings.Repeat("b", 500)+`":"`+strings.Repeat("x", 9999)+`"},"data_offsets":[0,0]}}`, 0), "shape"},
}

// raw returns a file with the given header and n bytes of data.
func raw(header string, n int) string {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return string(b) + header + strings.Repeat("\x01", n)
}

func manyTensors() string {
	var b strings.Builder
	for i := range maxMembers + 1 {
		fmt.Fprintf(&b, `,"%d":0`, i)
	}
	return "{" + b.String()[1:] + "}"
}

func parseBytes(data []byte) (*Store, error) {
	return newStore("f.safetensors", &region{data: data})
}

func TestLies(t *testing.T) {
	for _, l := range lies {
		t.Run(l.name, func(t *testing.T) {
			_, err := parseBytes([]byte(l.data))
			line(t, err, "f.safetensors: ", l.want)
			if f, ok := err.(*FileError); !ok || f.File != "f.safetensors" {
				t.Errorf("%T", err)
			}
		})
	}
}

// Headers that are odd but valid must load.
func TestOddHeaders(t *testing.T) {
	for name, data := range map[string]string{
		"no tensors":    raw(`{}`, 0),
		"padded":        raw(`{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}      `, 2),
		"not aligned":   raw(`{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}} `, 2),
		"scalar":        raw(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4),
		"empty tensors": raw(`{"a":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0),
		"any order":     raw(`{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 2),
	} {
		if _, err := parseBytes([]byte(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file that is cut anywhere is an error, and one with any bit of its header
// flipped is an error or can be read; neither panics.
func TestDamagedHeader(t *testing.T) {
	good, err := os.ReadFile("testdata/condition.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if _, err := parseBytes(good[:n]); err == nil {
			t.Fatalf("cut to %d bytes it loads", n)
		}
	}
	head := 8 + int(binary.LittleEndian.Uint64(good))
	for i := range head * 8 {
		data := bytes.Clone(good)
		data[i/8] ^= 1 << (i % 8)
		readAll(t, data)
	}
}

// readAll opens a file and uses everything in it. The error is the parser's.
func readAll(t *testing.T, data []byte) (*Store, error) {
	s, err := parseBytes(data)
	if err != nil {
		line(t, err, "f.safetensors: ")
		return nil, err
	}
	total := 0
	for _, name := range s.Names() {
		x, ok := s.Lookup(name)
		if !ok || x.Name != name || len(x.Data) != x.Len()*x.DType.Size() {
			t.Fatalf("%q: %v %v, %d bytes", name, x.DType, x.Shape, len(x.Data))
		}
		total += len(x.Data)
		if got := len(x.Float32s()); got != x.Len() {
			t.Fatalf("%q: %d values", name, got)
		}
		x.Finite()
		x.Release()
		s.Scope().Tensor(name, x.Shape...)
	}
	if head := 8 + int(binary.LittleEndian.Uint64(data)); head+total != len(data) {
		t.Fatalf("%d bytes of header and %d of tensors in %d", head, total, len(data))
	}
	if err := s.Err(); err != nil {
		line(t, err, "f.safetensors: ")
	}
	if err := s.CheckFinite(t.Context()); err != nil {
		line(t, err, "f.safetensors: ")
	}
	return s, nil
}
