package codec

import (
	"bytes"
	"testing"
)

// TestLowMemory: the picture is the same, whatever else has been done with the
// model, and no network is left in memory.
func TestLowMemory(t *testing.T) {
	c := open(t, "tiny")
	data := make([]byte, 28)
	for _, exact := range []bool{false, true} {
		low := raw()
		low.LowMemory, low.Exact = true, exact
		first := decodePix(t, c, data, low)
		o := raw()
		o.Exact = exact
		if !bytes.Equal(first, decodePix(t, c, data, o)) {
			t.Error("low memory paints another picture")
		}
		c.KeepNetworks = !c.KeepNetworks
		if !bytes.Equal(first, decodePix(t, c, data, low)) {
			t.Error("low memory paints another picture the second time")
		}
	}
}
