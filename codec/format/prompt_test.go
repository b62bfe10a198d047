package format

import (
	"bytes"
	"hash/crc32"
	"math/rand"
	"strings"
	"testing"
)

// TestPrompt: prompts round-trip, and typical ones take few bytes. The numbers
// are the format's: they never change.
func TestPrompt(t *testing.T) {
	for text, want := range map[string]int{
		"a photo of a fox":             5,
		"a fox in the snow":            7,
		"blurry, low quality, cartoon": 9,
		"oil painting of a harbor":     10,
		"東京タワーの夕暮れ":                    28,
		"a":                            2,
		"~":                            3,
		strings.Repeat("\xf4\x8f\xbf\xbf", MaxPrompt/4): 13,
	} {
		data := packPrompt(text)
		if len(data) != want {
			t.Errorf("%.20q takes %d bytes, want %d", text, len(data), want)
		}
		if got, ok := unpackPrompt(data); !ok || got != text {
			t.Errorf("%.20q became %.20q (%v)", text, got, ok)
		}
	}
	if sum := crc32.ChecksumIEEE([]byte(primer)); sum != 0x9bebb3b2 {
		t.Errorf("the primer has the checksum %08x", sum)
	}
}

// TestPromptRefused: what packPrompt does not write is refused.
func TestPromptRefused(t *testing.T) {
	for _, text := range []string{"", "a\x00b", "\x1b[31m", "a\u0085b", "\xff", "\xed\xa0\x80", strings.Repeat("a", MaxPrompt+1)} {
		if got, ok := unpackPrompt(packPrompt(text)); ok {
			t.Errorf("%.20q is accepted as %.20q", text, got)
		}
	}
	data := packPrompt("a photo of a fox")
	for _, other := range [][]byte{append(bytes.Clone(data), 0), data[:len(data)-1], append(bytes.Clone(data), 1)} {
		if got, ok := unpackPrompt(other); ok && got == "a photo of a fox" {
			t.Errorf("%x is another way to write it", other)
		}
	}
	for _, text := range []string{strings.Repeat("a", MaxPrompt+1), "\n", "\xff"} {
		h := NewHeader(768)
		if h.Prompt = text; h.Validate() != errPromptText {
			t.Errorf("%.20q: %v", text, h.Validate())
		}
	}
}

// TestPromptHeader: a file without a prompt has no bit of it, and one with a
// prompt has its bits and a flag. A flag for later versions is refused.
func TestPromptHeader(t *testing.T) {
	h := NewHeader(768).WithProfile(Tuned)
	h.Seed = 5 // extended
	before := h.HeaderBits()
	h.Prompt = "a photo of a fox"
	if n := h.HeaderBits(); n != before+h.PromptBits() || h.PromptBits() != 8*5+4+2+1 {
		t.Errorf("%d bits with a prompt of %d, %d without", n, h.PromptBits(), before)
	}
	p := goldenPrior(768)
	h.Fingerprint = p.Fingerprint
	data := Marshal(h, zeroSymbols(h), p)
	f, err := Parse(data)
	if err != nil || f.Prompt != h.Prompt {
		t.Fatalf("%q (%v)", f.Prompt, err)
	}
	at := h.HeaderBits() - 1 // the last bit of the extension
	data[at/8] ^= 0x80 >> (at % 8)
	if _, err := Parse(data); err != errExtension {
		t.Errorf("with a flag of a later version: %v", err)
	}
	data[at/8] ^= 0x80 >> (at % 8)
	at -= 3 // in the prompt's last byte
	data[at/8] ^= 0x80 >> (at % 8)
	if f, err := Parse(data); err == nil && f.Prompt == h.Prompt {
		t.Error("another way to write a prompt is accepted")
	}
}

// FuzzPrompt: every stream is refused, or what its prompt is written as.
func FuzzPrompt(f *testing.F) {
	f.Add([]byte{0})
	f.Add([]byte{0xff, 0xff, 0xff})
	f.Add(packPrompt("a photo of a fox"))
	noise := make([]byte, 4000)
	rand.New(rand.NewSource(1)).Read(noise)
	f.Add(noise)
	f.Fuzz(func(t *testing.T, data []byte) {
		text, ok := unpackPrompt(data)
		if ok && (text == "" || !validPrompt(text) || !bytes.Equal(packPrompt(text), data)) {
			t.Errorf("%x is accepted as %q", data, text)
		}
		if text := strings.ToValidUTF8(string(data), "x"); text != "" && validPrompt(text) {
			if got, ok := unpackPrompt(packPrompt(text)); !ok || got != text {
				t.Errorf("%q became %q (%v)", text, got, ok)
			}
		}
	})
}
