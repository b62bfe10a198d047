//go:build !purego

package kernels

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestLevels disables features by GODEBUG and checks which implementation is
// the best of the remaining ones. Features are read once, so it takes a process
// of its own for each.
func TestLevels(t *testing.T) {
	if os.Getenv("COCLICO_TEST_LEVELS") != "" {
		fmt.Println("best:", Active())
		return
	}
	bf16 := "avx512bf16"
	if slowAVX512BF16() {
		bf16 = "avx512"
	}
	for _, c := range []struct{ off, without, best string }{
		{"amxbf16", "amx", bf16},
		{"avx512bf16", "avx512bf16", "avx512"},
		{"avx512", "avx512", "avx2"},
		{"avx512vl", "avx512", "avx2"},
		{"avx2", "avx2", "generic"},
		{"fma", "avx2", "generic"},
		{"f16c", "avx2", "generic"},
	} {
		t.Run(c.off, func(t *testing.T) {
			if !Available(c.without) {
				t.Skipf("this machine does not support %s", c.without)
			}
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(exe, "-test.run=^TestLevels$", "-test.v")
			cmd.Env = append(os.Environ(), "COCLICO_TEST_LEVELS=1", "GODEBUG=cpu."+c.off+"=off", EnvVar+"=", "COCLICO_REQUIRE=")
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "best: "+c.best+"\n") {
				t.Errorf("%v, want best: %s\n%s", err, c.best, out)
			}
		})
	}
}

// TestSlowAVX512BF16 compares the processor's identification with Linux's.
func TestSlowAVX512BF16(t *testing.T) {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip(err)
	}
	words := strings.Fields(string(info))
	want := slices.Contains(words, "GenuineIntel") && slices.Contains(words, "avx512_fp16")
	if got := slowAVX512BF16(); got != want {
		t.Errorf("%t, want %t", got, want)
	}
}
