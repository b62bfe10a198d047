package kernels

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// A Precision says how much of a float32 the operands of a product keep.
type Precision uint8

const (
	// Exact products are as accurate as float32 arithmetic. A machine that
	// multiplies only bfloat16 splits each operand into several and adds the
	// products, smallest first.
	Exact Precision = iota
	// Fast products may round their operands to bfloat16. Sums stay float32.
	Fast

	// NumPrecisions is the length of an array indexed by Precision.
	NumPrecisions = iota
)

var precisionNames = [NumPrecisions]string{Exact: "exact", Fast: "fast"}

func (p Precision) String() string { return precisionNames[p] }

// An impl is everything that one instruction set does.
type impl struct {
	name      string // one of "generic", "avx2", "avx512", "avx512bf16", "amx", "neonbf16", "neon", "simd128"
	available func() bool
	gemms     [NumPrecisions]*gemm
	convs     *[NumPrecisions]*gemm // if not nil, replaces gemms in convolutions
	vec       *vec

	// outdone, if not nil, reports whether the next implementation is faster on
	// this machine, so that this one must be asked for by name.
	outdone func() bool
}

// gemm returns the gemm of a precision, of convolutions or of other products.
func (im *impl) gemm(p Precision, conv bool) *gemm {
	if conv && im.convs != nil {
		return im.convs[p]
	}
	return im.gemms[p]
}

// impls returns every implementation in the binary, best first. The last one
// is generic, which runs everywhere.
func impls() []*impl { return append(archImpls(), implGeneric) }

// EnvVar names the environment variable that selects an implementation, for
// tests and bug reports.
const EnvVar = "COCLICO_KERNELS"

// checkOrder returns an error unless a machine stores numbers in the order in
// which a checkpoint does: their bytes are multiplied as they are.
func checkOrder(machine binary.ByteOrder) error {
	if machine.Uint16([]byte{1, 0}) != 1 {
		return errors.New("this machine is big-endian, which is not supported")
	}
	return nil
}

// choose returns the named implementation or, if name is empty, the best one
// that this machine can run.
func choose(name string) (*impl, error) {
	if err := checkOrder(binary.NativeEndian); err != nil {
		return nil, err
	}
	var best *impl
	for _, im := range impls() {
		ok := im.available()
		if name == im.name {
			if !ok {
				return nil, fmt.Errorf("%s=%s: not supported by this machine", EnvVar, name)
			}
			return im, nil
		}
		if ok && best == nil && (im.outdone == nil || !im.outdone()) {
			best = im
		}
	}
	if name != "" {
		return nil, fmt.Errorf("%s=%s: no such implementation; this binary has %v", EnvVar, name, Names())
	}
	return best, nil
}

// current is the implementation in use, chosen on first use.
var current atomic.Pointer[impl]

// active returns the implementation in use. It panics if the machine is
// big-endian or [EnvVar] is wrong, which programs find out with [Check].
func active() *impl {
	if im := current.Load(); im != nil {
		return im
	}
	im, err := choose(os.Getenv(EnvVar))
	if err != nil {
		panic(err.Error())
	}
	current.CompareAndSwap(nil, im)
	return current.Load()
}

// Check returns an error if this machine is big-endian, or if [EnvVar] names an
// implementation that cannot run on it.
func Check() error {
	_, err := choose(os.Getenv(EnvVar))
	return err
}

// Active returns the name of the implementation in use.
func Active() string { return active().name }

// Names returns the names of the implementations in this binary, best first,
// whether or not this machine can run them.
func Names() []string {
	var names []string
	for _, im := range impls() {
		names = append(names, im.name)
	}
	return names
}

// Available reports whether this machine can run the named implementation.
func Available(name string) bool {
	for _, im := range impls() {
		if im.name == name {
			return im.available()
		}
	}
	return false
}

// Peak measures for about d how fast one core multiplies with the active
// implementation when there is nothing to load or store. It returns the best
// rate in GFLOP/s, or 0 if the implementation has no loop for this.
func Peak(p Precision, d time.Duration) float64 {
	g := active().gemms[p]
	if g.peak == nil {
		return 0
	}
	const rounds = 1000
	best := 0.0
	for end := time.Now().Add(d); time.Now().Before(end); {
		start := time.Now()
		g.peak(rounds)
		best = max(best, float64(rounds*g.peakFLOP)/float64(time.Since(start).Nanoseconds()))
	}
	return best
}
