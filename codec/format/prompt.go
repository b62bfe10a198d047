package format

import (
	"bytes"
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/coclico/coclico/codec/format/rangecoder"
)

// MaxPrompt is the largest number of bytes of a prompt.
const MaxPrompt = 1024

// validPrompt reports whether a file can hold a prompt: UTF-8 without control
// characters.
func validPrompt(text string) bool {
	return len(text) <= MaxPrompt && utf8.ValidString(text) && strings.IndexFunc(text, unicode.IsControl) < 0
}

// primer is text like that of prompts, which every model learns from before its
// first prompt.
//
//go:embed prompt.txt
var primer string

// A promptModel predicts the bits of a text, by how often they followed the
// bytes before them.
type promptModel struct {
	learned map[context]frequency // from the primer, shared by all models
	cells   map[context]frequency // what has changed since
	before  uint32                // the last four bytes
}

// A context is the number of the bytes before that it knows, those bytes, and
// the bits of the current byte so far, after a leading 1.
type context uint64

// A frequency is that of ones in a context, in 1/65536, and how many bits it
// counts, up to 30.
type frequency struct{ ones, n int64 }

const (
	maxOrder = 4
	maxCount = 30
	minOnes  = 32 // in 1/65536: of a bit that was never seen
	newline  = '\n'
)

// primed returns what a model has learned from the primer.
var primed = sync.OnceValue(func() map[context]frequency {
	m := promptModel{cells: make(map[context]frequency), before: 0x0a0a0a0a}
	m.text(primer, func(bit, n int, _ func(int) uint32) int { return bit })
	return m.cells
})

func newPromptModel() *promptModel {
	return &promptModel{learned: primed(), cells: make(map[context]frequency), before: 0x0a0a0a0a}
}

// text runs the bytes of a text through a coder.
func (m *promptModel) text(text string, c coder) {
	for i := range len(text) {
		m.byte(text[i], c)
	}
}

// byte writes b with a coder, or reads and returns another byte.
func (m *promptModel) byte(b byte, c coder) byte {
	bits := uint8(1)
	for i := 7; i >= 0; i-- {
		below := [3]uint32{1: uint32(1<<rangecoder.ProbBits - m.ones(bits)), 2: 1 << rangecoder.ProbBits}
		bit := c(int(b>>i&1), 2, func(k int) uint32 { return below[k] })
		m.learn(bits, int64(bit))
		b = b&^(1<<i) | byte(bit)<<i
		bits = bits<<1 | uint8(bit)
	}
	m.before = m.before<<8 | uint32(b)
	return b
}

// at returns the context of so many bytes.
func (m *promptModel) at(order int, bits uint8) context {
	return context(uint64(order)<<40 | uint64(m.before)&(1<<(8*order)-1)<<8 | uint64(bits))
}

func (m *promptModel) get(c context) frequency {
	if f, ok := m.cells[c]; ok {
		return f
	}
	return m.learned[c]
}

// ones returns the probability of a one, in 1/65536: from one half, each context
// that was seen before, from the shortest to the longest, draws it to its
// frequency, by n / (n+4).
func (m *promptModel) ones(bits uint8) int64 {
	p := int64(1 << (rangecoder.ProbBits - 1))
	for k := range maxOrder + 1 {
		f := m.get(m.at(k, bits))
		p += floorDiv((f.ones-p)*f.n, f.n+4)
	}
	return min(max(p, minOnes), 1<<rangecoder.ProbBits-minOnes)
}

// learn counts a bit in all contexts.
func (m *promptModel) learn(bits uint8, bit int64) {
	for k := range maxOrder + 1 {
		c := m.at(k, bits)
		f := m.get(c)
		f.ones += floorDiv(bit<<rangecoder.ProbBits-f.ones, f.n+1)
		f.n = min(f.n+1, maxCount)
		m.cells[c] = f
	}
}

// packPrompt returns the bytes of a prompt, at least one.
func packPrompt(text string) []byte {
	var e rangecoder.Encoder
	newPromptModel().text(text+string(rune(newline)), e.Symbol)
	if data := e.Finish(); len(data) > 0 {
		return data
	}
	return []byte{0}
}

// unpackPrompt returns the prompt that was packed into data. It reports false
// for data that packPrompt does not return.
func unpackPrompt(data []byte) (string, bool) {
	m, d := newPromptModel(), rangecoder.NewDecoder(data)
	var text []byte
	for {
		b := m.byte(0, d.Symbol)
		if b == newline {
			break
		}
		if text = append(text, b); len(text) > MaxPrompt {
			return "", false
		}
	}
	prompt := string(text)
	return prompt, prompt != "" && validPrompt(prompt) && bytes.Equal(packPrompt(prompt), data)
}

// prompt runs through the prompt: the number of its bytes, and those.
func (h *Header) prompt(f field) error {
	var data []byte
	if h.Prompt != "" {
		data = packPrompt(h.Prompt)
	}
	n := int(f.long(uint64(max(len(data), 1)), 4))
	read := make([]byte, n)
	copy(read, data)
	for i := range read {
		read[i] = byte(f(uint64(read[i]), 8))
	}
	if h.Prompt != "" && bytes.Equal(read, data) {
		return nil
	}
	var ok bool
	if h.Prompt, ok = unpackPrompt(read); !ok {
		return errPrompt
	}
	return nil
}

// PromptBits returns the bits of the prompt in a file, 0 if it has none.
func (h Header) PromptBits() int {
	if h.Prompt == "" {
		return 0
	}
	var w bitString
	_ = h.prompt(w.write) // a writer makes no error
	return 1 + w.at       // and the flag after it
}
