package weights

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestSharded(t *testing.T) {
	files := map[string]string{
		"model_index.json": unclip,
		"unet/diffusion_pytorch_model.safetensors.index.json": index("a", "x-1.safetensors", "b", "x-2.safetensors", "c", "x-1.safetensors"),
		"unet/x-1.safetensors":                                shard("a", "c"),
		"unet/x-2.safetensors":                                shard("b"),
	}
	disk, err := OpenFolder(onDisk(t, files))
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	inMemory, err := FolderFS(memory(files), "m")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*Folder{disk, inMemory} {
		s, err := f.Part("unet")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b", "c"} {
			if x := s.Scope().Tensor(name, 2); !bytes.Equal(x.Data, SynthTensor(name, []int{2}, 1).Data) {
				t.Errorf("%s is %v", name, x.Data)
			}
		}
		if err := s.Err(); err != nil {
			t.Error(err)
		}
	}
}

// badShards are wrong indices of a part with the files x-1 (a, c) and x-2 (b).
var badShards = []struct{ data, want string }{
	{``, "does not begin"}, {`{}`, "no weight_map"}, {`{"Weight_Map":{}}`, "no weight_map"},
	{`{"weight_map":[]}`, "weight_map"}, {`{"weight_map":{}}`, "empty"}, {`{"weight_map":{"a":5}}`, "weight_map"},
	{`{"weight_map":{"a":"x-1.safetensors"},"weight_map":{}}`, "weight_map appears twice"},
	{index("a", "x-1.safetensors", "a", "x-2.safetensors"), "a appears twice"},
	{index("a", "../x-1.safetensors"), "not the name of a safetensors file"},
	{index("a", "/etc/x.safetensors"), "not the name of a safetensors file"},
	{index("a", `..\\x.safetensors`), "not the name of a safetensors file"},
	{index("a", "C:x.safetensors"), "not the name of a safetensors file"},
	{index("a", ""), "not the name of a safetensors file"},
	{index("a", longName+"s.safetensors"), "not the name of a safetensors file"},
	{index("a", "x-1.safetensors", "c", "x-1.safetensors", "b", longName+".safetensors"), "unet/" + longName + ".safetensors: "},
	{index("a", "pytorch_model.bin"), "not the name of a safetensors file"},
	{index("a", "x-1.safetensors", "c", "x-1.safetensors", "b", "x-3.safetensors"), "unet/x-3.safetensors: "},
	{index("a", "x-1.safetensors", "b", "x-2.safetensors"), "tensor c is in x-1.safetensors but not in the index"},
	{index("a", "x-2.safetensors", "b", "x-2.safetensors", "c", "x-1.safetensors"), "tensor a is in x-1.safetensors, the index has it in x-2.safetensors"},
	{index("a", "x-1.safetensors", "b", "x-2.safetensors", "c", "x-1.safetensors", "d", "x-2.safetensors"), "tensor d is not in x-2.safetensors"},
}

// longName makes the longest name of a file with its ending.
var longName = strings.Repeat("x", MaxFileName-len(".safetensors"))

var shard1, shard2 = shard("a", "c"), shard("b")

func shardedFolder(t *testing.T, data string) (*Store, error) {
	f, err := FolderFS(memory(map[string]string{
		"unet/model.safetensors.index.json": data,
		"unet/x-1.safetensors":              shard1,
		"unet/x-2.safetensors":              shard2,
	}), "m")
	if err != nil {
		t.Fatal(err)
	}
	return f.Part("unet")
}

func TestBadShardIndex(t *testing.T) {
	for _, c := range badShards {
		_, err := shardedFolder(t, c.data)
		line(t, err, "m/unet/", c.want)
	}
}

// TestManyShards: an index names at most a thousand files.
func TestManyShards(t *testing.T) {
	var pairs []string
	for i := range maxShards + 1 {
		pairs = append(pairs, fmt.Sprint(i), fmt.Sprintf("%d.safetensors", i))
	}
	if where, err := parseShards([]byte(index(pairs[2:]...))); err != nil || len(where) != 1000 {
		t.Errorf("1000 files: %d tensors, error %v", len(where), err)
	}
	_, err := parseShards([]byte(index(pairs...)))
	line(t, err, "bad index: 1001 files, at most 1000 are read")
}
