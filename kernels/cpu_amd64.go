//go:build !purego

package kernels

import "golang.org/x/sys/cpu"

// The levels of instruction sets, each derived from the one below: a machine,
// a hypervisor or GODEBUG=cpu.avx2=off can take a lower one away and leave the
// bits of a higher one set. x/sys/cpu has asked the operating system whether
// it saves the registers.
//
// GODEBUG knows the names avx2, fma, f16c, avx512, avx512f, avx512bw,
// avx512dq, avx512vl, avx512cd, avx512bf16, amxtile and amxbf16, after "cpu.".

func hasAVX2() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasF16C }

// hasAVX512 asks for what every AVX-512 machine since Skylake-X has.
func hasAVX512() bool {
	x := &cpu.X86
	return hasAVX2() && x.HasAVX512 && x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512CD
}

// hasAVX512BF16 adds the conversions to bfloat16.
func hasAVX512BF16() bool { return hasAVX512() && cpu.X86.HasAVX512BF16 }
