package kernels

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if err := Check(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := require(os.Getenv("COCLICO_REQUIRE")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("kernels in use:", Active(), "of", Names())
	os.Exit(m.Run())
}

// require returns an error unless this machine supports all implementations of
// a comma-separated list. Tests skip what a machine cannot run; with the
// environment variable COCLICO_REQUIRE=avx512,avx2 they fail instead.
func require(list string) error {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" && !Available(name) {
			return fmt.Errorf("COCLICO_REQUIRE=%s: this machine does not support %s; this binary has %v", list, name, Names())
		}
	}
	return nil
}

// TestEnvironment checks both variables again. A test's reads of the
// environment, unlike TestMain's, tell the go command that a cached result does
// not count for other values.
func TestEnvironment(t *testing.T) {
	if err := require(os.Getenv("COCLICO_REQUIRE")); err != nil {
		t.Error(err)
	}
	if name := os.Getenv(EnvVar); name != "" && Active() != name {
		t.Errorf("%s=%s, but %s is in use", EnvVar, name, Active())
	}
}

func TestRequire(t *testing.T) {
	for list, ok := range map[string]bool{
		"": true, "generic": true, "generic, generic,": true, "nonesuch": false, "generic,nonesuch": false,
	} {
		if err := require(list); (err == nil) != ok {
			t.Errorf("COCLICO_REQUIRE=%s: %v", list, err)
		}
	}
	for _, im := range impls() {
		if err := require(im.name); (err == nil) != im.available() {
			t.Errorf("COCLICO_REQUIRE=%s: %v", im.name, err)
		}
	}
}

// TestOrder: a machine whose numbers lie in memory in another order than a
// checkpoint's is refused.
func TestOrder(t *testing.T) {
	if err := checkOrder(binary.BigEndian); err == nil || err.Error() != "this machine is big-endian, which is not supported" {
		t.Errorf("big-endian: %v", err)
	}
	if err := checkOrder(binary.LittleEndian); err != nil {
		t.Errorf("little-endian: %v", err)
	}
}

// use makes im the implementation in use until the test ends.
func use(t testing.TB, im *impl) {
	old := current.Swap(im)
	t.Cleanup(func() { current.Store(old) })
}

// implBF16 multiplies as AMX does, in Go: with its forms, its order of operands
// and the loops over elements of the best implementation that this machine
// supports. With it the tests reach everything but the tiles on any machine.
func implBF16() *impl {
	best := machines()[0]
	g := func(f *form) *gemm {
		return &gemm{form: f, mr: 32, nr: 32, group: 2, single: true, loops: []func(*strip){func(s *strip) { runBF16(s, 32, 32, 2) }}}
	}
	return &impl{name: "bf16", gemms: [NumPrecisions]*gemm{Exact: g(best.forms[2]), Fast: g(best.forms[1])}, vec: best.vec}
}

// implPairs multiplies as AVX512-BF16 does, in Go, except for convolutions,
// which are this machine's in float32.
func implPairs() *impl {
	im := implBF16()
	im.name = "pairs"
	for _, m := range machines() {
		if g := m.gemms[Exact]; g.form.plain {
			im.gemms[Exact] = g
			im.convs = &[NumPrecisions]*gemm{g, g}
			break
		}
	}
	fast := *im.gemms[Fast]
	fast.mr, fast.loops = 14, []func(*strip){func(s *strip) { runBF16(s, 14, 32, 2) }}
	im.gemms[Fast] = &fast
	return im
}

// eachImpl runs f for every implementation that this machine supports and for
// implBF16 and implPairs, with every precision. With -short it skips what has
// run by another name: many precisions and implementations share all they have.
func eachImpl(t *testing.T, f func(t *testing.T, im *impl, p Precision)) {
	list := []*impl{}
	for _, im := range machines() {
		list = append(list, im.impl)
	}
	if !testing.Short() && !raceEnabled { // it is slow
		list = append(list, implBF16())
		if !Available("avx512bf16") {
			list = append(list, implPairs())
		}
	}
	type parts struct {
		v          *vec
		gemm, conv *gemm
	}
	ran := map[parts]string{}
	for _, im := range list {
		for p := range Precision(NumPrecisions) {
			name := im.name + "/" + p.String()
			t.Run(name, func(t *testing.T) {
				has := parts{im.vec, im.gemm(p, false), im.gemm(p, true)}
				if testing.Short() && ran[has] != "" {
					t.Skip("the same as ", ran[has])
				}
				ran[has] = name
				use(t, im)
				f(t, im, p)
			})
		}
	}
}
