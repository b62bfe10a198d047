package codec

import (
	"encoding/binary"
	"io"
	"math"
	"testing"

	"github.com/coclico/coclico/weights"
)

// rewrite writes a store's file again with the tensor of that name in float32,
// all of it 3e38.
func rewrite(t *testing.T, store *weights.Store, name string) {
	t.Helper()
	var specs []weights.Spec
	for _, n := range store.Names() {
		tensor, _ := store.Lookup(n)
		s := weights.Spec{Name: n, DType: tensor.DType, Shape: tensor.Shape}
		if n == name {
			s.DType = weights.F32
		}
		specs = append(specs, s)
	}
	err := weights.WriteFile(store.Name(), func(w io.Writer) error {
		return weights.WriteSafetensors(w, specs, func(i int, w io.Writer) error {
			tensor, _ := store.Lookup(specs[i].Name)
			if specs[i].Name != name {
				_, err := w.Write(tensor.Data)
				return err
			}
			var b []byte
			for range tensor.Len() {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(3e38))
			}
			_, err := w.Write(b)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
