package codec

import (
	"bytes"
	"testing"
)

// TestLowMemory: the picture is the same, whatever else has been done with the
// model.
func TestLowMemory(t *testing.T) {
	c := open(t, "tiny")
	data := rawFile(t)
	for _, exact := range []bool{false, true} {
		low := quick()
		low.LowMemory, low.Exact = true, exact
		first := paintPix(t, c, data, low)
		o := quick()
		o.Exact = exact
		if !bytes.Equal(first, paintPix(t, c, data, o)) {
			t.Error("low memory paints another picture")
		}
		c.KeepNetworks = !c.KeepNetworks
		if !bytes.Equal(first, paintPix(t, c, data, low)) {
			t.Error("low memory paints another picture the second time")
		}
	}
}
