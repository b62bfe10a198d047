//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "avx512_amd64.h"

// A tile of C is 14 rows of two vectors: 28 of the 32 registers. The 28 products
// of one K keep two FMA ports busy for 14 cycles.
//
// What bounds the loop most of the time is the front end, since a core's two threads
// share it: four instructions in a cycle, or two while the other thread has work,
// whether it is ours (Go runs as many threads as there are) or another tenant's. So
// there are few instructions: where a row's two products load its element themselves,
// they need no broadcast. That takes two loads in place of one. With 5 such rows a K
// has 2 loads of B, 9 broadcasts and 10 products that load, 21 of the 28 loads that
// the ports can do meanwhile. And the loop is short, 4 K, so that half of the cache
// of decoded instructions holds it.
//
// B is prefetched one step ahead. It comes in order from L2, 128 bytes in 14
// cycles. (A prefetch passes the end of the panel's last step, but cannot
// fault.)
//
// Measured on a Cascade Lake against a loop of 16 K with a broadcast for every row,
// K = 320 to 2880, medians of 100 to 300 rounds in turn: 1.03 to 1.29 times as fast
// while other tenants share the core, where that loop reaches 50 to 60 % of
// peakAVX512; 0.96 to 1.04 with the core to itself. While it is shared, loops of 2, 4
// and 8 K are within 0.1 of each other, and that of 4 most often the best; 4 K
// without such rows have 1.00 to 1.19, 7 rows what 5 have (alone 0.94), 8 rows 0.98
// to 1.21 (alone 0.92), 3 rows without the prefetch 0.94 to 1.13. To prefetch A's
// next lines as well changes nothing.

// PAIR multiplies an even row of A, at a, and the next one, R9 bytes apart, by
// row k of B. The even row of PAIRM is not broadcast into a register.
#define PAIR(k, a, c0, c1, c2, c3) \
	VBROADCASTSS (k*4)(a), Z30; \
	VFMADD231PS Z28, Z30, c0; \
	VFMADD231PS Z29, Z30, c1; \
	ODD(k, a, c2, c3)

#define PAIRM(k, a, c0, c1, c2, c3) \
	VFMADD231PS.BCST (k*4)(a), Z28, c0; \
	VFMADD231PS.BCST (k*4)(a), Z29, c1; \
	ODD(k, a, c2, c3)

#define ODD(k, a, c0, c1) \
	VBROADCASTSS (k*4)(a)(R9*1), Z31; \
	VFMADD231PS Z28, Z31, c0; \
	VFMADD231PS Z29, Z31, c1

// K multiplies element k of every row of A by row k of B, at BX.
#define K(k) \
	VMOVUPS (k*128)(BX), Z28; \
	VMOVUPS (k*128+64)(BX), Z29; \
	PAIRM(k, AX, Z0, Z1, Z2, Z3); \
	PAIR(k, CX, Z4, Z5, Z6, Z7); \
	PAIRM(k, DX, Z8, Z9, Z10, Z11); \
	PAIRM(k, R8, Z12, Z13, Z14, Z15); \
	PAIRM(k, R10, Z16, Z17, Z18, Z19); \
	PAIR(k, R11, Z20, Z21, Z22, Z23); \
	PAIRM(k, R12, Z24, Z25, Z26, Z27); \
	PREFETCHT0 (k*128+2048)(BX); \
	PREFETCHT0 (k*128+2112)(BX)

#define STORE(c0, c1) \
	VMOVUPS c0, (R15); \
	VMOVUPS c1, 64(R15); \
	ADDQ AX, R15

// func runAVX512(s *strip)
TEXT ·runAVX512(SB), NOSPLIT, $24-8
	MOVQ s+0(FP), DI
	MOVQ strip_a(DI), AX
	MOVQ AX, a-8(SP)
	MOVQ strip_tiles(DI), AX
	MOVQ AX, tiles-16(SP)
	MOVQ strip_lda(DI), R9
	MOVQ strip_c(DI), R15

tile:
	ZERO28
	MOVQ strip_steps(DI), SI
	MOVQ strip_n(DI), AX
	MOVQ AX, n-24(SP)

step:
	MOVQ step_a(SI), AX
	ADDQ a-8(SP), AX
	LEAQ (AX)(R9*2), CX
	LEAQ (CX)(R9*2), DX
	LEAQ (DX)(R9*2), R8
	LEAQ (R8)(R9*2), R10
	LEAQ (R10)(R9*2), R11
	LEAQ (R11)(R9*2), R12
	MOVQ step_b(SI), BX
	ADDQ strip_b(DI), BX
	MOVQ $4, R13

quarter:
	K(0)
	K(1)
	K(2)
	K(3)
	ADDQ $16, AX
	ADDQ $16, CX
	ADDQ $16, DX
	ADDQ $16, R8
	ADDQ $16, R10
	ADDQ $16, R11
	ADDQ $16, R12
	ADDQ $512, BX
	DECQ R13
	JNZ quarter

	ADDQ $step__size, SI
	DECQ n-24(SP)
	JNZ step

	MOVQ strip_ldc(DI), AX
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
	ADDQ AX, a-8(SP)
	DECQ tiles-16(SP)
	JNZ tile
	VZEROUPPER
	RET

// func peakAVX512(n int)
#define FMA(c) VFMADD231PS Z28, Z29, c
TEXT ·peakAVX512(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), CX
	ZERO28
	VPXORD Z28, Z28, Z28
	VPXORD Z29, Z29, Z29

loop:
	FMA(Z0); FMA(Z1); FMA(Z2); FMA(Z3); FMA(Z4); FMA(Z5); FMA(Z6)
	FMA(Z7); FMA(Z8); FMA(Z9); FMA(Z10); FMA(Z11); FMA(Z12); FMA(Z13)
	FMA(Z14); FMA(Z15); FMA(Z16); FMA(Z17); FMA(Z18); FMA(Z19); FMA(Z20)
	FMA(Z21); FMA(Z22); FMA(Z23); FMA(Z24); FMA(Z25); FMA(Z26); FMA(Z27)
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET
