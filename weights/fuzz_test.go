package weights

import (
	"bytes"
	"os"
	"testing"
)

// Whatever its bytes, a file is refused in one line, or it can be read
// completely and written again.
func FuzzSafetensors(f *testing.F) {
	for _, l := range lies {
		if len(l.data) < 1<<12 {
			f.Add([]byte(l.data))
		}
	}
	for _, name := range []string{"condition", "types", "noise"} {
		data, err := os.ReadFile("testdata/" + name + ".safetensors")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := readAll(t, data)
		if err != nil {
			return
		}
		again, err := parseBytes(rewrite(t, s, s.Names()))
		if err != nil {
			t.Fatalf("what was written does not load: %v", err)
		}
		for _, name := range s.Names() {
			x, _ := s.Lookup(name)
			y, ok := again.Lookup(name)
			if !ok || x.DType != y.DType || !bytes.Equal(x.Data, y.Data) {
				t.Fatalf("%q came back different", name)
			}
		}
	})
}

func FuzzModelIndex(f *testing.F) {
	f.Add([]byte(unclip))
	for _, c := range badModelIndices {
		f.Add([]byte(c.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := parseModelIndex(data); err != nil {
			line(t, err)
		}
	})
}

func FuzzShardIndex(f *testing.F) {
	f.Add([]byte(index("a", "x-1.safetensors", "b", "x-2.safetensors", "c", "x-1.safetensors")))
	for _, c := range badShards {
		f.Add([]byte(c.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		where, err := parseShards(data)
		for name, shard := range where {
			if !plainName(shard) {
				t.Errorf("tensor %q is sought in %q", name, shard)
			}
		}
		s, loaded := shardedFolder(t, string(data))
		switch {
		case err != nil && loaded == nil:
			t.Errorf("loaded in spite of %v", err)
		case loaded != nil:
			line(t, loaded)
		case len(s.Names()) != 3:
			t.Errorf("loaded %q", s.Names())
		}
	})
}
