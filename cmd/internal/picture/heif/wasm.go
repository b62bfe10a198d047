//go:build !js

package heif

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/binary"
	"image"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

//go:embed heic.wasm.gz
var heicModule []byte

//go:embed avif.wasm.gz
var avifModule []byte

var (
	heicMachine = sync.OnceValues(func() (*machine, error) { return compile(heicModule) })
	avifMachine = sync.OnceValues(func() (*machine, error) { return compile(avifModule) })
)

// maxMemory bounds the memory of any process, which has a bound of its own.
const maxMemory = 1 << 30

// A machine is a compiled module.
type machine struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

func compile(compressed []byte) (*machine, error) {
	z, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	code, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	const period = 1 << 16
	if code, err = meter(code, "fd_close", period); err != nil {
		return nil, err
	}
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(maxMemory>>16).WithDebugInfoEnabled(false))
	host := r.NewHostModuleBuilder(wasi_snapshot_preview1.ModuleName)
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(host)
	host.NewFunctionBuilder().WithFunc(closeFile).Export("fd_close")
	if _, err := host.Instantiate(ctx); err != nil {
		return nil, err
	}
	module, err := r.CompileModule(ctx, code)
	if err != nil {
		return nil, err
	}
	return &machine{r, module}, nil
}

// closeFile stands in for WASI's fd_close, which has no file to close. It is
// called once in a while, see meter.
func closeFile(ctx context.Context, _ uint32) uint32 {
	if err := ctx.Err(); err != nil {
		panic(err) // ends the call that runs
	}
	runtime.Gosched()
	const badFile = 8
	return badFile
}

// A linear is the memory of a process. It does not move: growing by copying
// would take three times as much.
type linear struct{ b []byte }

// Reallocate returns nil for more than there is, which is for the process to
// handle.
func (l *linear) Reallocate(size uint64) []byte {
	if size > uint64(cap(l.b)) {
		return nil
	}
	l.b = l.b[:size]
	return l.b
}

func (l *linear) Free() { l.b = nil }

// A process is an instance of a module with memory of its own.
type process struct {
	ctx    context.Context
	module api.Module
	err    error // the first one
}

const errTime = UnavailableError("takes too long to decode on this machine, which may be slow or busy; save it as JPEG first")

// patience is how long a picture may take to decode. Where wazero compiles, a
// million pixels take a second; elsewhere (386, riscv64) it interprets them. It is
// time on the clock, not a processor's, since it bounds how long a caller waits:
// a machine on which many others compute decodes less in it.
func patience(pixels int) time.Duration {
	return time.Minute + time.Duration(pixels)*10*time.Microsecond
}

// run starts a process with so much memory and ends it after f, or after limit.
func (m *machine) run(memory int64, limit time.Duration, f func(*process) (image.Image, error)) (image.Image, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(func(_, _ uint64) experimental.LinearMemory {
		return &linear{make([]byte, 0, min(memory, maxMemory))}
	}))
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize")
	module, err := m.runtime.InstantiateModule(ctx, m.module, config)
	if err == nil {
		defer module.Close(context.Background())
		var img image.Image
		if img, err = f(&process{ctx: ctx, module: module}); err == nil {
			return img, nil
		}
	}
	if ctx.Err() != nil {
		return nil, errTime
	}
	return nil, err
}

// call calls a function that returns an integer; after an error it does nothing.
func (p *process) call(name string, args ...uint32) uint32 {
	if p.err != nil {
		return 0
	}
	stack := make([]uint64, 0, 10)
	for _, a := range args {
		stack = append(stack, uint64(a))
	}
	result, err := p.module.ExportedFunction(name).Call(p.ctx, stack...)
	if err != nil {
		p.err = errDecode // a trap, or the time is up: run knows
		return 0
	}
	return uint32(result[0])
}

const errMemory = UnsupportedError("takes more memory to decode than its size announces")

// alloc allocates memory of the process. Nothing is freed: it ends soon.
func (p *process) alloc(n int) uint32 {
	at := p.call("malloc", uint32(n))
	if at == 0 && p.err == nil {
		p.err = errMemory
	}
	return at
}

// store copies bytes into the process.
func (p *process) store(b []byte) uint32 {
	at := p.alloc(len(b))
	if p.err == nil && !p.module.Memory().Write(at, b) {
		p.err = errMemory
	}
	return at
}

// view returns memory of the process as it is now; nil after an error.
func (p *process) view(at uint32, n int) []byte {
	if p.err != nil {
		return nil
	}
	b, ok := p.module.Memory().Read(at, uint32(n))
	if !ok {
		p.err = errMemory
		return nil
	}
	return b
}

// words returns n integers.
func (p *process) words(at uint32, n int) []uint32 {
	w := make([]uint32, n)
	if b := p.view(at, 4*n); b != nil {
		for i := range w {
			w[i] = binary.LittleEndian.Uint32(b[4*i:])
		}
	}
	return w
}
