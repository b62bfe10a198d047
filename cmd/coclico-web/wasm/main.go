//go:build js && wasm

// Command wasm is package codec for a browser's worker. It sets the global
// object coclico, whose functions return promises:
//
//	open(files)                            files: {name: Uint8Array}, a model's folder
//	parse(file)                            file: Uint8Array
//	encode(input, options, onStep, signal) input: a picture file's Uint8Array, or {width, height, rgba}
//	decode(file, options, onStep, signal)
//
// Options and results are named as coclico serve's: parse returns its File,
// encode its Encoded, decode the Uint8Array of a PNG, and onStep gets its Step,
// whose preview is {width, height, rgba} here.
//
// One call runs at a time: the browser gives a program one thread. Between two
// steps a decode returns to the browser's event loop, so that an AbortSignal is
// heard there.
package main

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/weights"
)

func main() {
	var p program
	js.Global().Set("coclico", map[string]any{
		"open":   promised(p.open),
		"parse":  promised(p.parse),
		"encode": promised(p.encode),
		"decode": promised(p.decode),
	})
	select {}
}

// A program is an opened model. No call but open may come before it.
type program struct{ codec *codec.Codec }

// open opens a model from its files.
func (p *program) open(args []js.Value) (any, error) {
	files := folder{}
	for _, name := range keys(args[0]) {
		files[name] = bytesOf(args[0].Get(name))
	}
	model, err := weights.FolderFS(files, "built-in model")
	if err != nil {
		return nil, err
	}
	p.codec = codec.New(model)
	// All networks together take about as much as one picture's decode.
	p.codec.KeepNetworks = true
	return nil, nil
}

// promised makes a function of JavaScript that returns a promise. f runs on a
// goroutine of its own: one that blocks in the caller's would stop the event
// loop that it waits for.
func promised(f func(args []js.Value) (any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		var executor js.Func
		executor = js.FuncOf(func(_ js.Value, settle []js.Value) any {
			executor.Release()
			go func() {
				value, err := f(args)
				if err != nil {
					settle[1].Invoke(failure(err))
					return
				}
				settle[0].Invoke(value)
			}()
			return nil
		})
		return js.Global().Get("Promise").New(executor)
	})
}

// failure returns an error of JavaScript, whose name is AbortError if the call
// was canceled.
func failure(err error) js.Value {
	v := js.Global().Get("Error").New(err.Error())
	if errors.Is(err, context.Canceled) {
		v.Set("name", "AbortError")
	}
	return v
}

// yield returns to the browser's event loop and resumes after what waits there.
// A sleep would not do: the shortest ones end before the loop is reached.
func yield() {
	resume := make(chan struct{})
	f := js.FuncOf(func(js.Value, []js.Value) any { close(resume); return nil })
	defer f.Release()
	js.Global().Call("setTimeout", f)
	<-resume
}

// aborting returns a context that ends when an AbortSignal is aborted, and a
// function to call at the end.
func aborting(signal js.Value) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	heard := js.FuncOf(func(js.Value, []js.Value) any { cancel(); return nil })
	signal.Call("addEventListener", "abort", heard)
	if signal.Get("aborted").Bool() {
		cancel()
	}
	return ctx, func() {
		signal.Call("removeEventListener", "abort", heard)
		heard.Release()
		cancel()
	}
}

// options is an object of JavaScript whose members are numbers, or their
// digits: those of a seed are more than a number of JavaScript has.
type options struct{ js.Value }

// option sets an option if the object has it.
func option[T int | uint64 | float64](o options, name string, to *T) error {
	v := o.Get(name)
	if v.IsUndefined() {
		return nil
	}
	text := js.Global().Call("String", v).String()
	verb := "%d\n" // %v would take 010 for 8
	if _, ok := any(to).(*float64); ok {
		verb = "%g\n"
	}
	if n, err := fmt.Sscanf(text+"\n", verb, to); n != 1 || err != nil {
		return fmt.Errorf("%s: %q is no such number", name, text)
	}
	return nil
}

// sampling returns how to paint, given what is meant by default; nil if the
// options say nothing about it.
func (o options) sampling(s codec.Sampling) (*codec.Sampling, error) {
	before := s
	err := errors.Join(
		option(o, "steps", &s.Steps), option(o, "strength", &s.Strength), option(o, "guidance", &s.Guidance),
		option(o, "seed", &s.Seed), option(o, "color_guidance", &s.ColorGuidance),
	)
	if err != nil || s == before {
		return nil, err
	}
	return &s, nil
}

func keys(object js.Value) []string {
	list := js.Global().Get("Object").Call("keys", object)
	names := make([]string, list.Length())
	for i := range names {
		names[i] = list.Index(i).String()
	}
	return names
}

// bytesOf copies a Uint8Array.
func bytesOf(array js.Value) []byte {
	data := make([]byte, array.Length())
	js.CopyBytesToGo(data, array)
	return data
}

// arrayOf returns a Uint8Array.
func arrayOf(data []byte) js.Value {
	array := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(array, data)
	return array
}
