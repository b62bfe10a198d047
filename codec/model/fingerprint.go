package model

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/coclico/coclico/weights"
)

// Fingerprint returns the model's fingerprint; see [Model.Fingerprint]. It
// reads the image normaliser alone.
func Fingerprint(f *weights.Folder) (uint32, error) { return New(f).Fingerprint() }

// Fingerprint returns 32 bits that tell models apart whose CLIP vectors do not
// mean the same, and that all folders of one model share: with either half of
// the parts alone, in float32 or float16, with a text tower or without.
//
// It is taken of the image normaliser, the statistics of the CLIP vectors that
// the model was trained on: the only part that belongs to the encoder's half
// and to the decoder's, and 6 kB. What it cannot see is a decoder that was
// trained further for the same CLIP tower; such a one understands the same
// streams.
//
// With D the number of dimensions, the fingerprint is the first four bytes of
// the SHA-256 of 4+4D bytes, as a big-endian number (so that its highest bits
// are the hash's first):
//
//	bytes   what
//	4       D, little-endian
//	2D      mean[0] to mean[D-1]: each rounded to float16, to nearest, ties to
//	        even; -0 replaced by 0; its 16 bits, little-endian
//	2D      std[0] to std[D-1], the same
//
// That a value has no finite float16 is an error.
func (m *Model) Fingerprint() (uint32, error) {
	mean, std, err := m.Normalizer()
	if err != nil {
		return 0, err
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(mean)))
	for _, values := range [][]float32{mean, std} {
		for i, v := range values {
			h := weights.Float16(v)
			if h&0x7fff == 0x7c00 {
				return 0, fmt.Errorf("%s: value %d of mean or std is %g, which no float16 holds", m.folder.PartPath(weights.ImageNormalizer), i, v)
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
