package weights

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestExcerpt writes files, takes tensors out of them by their ranges, and reads
// what they become.
func TestExcerpt(t *testing.T) {
	whole := []Spec{
		{"a.position_ids", I64, []int{1, 7}}, {"a.bias", F32, []int{5}}, {"a.empty", F32, []int{0, 3}}, {"a.weight", F32, []int{3, 5}},
		{"b.weight", F32, []int{4}}, {"c.half", F16, []int{3}}, {"c.weight", F32, nil},
	}
	var file bytes.Buffer
	if err := WriteSafetensors(&file, whole, func(i int, w io.Writer) error {
		_, err := w.Write(bytes.Repeat([]byte{byte(i + 1)}, whole[i].DType.Size()*count(whole[i].Shape)))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	data := file.Bytes()
	n, err := HeaderSize(data[:8], int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	all, err := parse("whole", &region{data: data})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		kept   string
		ranges int
	}{
		{"a.bias a.empty a.weight b.weight c.weight c.half a.position_ids", 1},
		{"a.bias a.empty a.weight", 1}, {"a.bias a.weight", 1}, {"a.weight c.weight", 2}, {"a.position_ids a.weight c.half", 3}, {"a.empty", 0},
	} {
		kept := strings.Fields(tt.kept)
		begin, ranges, err := Excerpt(data[:n], int64(len(data)), func(name string) bool { return slices.Contains(kept, name) })
		if err != nil || len(ranges) != tt.ranges {
			t.Errorf("%s: %v, %v", tt.kept, ranges, err)
		}
		for _, r := range ranges {
			begin = append(begin, data[r.Start:r.End]...)
		}
		got, err := parse("excerpt", &region{data: begin})
		if err != nil || len(got) != len(kept) {
			t.Errorf("%s: %d tensors, %v", tt.kept, len(got), err)
		}
		for _, name := range kept {
			if a, b := got[name], all[name]; a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) || !bytes.Equal(a.Data, b.Data) {
				t.Errorf("%s: %s differs", tt.kept, name)
			}
		}
	}
	none := func(string) bool { return false }
	if _, _, err := Excerpt(data[:n], int64(len(data)), none); err == nil || !strings.Contains(err.Error(), "none of the tensors") {
		t.Errorf("no tensors: %v", err)
	}
	if _, _, err := Excerpt(data[:n-1], int64(len(data)), none); err == nil {
		t.Error("a short header")
	}
}

// TestExcerptLies: what is wrong with a file's header is wrong with an excerpt
// of it, though the rest has not been read.
func TestExcerptLies(t *testing.T) {
	for _, tt := range lies {
		data := []byte(tt.data)
		head := data
		if n, err := HeaderSize(data, int64(len(data))); err == nil {
			head = data[:n]
		}
		if begin, _, err := Excerpt(head, int64(len(data)), func(string) bool { return true }); err == nil || begin != nil || len(err.Error()) > 400 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", tt.name, err)
		}
	}
}

func FuzzExcerpt(f *testing.F) {
	for _, tt := range lies {
		f.Add([]byte(tt.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := HeaderSize(data, int64(len(data)))
		if err != nil {
			return
		}
		all := func(string) bool { return true }
		begin, ranges, err := Excerpt(data[:n], int64(len(data)), all)
		if err != nil {
			return
		}
		for _, r := range ranges {
			begin = append(begin, data[r.Start:r.End]...)
		}
		if _, err := parse("whole", &region{data: data}); err != nil {
			t.Errorf("the whole file: %v", err)
		}
		if _, err := parse("excerpt", &region{data: begin}); err != nil {
			t.Errorf("the excerpt: %v", err)
		}
	})
}
