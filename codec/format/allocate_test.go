package format

import (
	"slices"
	"testing"
)

func TestAllocate(t *testing.T) {
	for _, c := range []struct {
		deviations []int64
		total      int
		want       []uint8
	}{
		{[]int64{5, 5, 5}, 2, []uint8{1, 1, 0}},
		{[]int64{5, 5, 5}, 3, []uint8{1, 1, 1}},
		{[]int64{1, 100, 2}, 3, []uint8{0, 3, 0}},
		{[]int64{1, 100, 2}, 6, []uint8{0, 5, 1}},
		{[]int64{0, -4, 7}, 6, []uint8{1, 0, 5}},
		{[]int64{1 << 40, 1}, 10, []uint8{5, 5}},
		{[]int64{9}, 0, []uint8{0}},
	} {
		if got := Allocate(c.deviations, c.total); !slices.Equal(got, c.want) {
			t.Errorf("%d bits for %v are %v, want %v", c.total, c.deviations, got, c.want)
		}
	}
}
