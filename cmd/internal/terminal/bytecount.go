package terminal

import "fmt"

// ByteCount writes a number of bytes as people do: 3.2 GB.
func ByteCount(n int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if n >= unit.size {
			digits := 2
			if n >= 10*unit.size {
				digits = 1
			}
			return fmt.Sprintf("%.*f %s", digits, float64(n)/float64(unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}
