//go:build !purego

package kernels

import (
	"sync"
	"syscall/js"
	"unsafe"
)

// archImpls returns the implementations of this architecture, best first.
func archImpls() []*impl { return []*impl{implSIMD128} }

// implSIMD128 uses WebAssembly's vector instructions, which Go's compiler does
// not: a module of their own, assembled here and given Go's memory, computes
// products. All else is generic, and so are the bits: a lane's multiplications
// and additions are those of runF32 in the same order.
//
// It needs the memory of the Go program, which only the script that starts it
// has: coclicoMemory in the global object. Without it generic is used.
var implSIMD128 = &impl{
	name:      "simd128",
	available: func() bool { return simd128().Truthy() },
	gemms:     [NumPrecisions]*gemm{Exact: gemmSIMD128, Fast: gemmSIMD128},
	vec:       vecGeneric,
}

// gemmSIMD128 multiplies float32 in tiles of 4 x 8, twice side by side: V8 has
// registers for the 8 sums, 2 of B and one of A, not for the 16 sums of 4 x 16.
var gemmSIMD128 = &gemm{
	form: formPacked, mr: 4, nr: 16, single: true,
	loops: []func(*strip){runSIMD128},
}

// formPacked is formF32 with weights that are converted once: here a
// conversion takes long beside its product.
var formPacked = func() *form {
	f := formF32
	f.weights = [numDTypes]weightForm{F32: {never, 1}, F16: {whenPacked, 1}, BF16: {whenPacked, 1}}
	return &f
}()

// runSIMD128 calls the module, which takes about a microsecond besides the
// work. The strip does not move: only stacks do, and its address escapes.
func runSIMD128(s *strip) { simd128().Invoke(float64(uintptr(unsafe.Pointer(s)))) }

// simd128 returns the module's function. It is undefined without the memory, and
// in an engine without vectors.
var simd128 = sync.OnceValue(func() (run js.Value) {
	memory := js.Global().Get("coclicoMemory")
	if !memory.Truthy() {
		return js.Undefined()
	}
	defer func() {
		if recover() != nil { // what the engine throws
			run = js.Undefined()
		}
	}()
	code := stripModule()
	array := js.Global().Get("Uint8Array").New(len(code))
	js.CopyBytesToJS(array, code)
	wasm := js.Global().Get("WebAssembly")
	imports := map[string]any{"go": map[string]any{"memory": memory}}
	instance := wasm.Get("Instance").New(wasm.Get("Module").New(array), imports)
	return instance.Get("exports").Get("run")
})
