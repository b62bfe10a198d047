//go:build !purego

package kernels

// archImpls returns the implementations of this architecture, best first.
//
// Each of them derives its level of instruction sets from the level below: a
// machine, a hypervisor or GODEBUG=cpu.avx2=off can take a lower level away and
// leave the feature bits of a higher one set. Package cpu has already asked
// whether the operating system saves the registers.
//
// GODEBUG knows the names avx2, fma, f16c, avx512, avx512f, avx512bw,
// avx512dq, avx512vl, avx512cd, avx512bf16, amxtile and amxbf16, after "cpu.".
func archImpls() []*impl { return []*impl{implAMX, implAVX512BF16, implAVX512, implAVX2} }
