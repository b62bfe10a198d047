package codec

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/nn"
)

// A FormatError reports that the input is not a valid file or raw stream. It is
// a string.
type FormatError = format.FormatError

// An UnsupportedError reports a picture that a file cannot hold, or a file that
// this version cannot read. It is a string.
type UnsupportedError = format.UnsupportedError

// An OptionError reports an option that is out of range.
type OptionError string

func (e OptionError) Error() string { return string(e) }

func optionErrorf(format string, args ...any) error { return OptionError(fmt.Sprintf(format, args...)) }

// asOption returns an error about an option that a file cannot hold as an
// [OptionError].
func asOption(err error) error {
	if e, ok := errors.AsType[UnsupportedError](err); ok {
		return OptionError(e)
	}
	return err
}

// A PromptError reports that a model cannot read prompts. It is a string.
type PromptError = model.PromptError

const errNoWords = PromptError("the built-in model knows no words: a prompt needs the real model")

// A MemoryError reports that the system refused memory that a network needs. The
// codec can be used as before. Only large blocks on Linux can be refused: where
// memory is Go's, running out of it ends the process.
type MemoryError string

func (e MemoryError) Error() string { return string(e) }

// catchRefusal is deferred where networks run. It turns the panic of memory that
// the system refuses into a [MemoryError], and leaves any other panic alone.
func catchRefusal(err *error, format string, args ...any) {
	switch v := recover(); v {
	case nil:
	case nn.ErrOutOfMemory:
		*err = MemoryError("not enough memory for " + fmt.Sprintf(format, args...))
	default:
		panic(v)
	}
}

// traced returns a value that is being recovered with the place of the panic, for
// another goroutine to panic with. [nn.ErrOutOfMemory] stays what it is, since
// catchRefusal looks for it, and a [runtime.Error] stays one.
func traced(value any) any {
	if value == nn.ErrOutOfMemory {
		return value
	}
	p := &panicError{value, debug.Stack()}
	if _, ok := value.(runtime.Error); ok {
		return runtimeError{p}
	}
	return p
}

// A panicError is the value of a panic with the stack of its goroutine.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

// Unwrap returns the value if it is an error.
func (p *panicError) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// A runtimeError is a panicError of Go's own: it implements [runtime.Error].
type runtimeError struct{ *panicError }

func (runtimeError) RuntimeError() {}

// A ModelID tells models apart whose CLIP vectors do not mean the same: the
// first 10 bits of the model's fingerprint, written as three hex digits.
type ModelID uint16

func (id ModelID) String() string { return fmt.Sprintf("%03x", uint16(id)) }

// A ModelError reports that a file was made with another model than the one
// that is to read it.
type ModelError struct {
	File, Model         ModelID
	FileName, ModelName string // if known
}

func (e *ModelError) Error() string {
	return fmt.Sprintf("made with %s (%v), not with %s (%v)", cmp.Or(e.FileName, "another model"), e.File, cmp.Or(e.ModelName, "this one"), e.Model)
}
