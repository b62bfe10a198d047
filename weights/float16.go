package weights

import "github.com/x448/float16"

// Float16 returns the bits of v rounded to float16, to nearest, ties to even:
// an infinity from 65520 on.
func Float16(v float32) uint16 { return float16.Fromfloat32(v).Bits() }

// FromFloat16 returns the value of a float16 with the given bits.
func FromFloat16(bits uint16) float32 { return float16.Frombits(bits).Float32() }
