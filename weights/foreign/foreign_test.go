package foreign

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/coclico/coclico/weights"
)

// TestCheckpoints compares files of torch.save with their contents as
// safetensors.
func TestCheckpoints(t *testing.T) {
	for _, name := range []string{"plain", "params", "parameters", "protocol"} {
		got, err := Open("testdata/" + name + ".pth")
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		want, err := weights.OpenFile("testdata/" + name + ".safetensors")
		if err != nil {
			t.Fatal(err)
		}
		defer want.Close()
		if !slices.Equal(got.Names(), want.Names()) {
			t.Errorf("%s.pth has %v, want %v", name, got.Names(), want.Names())
		}
		for _, n := range want.Names() {
			w, _ := want.Lookup(n)
			g, _ := got.Lookup(n)
			if g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) || !bytes.Equal(g.Data, w.Data) {
				t.Errorf("%s.pth: %s is %v %v %x, want %v %v %x", name, n, g.DType, g.Shape, g.Data, w.DType, w.Shape, w.Data)
			}
		}
	}
}

// TestHostile: what testdata/make.py has made must be refused in one line, or
// read without what is not a tensor.
func TestHostile(t *testing.T) {
	for name, want := range map[string]string{
		"01_forbidden_global": `"os.system", which no tensor needs: the file is refused: save a plain dictionary of tensors`,
		"02_truncated":        "truncated",
		"03_offset_outside":   "larger than its storage",
		"04_negative_stride":  "negative",
		"05_huge_shape":       "larger than its storage",
		"06_legacy":           "before version 1.6",
		"07_claims_1TiB":      "larger than the file",
		"08_byteorder_big":    "big-endian",
		"09_shape_overflow":   "huge dimension",
		"10_storage_short":    "too few",
		"11_deflated_bomb":    "compressed",
		"12_deep":             "",
		"13_laughs":           "",
		"14_string_claim":     "truncated",
		"15_negative_size":    "negative",
		"16_negated":          "save v.detach().resolve_neg()",
	} {
		path := filepath.Join("testdata", name+".pth")
		s, err := Open(path)
		switch {
		case want == "" && err == nil:
			if a, ok := s.Lookup("a"); !ok || !slices.Equal(a.Float32s(), []float32{1, 2, 3, 4, 5, 6}) || len(s.Names()) != 1 {
				t.Errorf("%s: tensors %v, a is %v", name, s.Names(), a.Float32s())
			}
			s.Close()
		case want == "" || err == nil:
			t.Errorf("%s: %v", name, err)
		default: // the path has some of the words too
			reason, ok := strings.CutPrefix(err.Error(), path+": ")
			if !ok || !strings.Contains(reason, want) || strings.Contains(reason, "\n") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	files, err := filepath.Glob("testdata/[0-9]*.pth")
	if err != nil || len(files) != 16 {
		t.Errorf("%d hostile files, want 16 (%v)", len(files), err)
	}
}

// zipOf returns an archive of stored entries, given as names and contents.
func zipOf(t testing.TB, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: entries[i], Method: zip.Store})
		if err == nil {
			_, err = w.Write([]byte(entries[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// npy returns an .npy file of version 1.
func npy(header, body string) string {
	return "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(header)))) + header + body
}

func float32s(x ...float32) string {
	var b []byte
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return string(b)
}

// TestArrays reads what numpy.savez writes; testdata/make.py makes the file.
func TestArrays(t *testing.T) {
	s, err := Open("testdata/arrays.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want, err := weights.OpenFile("testdata/arrays.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	if !slices.Equal(s.Names(), want.Names()) {
		t.Errorf("arrays %v, want %v", s.Names(), want.Names())
	}
	for _, n := range want.Names() {
		w, _ := want.Lookup(n)
		g, _ := s.Lookup(n)
		if g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) || !bytes.Equal(g.Data, w.Data) {
			t.Errorf("%s is %v %v %x, want %v %v %x", n, g.DType, g.Shape, g.Data, w.DType, w.Shape, w.Data)
		}
	}
}

func TestBadArrays(t *testing.T) {
	const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
	six := float32s(1, 2, 3, 4, 5, 6)
	if all, err := parse(zipOf(t, "a.npy", npy(good, six), "readme.txt", "")); err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	for name, c := range map[string]struct{ array, want string }{
		"objects":   {npy(strings.Replace(good, "<f4", "|O", 1), six), "type"},
		"big":       {npy(strings.Replace(good, "<f4", ">f4", 1), six), "type"},
		"short":     {npy(good, six[:20]), "bytes"},
		"long":      {npy(good, six+"x"), "bytes"},
		"overflow":  {npy(strings.Replace(good, "2, 3", "2147483647, 2147483647, 2147483647", 1), six), "large"},
		"wrap":      {npy(strings.Replace(good, "2, 3", "4294967296, 4294967296", 1), six), "large"},
		"rank":      {npy(strings.Replace(good, "2, 3", strings.Repeat("1, ", 9), 1), six), "large"},
		"negative":  {npy(strings.Replace(good, "2, 3", "-2, -3", 1), six), "bad header"},
		"header":    {npy("{}", six), "bad header"},
		"truncated": {npy(good, "")[:40], "truncated"},
		"version":   {strings.Replace(npy(good, six), "\x01\x00", "\x09\x00", 1), "version"},
		"magic":     {"PICKLE" + npy(good, six)[6:], "not an .npy"},
		"empty":     {"", "not an .npy"},
	} {
		_, err := parse(zipOf(t, "a.npy", c.array))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), `array "a": `) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadArchives(t *testing.T) {
	array := npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", float32s(1))
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":    {nil, "not a zip"},
		"text":     {[]byte("weights"), "not a zip"},
		"nothing":  {zipOf(t), "neither"},
		"other":    {zipOf(t, "a.txt", "x"), "neither"},
		"twice":    {zipOf(t, "a.npy", array, "a.npy", array), "twice"},
		"pickles":  {zipOf(t, "a/data.pkl", "", "b/data.pkl", ""), "several"},
		"no stop":  {zipOf(t, "a/data.pkl", "\x80\x02}"), "truncated"},
		"a number": {zipOf(t, "a/data.pkl", "\x80\x02K\x01."), "no dictionary"},
		"no marks": {zipOf(t, "a/data.pkl", "\x80\x02u."), "bad pickle"},
		"long":     {zipOf(t, "a/data.pkl", strings.Repeat("N", maxPickle+1)), "at most"},
	} {
		if _, err := parse(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAligned: tensors begin at multiples of 8 bytes, wherever their entries do.
func TestAligned(t *testing.T) {
	for n := range 8 {
		all, err := parse(zipOf(t, strings.Repeat("a", n+1)+".npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", float32s(1, 2))))
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		if at := uintptr(unsafe.Pointer(&all[0].Data[0])); at%8 != 0 || !slices.Equal(all[0].Float32s(), []float32{1, 2}) {
			t.Errorf("a name of %d letters: %v at %#x", n+1, all[0].Float32s(), at)
		}
	}
}

// TestDirectory: a directory that would take much more memory than the tensors
// is refused.
func TestDirectory(t *testing.T) {
	const comment = 60_000
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range maxDirectory/comment + 1 {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i), Comment: strings.Repeat("x", comment)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := parse(b.Bytes()); err == nil || !strings.Contains(err.Error(), "the directory of the zip archive is too large") {
		t.Errorf("a directory of %d bytes: %v", b.Len(), err)
	}
}

// TestUnpickle reads the literals that the files of testdata do not have, and
// refuses what no file should have.
func TestUnpickle(t *testing.T) {
	for pickle, want := range map[string]any{
		"\x80\x02\x8a\x01\xff.":                                      int64(-1),
		"\x80\x02\x8a\x02\x00\x01.":                                  int64(256),
		"\x80\x02\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.":          int64(math.MinInt64),
		"\x80\x02\x8a\x00.":                                          int64(0),
		"\x80\x05J\xfe\xff\xff\xff.":                                 int64(-2),
		"\x80\x02G\x3f\xf8\x00\x00\x00\x00\x00\x00.":                 1.5,
		"\x80\x02\x88.":                                              true,
		"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94.": "a",
	} {
		if got, err := unpickle([]byte(pickle)); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", pickle, got, err, want)
		}
	}
	for pickle, want := range map[string]string{
		"\x80\x06N.": "protocol 6",
		"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.": "more than 64 bits",
		"i.":                            "instruction 0x69",
		"NN.":                           "bad pickle",
		"h\x00.":                        "bad pickle",
		"(q\x00.":                       "bad pickle",
		"]N(s.":                         "bad pickle",
		"\x94.":                         "bad pickle",
		"NN\x93.":                       "bad pickle",
		"\x95.":                         "truncated",
		"\x8c\x05a.":                    "truncated",
		"\x8c\x02os\x8c\x06system\x93.": `calls "os.system"`,
		"ctorch._utils\n_rebuild_parameter\nNNN\x87R.": "bad pickle",
	} {
		if got, err := unpickle([]byte(pickle)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %v, %v; want an error with %q", pickle, got, err, want)
		}
	}
}

// TestTensorArguments: metadata that is not empty is refused, and so are further
// arguments.
func TestTensorArguments(t *testing.T) {
	args := tuple{storage{weights.F32, "0", 6}, int64(0), tuple{int64(6)}, tuple{int64(1)}, false, &dict{}}
	for _, c := range []struct {
		more tuple
		ok   bool
	}{{nil, true}, {tuple{nil}, true}, {tuple{&dict{}}, true}, {tuple{true}, false}, {tuple{nil, nil}, false}, {tuple{&dict{[]any{"conj"}, []any{true}}}, false}} {
		if _, err := newTensor(append(args[:6:6], c.more...)); (err == nil) != c.ok {
			t.Errorf("%v: error %v", c.more, err)
		}
	}
}

// TestNested reads the dictionary under either of its names.
func TestNested(t *testing.T) {
	data, err := os.ReadFile("testdata/params.pth")
	if err != nil {
		t.Fatal(err)
	}
	want, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	a, err := openArchive(data)
	if err != nil {
		t.Fatal(err)
	}
	var entries []string
	for _, name := range a.names {
		content := string(a.entries[name].data)
		if strings.HasSuffix(name, pickleName) {
			content = strings.Replace(content, "\x06\x00\x00\x00params", "\x0a\x00\x00\x00state_dict", 1)
		}
		entries = append(entries, name, content)
	}
	got, err := parse(zipOf(t, entries...))
	if err != nil || len(got) != len(want) || !slices.EqualFunc(got, want, func(a, b weights.Tensor) bool { return a.Name == b.Name && bytes.Equal(a.Data, b.Data) }) {
		t.Errorf("%d tensors, want %d: %v", len(got), len(want), err)
	}
}

// TestModule: DataParallel's prefix goes if all names have it.
func TestModule(t *testing.T) {
	for in, want := range map[string]string{"module.a module.b": "a b", "module.a b": "module.a b"} {
		var all []weights.Tensor
		for name := range strings.FieldsSeq(in) {
			all = append(all, weights.Tensor{Name: name})
		}
		stripModule(all)
		if got := all[0].Name + " " + all[1].Name; got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}

// TestRepeated: a small file whose tensors all show the same storage must not
// stand for a large one.
func TestRepeated(t *testing.T) {
	data, err := os.ReadFile("testdata/12_deep.pth")
	if err != nil {
		t.Fatal(err)
	}
	a, err := openArchive(data)
	if err != nil {
		t.Fatal(err)
	}
	const floats = 1 << 16
	a.entries["archive/data/1"] = entry{make([]byte, 4*floats), 0}
	d := new(dict)
	for i := range 100 {
		d.keys = append(d.keys, strings.Repeat("x", i))
		d.values = append(d.values, &tensor{storage{weights.F32, "1", floats}, 0, []int64{floats}, []int64{1}})
	}
	if _, err := a.tensors("archive/", d); err == nil || !strings.Contains(err.Error(), "many times larger") {
		t.Errorf("100 views of one storage: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.[pn][tp][hz]")
	if err != nil || len(files) < 17 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := parse(data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			return
		}
		size := 0
		for _, w := range all {
			if len(w.Data) != w.Len()*w.DType.Size() {
				t.Errorf("%s has %d bytes for %v of %v", w.Name, len(w.Data), w.Shape, w.DType)
			}
			size += len(w.Data)
		}
		if size > 4*len(data) {
			t.Errorf("%d bytes of tensors in a file of %d", size, len(data))
		}
	})
}

func FuzzUnpickle(f *testing.F) {
	for _, name := range []string{"plain", "params", "protocol", "12_deep", "13_laughs", "01_forbidden_global"} {
		data, err := os.ReadFile("testdata/" + name + ".pth")
		if err != nil {
			f.Fatal(err)
		}
		a, err := openArchive(data)
		if err != nil {
			f.Fatal(err)
		}
		folder, err := a.folder()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.entries[folder+pickleName].data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if v, err := unpickle(data); err != nil && v != nil {
			t.Errorf("%T and %v", v, err)
		}
	})
}
