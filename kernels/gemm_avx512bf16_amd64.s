//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "avx512_amd64.h"

// The tile is that of gemm_avx512_amd64.s with pairs of K in the place of K: 14
// rows of two vectors in 28 registers. Each of the 16 pairs of a step takes 2
// loads of B, 14 broadcasts from A and 28 products of 64 operations:
//
//	              products a cycle   loads a cycle   cycles a pair
//	Zen 5                        2               2   max(14, 8)
//	Zen 4                        1               1   max(28, 16)
//	Cooper Lake                  1               2   max(28, 8)
//
// So the products hide the loads everywhere. With 12 rows loads and products
// keep about that ratio (14 to 24), and with broadcasts in the product itself
// there would be a load for every product. 28 sums in flight hide a latency of
// 14 cycles at 2 products a cycle.
//
// The 16 pairs of columns 0 to 15 of B come first, then those of 16 to 31: see
// gatherer.

// VDPBF16PS adds to the 16 float32 of register c the products of 16 pairs of
// bfloat16 in a and b. The registers are given by number. The Go assembler
// lacks it: EVEX.512.F3.0F38.W0 52 /r.
#define VDPBF16PS(a, b, c) \
	BYTE $0x62; \
	BYTE $(0xF2 ^ ((c&8)<<4) ^ ((c&16)) ^ ((b&16)<<2) ^ ((b&8)<<2)); \
	BYTE $(0x7E ^ ((a&15)<<3)); \
	BYTE $(0x48 ^ ((a&16)>>1)); \
	BYTE $0x52; \
	BYTE $(0xC0 + ((c&7)<<3) + (b&7))

// ROW adds the products of a pair of A and 32 pairs of B to registers c and
// c+1. Z30 or Z31, whose number is n, holds the pair of A.
#define ROW(a, x, n, c) \
	VBROADCASTSS a, x; \
	VDPBF16PS(n, 28, c); \
	VDPBF16PS(n, 29, (c+1))

// PAIR multiplies pair k of every row of A by pair k of the rows of B. Rows 0, 5
// and 10 of A are at AX, DX and R13; rows are R9 bytes apart, and R10 is 3*R9.
#define PAIR(k) \
	VMOVUPS (k*64)(BX), Z28; \
	VMOVUPS (k*64+1024)(BX), Z29; \
	ROW((k*4)(AX), Z30, 30, 0); \
	ROW((k*4)(AX)(R9*1), Z31, 31, 2); \
	ROW((k*4)(AX)(R9*2), Z30, 30, 4); \
	ROW((k*4)(AX)(R10*1), Z31, 31, 6); \
	ROW((k*4)(AX)(R9*4), Z30, 30, 8); \
	ROW((k*4)(DX), Z31, 31, 10); \
	ROW((k*4)(DX)(R9*1), Z30, 30, 12); \
	ROW((k*4)(DX)(R9*2), Z31, 31, 14); \
	ROW((k*4)(DX)(R10*1), Z30, 30, 16); \
	ROW((k*4)(DX)(R9*4), Z31, 31, 18); \
	ROW((k*4)(R13), Z30, 30, 20); \
	ROW((k*4)(R13)(R9*1), Z31, 31, 22); \
	ROW((k*4)(R13)(R9*2), Z30, 30, 24); \
	ROW((k*4)(R13)(R10*1), Z31, 31, 26); \
	PREFETCHT0 (k*64+2048)(BX); \
	PREFETCHT0 (k*64+3072)(BX)

#define STORE(c0, c1) \
	VMOVUPS c0, (R15); \
	VMOVUPS c1, 64(R15); \
	ADDQ R11, R15

// func runAVX512BF16(s *strip)
TEXT ·runAVX512BF16(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), DI
	MOVQ strip_a(DI), R8
	MOVQ strip_lda(DI), R9
	LEAQ (R9)(R9*2), R10
	MOVQ strip_ldc(DI), R11
	MOVQ strip_tiles(DI), R12
	MOVQ strip_c(DI), R15

tile:
	ZERO28
	MOVQ strip_steps(DI), SI
	MOVQ strip_n(DI), CX

step:
	MOVQ step_a(SI), AX
	ADDQ R8, AX
	LEAQ (AX)(R9*4), DX
	ADDQ R9, DX
	LEAQ (DX)(R9*4), R13
	ADDQ R9, R13
	MOVQ step_b(SI), BX
	ADDQ strip_b(DI), BX
	PAIR(0)
	PAIR(1)
	PAIR(2)
	PAIR(3)
	PAIR(4)
	PAIR(5)
	PAIR(6)
	PAIR(7)
	PAIR(8)
	PAIR(9)
	PAIR(10)
	PAIR(11)
	PAIR(12)
	PAIR(13)
	PAIR(14)
	PAIR(15)
	ADDQ $step__size, SI
	DECQ CX
	JNZ step

	STORE(Z0, Z1)
	STORE(Z2, Z3)
	STORE(Z4, Z5)
	STORE(Z6, Z7)
	STORE(Z8, Z9)
	STORE(Z10, Z11)
	STORE(Z12, Z13)
	STORE(Z14, Z15)
	STORE(Z16, Z17)
	STORE(Z18, Z19)
	STORE(Z20, Z21)
	STORE(Z22, Z23)
	STORE(Z24, Z25)
	STORE(Z26, Z27)
	IMUL3Q $14, R9, AX
	ADDQ AX, R8
	DECQ R12
	JNZ tile
	VZEROUPPER
	RET

// func peakAVX512BF16(n int)
#define PRODUCT(c) VDPBF16PS(28, 29, c)
TEXT ·peakAVX512BF16(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), CX
	ZERO28
	VPXORD Z28, Z28, Z28
	VPXORD Z29, Z29, Z29

loop:
	PRODUCT(0); PRODUCT(1); PRODUCT(2); PRODUCT(3); PRODUCT(4); PRODUCT(5); PRODUCT(6)
	PRODUCT(7); PRODUCT(8); PRODUCT(9); PRODUCT(10); PRODUCT(11); PRODUCT(12); PRODUCT(13)
	PRODUCT(14); PRODUCT(15); PRODUCT(16); PRODUCT(17); PRODUCT(18); PRODUCT(19); PRODUCT(20)
	PRODUCT(21); PRODUCT(22); PRODUCT(23); PRODUCT(24); PRODUCT(25); PRODUCT(26); PRODUCT(27)
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET
