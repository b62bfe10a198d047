package model

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/coclico/coclico/weights"
)

// Fingerprint returns the fingerprint of the model in a folder; see
// [Model.Fingerprint]. It reads nothing but the image normalizer.
func Fingerprint(f *weights.Folder) (uint32, error) { return New(f).Fingerprint() }

// ErrBFloat16 means that a model has no fingerprint because its statistics are
// stored in bfloat16.
var ErrBFloat16 = errors.New("mean and std are bfloat16, which has too few bits to tell models apart: the original's part, in float16 or float32, must take its place")

// Fingerprint returns 32 bits that differ between models whose CLIP vectors do
// not mean the same, and that all folders of one model have in common: those
// with only half of the parts, in float32 or float16, with a text encoder or
// without.
//
// It is computed from the image normalizer, the statistics of the CLIP vectors
// that the model was trained on: 6 kB, and the only part that both the
// encoder's half and the decoder's half have. A decoder that was trained
// further for the same CLIP tower has the same fingerprint, and understands the
// same files.
//
// With D the number of dimensions, the fingerprint is the first four bytes of
// the SHA-256 of 4+4D bytes, as a big-endian number, so that its highest bits
// are the hash's first:
//
//	bytes   what
//	4       D, little-endian
//	2D      mean[0] to mean[D-1]: each rounded to float16, to nearest, ties to
//	        even; -0 replaced by 0; its 16 bits, little-endian
//	2D      std[0] to std[D-1], in the same way
//
// A value without a finite float16 is an error.
//
// # Copies in bfloat16
//
// The networks of a model may be in bfloat16, but its statistics may not: they
// are the error [ErrBFloat16]. bfloat16 keeps 8 of the 11 bits of a float16's
// mantissa, and all 11 count, here and in the tables of the range coder, so
// that a copy of the statistics in bfloat16 could not decode its original's
// files.
//
// No other rule would help. A rule that serves float32, float16 and bfloat16
// alike must not change when a value is rounded to either of the short types.
// Let t lie in the middle between two neighbors in bfloat16. t is a float16, so
// all values close to t on both sides round to t, and to be the same for all of
// them the rule must be the same for both neighbors: for all values, in the
// end. (About one float32 in sixteen becomes another bfloat16 by way of float16
// than it does directly; the real model has 1536 values.)
//
// What helps is the original's part, which has 3 or 6 kB: [IsCopy] recognizes
// it.
func (m *Model) Fingerprint() (uint32, error) {
	n, err := m.normalizer()
	if err != nil {
		return 0, err
	}
	if n.bfloat16 {
		return 0, weights.NewFileError(m.folder.PartPath(weights.ImageNormalizer), ErrBFloat16)
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(n.mean)))
	for _, values := range [][]float32{n.mean, n.std} {
		for i, v := range values {
			h := weights.Float16(v)
			if h&0x7fff == 0x7c00 {
				return 0, weights.NewFileError(m.folder.PartPath(weights.ImageNormalizer), fmt.Errorf("value %d of mean or std is %g, which no float16 holds", i, v))
			}
			if h == 0x8000 {
				h = 0
			}
			b = binary.LittleEndian.AppendUint16(b, h)
		}
	}
	hash := sha256.Sum256(b)
	return binary.BigEndian.Uint32(hash[:]), nil
}

// IsCopy reports whether the statistics in a folder are a copy in bfloat16 of
// those in another: rounded from its values directly, or from their float16s.
func IsCopy(f, original *weights.Folder) bool {
	a, errA := New(f).normalizer()
	b, errB := New(original).normalizer()
	return errA == nil && errB == nil && a.bfloat16 && !b.bfloat16 &&
		roundsTo(b.mean, a.mean) && roundsTo(b.std, a.std)
}

func roundsTo(x, copy []float32) bool {
	if len(x) != len(copy) {
		return false
	}
	for i, v := range x {
		if c := copy[i]; c != bfloat16(v) && c != bfloat16(weights.FromFloat16(weights.Float16(v))) {
			return false
		}
	}
	return true
}

// bfloat16 rounds v to the nearest bfloat16, ties to even.
func bfloat16(v float32) float32 {
	b := math.Float32bits(v)
	return math.Float32frombits((b + 0x7fff + b>>16&1) &^ 0xffff)
}
