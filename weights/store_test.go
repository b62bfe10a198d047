package weights

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// storeWith returns a store with small tensors of given names, types and
// shapes.
func storeWith(specs ...Spec) *Store {
	tensors := make(map[string]Tensor)
	for _, s := range specs {
		tensors[s.Name] = Tensor{Name: s.Name, DType: s.DType, Shape: s.Shape, Data: make([]byte, count(s.Shape)*s.DType.Size())}
	}
	return storeOf("m/unet/x.safetensors", tensors, nil)
}

func TestScope(t *testing.T) {
	s := storeWith(Spec{"text_model.layers.0.to_q.weight", BF16, []int{4, 3, 1, 1}}, Spec{"text_model.layers.0.norm.bias", F32, []int{4}})
	w := s.Scope().Optional("text_model").Optional("vision_model")
	if w.Path() != "text_model" {
		t.Fatalf("path %q", w.Path())
	}
	layer := w.Sub("layers.0")
	q := layer.Sub(layer.First("query", "to_q", "q_proj")).Tensor("weight", 4, 3)
	if q.Name != "text_model.layers.0.to_q.weight" || q.DType != BF16 || !slices.Equal(q.Shape, []int{4, 3}) || len(q.Data) != 24 {
		t.Errorf("got %+v", q)
	}
	for name, want := range map[string]bool{"to_q": true, "to_q.weight": true, "to_": false, "to": false, "to_q.weight.x": false, "norm": true, "normal": false} {
		if layer.Has(name) != want {
			t.Errorf("Has(%q) is %v", name, !want)
		}
	}
	if got := layer.First("query", "key"); got != "query" {
		t.Errorf("First without any is %q", got)
	}
	layer.Sub("norm").Tensor("bias", 4)
	if err := s.Err(); err != nil {
		t.Error(err)
	}
}

func TestStrictReport(t *testing.T) {
	s := storeWith(
		Spec{"conv.weight", F16, []int{8, 4, 3, 3}},
		Spec{"conv.bias", I64, []int{8}},
		Spec{"fine", F16, []int{1, 2}},
		Spec{"embeddings.position_ids", I64, []int{1, 77}},
		Spec{"encoder.conv.weight", F16, []int{2}},
		Spec{"encoders", F16, []int{2}},
		Spec{"odd\nname", F16, []int{2}},
		Spec{"spare.0", F16, []int{2}}, Spec{"spare.1", F16, []int{2}}, Spec{"spare.2", F16, []int{2}},
	)
	w := s.Scope()
	w.Tensor("conv.weight", 4, 8, 3, 3)
	w.Tensor("conv.bias", 8)
	w.Tensor("fine", 1, 2)
	w.Ignore("encoder")
	for _, name := range []string{"gone", "gone", "lost"} {
		x := w.Sub("a").Tensor(name, 3)
		if x.Data != nil || x.Name != "a."+name || !slices.Equal(x.Float32s(), make([]float32, 3)) {
			t.Errorf("a missing tensor is %+v", x)
		}
	}
	err := s.Err()
	line(t, err, "m/unet/x.safetensors", "2 missing (a.gone, a.lost)", "1 of another shape (conv.weight is [8 4 3 3], not [4 8 3 3])",
		"1 of an unusable type (conv.bias is I64", `5 unknown (encoders, "odd\nname", spare.0, ...)`)
	var e *LoadError
	if !errors.As(err, &e) {
		t.Fatalf("%T", err)
	}
	if want := []string{"encoders", "odd\nname", "spare.0", "spare.1", "spare.2"}; !slices.Equal(e.Unread, want) {
		t.Errorf("unread: %q", e.Unread)
	}
	if list := e.List(); strings.Count(list, "\n") != 1+4+2+1+1+5 || !strings.Contains(list, "\tspare.2\n") {
		t.Errorf("list:\n%s", list)
	}
	if s.Err().Error() != err.Error() {
		t.Error("asked twice, the report differs")
	}
}

func TestRecorder(t *testing.T) {
	s := Recorder()
	build(s.Scope())
	want := []Spec{
		{"text_model.norm.weight", F16, []int{4}},
		{"text_model.attn.to_q.weight", F16, []int{4, 4, 1, 1}},
	}
	if got := s.Requested(); !reflect.DeepEqual(got, want) {
		t.Errorf("recorded %v", got)
	}
	if err := s.Err(); err != nil {
		t.Error(err)
	}
}

// build is a typical constructor of a model.
func build(w *Scope) []Tensor {
	w = w.Optional("text_model")
	attn := w.Sub("attn")
	return []Tensor{
		w.Sub("norm").Tensor("weight", 4),
		attn.Sub(attn.First("to_q", "query")).Tensor("weight", 4, 4, 1, 1),
		w.Sub("norm").Tensor("weight", 4),
	}
}

func TestSyntheticStore(t *testing.T) {
	s := Synthetic(7)
	for _, x := range build(s.Scope()) {
		if want := SynthTensor(x.Name, x.Shape, 7); !reflect.DeepEqual(x, want) {
			t.Errorf("%s is not what the law says", x.Name)
		}
	}
	if len(s.Requested()) != 2 || s.Err() != nil {
		t.Errorf("%v, %v", s.Requested(), s.Err())
	}
}

func TestOpenFileGolden(t *testing.T) {
	s := open(t, "testdata/condition.safetensors")
	x, ok := s.Lookup("out/level0")
	if !ok || !slices.Equal(x.Shape, []int{1, 64}) {
		t.Fatalf("%v %v", ok, x.Shape)
	}
	if v := x.Float32s(); v[32] != 1 || v[63] != 0 { // cos 0 and sin 0: see golden.py
		t.Errorf("level embedding %v", v[32:])
	}
	if _, ok := s.Lookup("out/level1"); ok {
		t.Error("found a tensor that does not exist")
	}
}

// A part is recorded, written by the law, opened and read: nothing is missing
// and nothing is left unread.
func Example() {
	rec := Recorder()
	build(rec.Scope())
	for _, spec := range rec.Requested() {
		fmt.Println(spec.Name, spec.Shape)
	}
	// Output:
	// text_model.norm.weight [4]
	// text_model.attn.to_q.weight [4 4 1 1]
}
