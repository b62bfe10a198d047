package codec

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/coclico/coclico/codec/model/synth"
	"github.com/coclico/coclico/weights"
)

// rewrite writes a store's file again, in float32 the tensors for which values
// returns any.
func rewrite(t *testing.T, store *weights.Store, values func(weights.Tensor) []float32) {
	t.Helper()
	var specs []weights.Spec
	for _, n := range store.Names() {
		tensor, _ := store.Lookup(n)
		s := weights.Spec{Name: n, DType: tensor.DType, Shape: tensor.Shape}
		if values(tensor) != nil {
			s.DType = weights.F32
		}
		specs = append(specs, s)
	}
	err := weights.WriteFile(store.Name(), func(w io.Writer) error {
		return weights.WriteSafetensors(w, specs, func(i int, w io.Writer) error {
			tensor, _ := store.Lookup(specs[i].Name)
			if v := values(tensor); v != nil {
				return binary.Write(w, binary.LittleEndian, v)
			}
			_, err := w.Write(tensor.Data)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// widenAll writes a part in float32.
func widenAll(t *testing.T, c *Codec, part string) {
	t.Helper()
	store, err := c.model.Folder().Part(weights.Part(part))
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, store, weights.Tensor.Float32s)
}

// TestFloat32Model: the same weights in float32, as the hub has the UNet, are
// the same model.
func TestFloat32Model(t *testing.T) {
	dir := t.TempDir()
	if err := synth.Write(t.Context(), dir, "tiny", 1, nil); err != nil {
		t.Fatal(err)
	}
	half, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	picture := testPicture(60, 60)
	data, err := half.Encode(t.Context(), picture, nil)
	if err != nil {
		t.Fatal(err)
	}
	fast, exact := quick(), quick()
	exact.Exact, exact.Sampling.Guidance = true, 1 // guidance would enlarge the differences of rounding
	wantFast, wantExact := decodePix(t, half, data, fast), decodePix(t, half, data, exact)

	for _, part := range []string{"image_encoder", "image_normalizer", "text_encoder", "unet", "vae"} {
		widenAll(t, half, part)
	}
	wide, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer wide.Close()
	if got, err := wide.Encode(t.Context(), picture, nil); err != nil || !bytes.Equal(got, data) {
		t.Errorf("float32 weights give another stream (%v)", err)
	}
	if !bytes.Equal(decodePix(t, wide, data, fast), wantFast) {
		t.Error("float32 weights give another picture")
	}
	for i, v := range decodePix(t, wide, data, exact) {
		if d := int(v) - int(wantExact[i]); d < -1 || d > 1 {
			t.Fatalf("exact: value %d is %d, with float16 weights %d", i, v, wantExact[i])
		}
	}
}
