//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// A tile of C is 6 rows of two vectors: 12 of the 16 registers. Each of the 16
// K of a step takes 2 loads of B, 6 broadcasts from A and 12 products. Two FMA
// ports need 6 cycles for the products, two load ports 4 for the loads. B is
// prefetched one step ahead, as in gemm_avx512_amd64.s.
//
// Measured with BenchmarkStripF32, K = 64 to 11520, in percent of peakAVX2: 99
// to 100 with the core to itself, 75 to 98 while other tenants of the machine
// share it.

#define ROW(a, x, c0, c1) \
	VBROADCASTSS a, x; \
	VFMADD231PS Y12, x, c0; \
	VFMADD231PS Y13, x, c1

// K multiplies element k of every row of A by row k of B. The rows of A begin
// at AX, R9 bytes apart; R10 is 3*R9, R13 is 5*R9.
#define K(k) \
	VMOVUPS (k*64)(BX), Y12; \
	VMOVUPS (k*64+32)(BX), Y13; \
	ROW((k*4)(AX), Y14, Y0, Y1); \
	ROW((k*4)(AX)(R9*1), Y15, Y2, Y3); \
	ROW((k*4)(AX)(R9*2), Y14, Y4, Y5); \
	ROW((k*4)(AX)(R10*1), Y15, Y6, Y7); \
	ROW((k*4)(AX)(R9*4), Y14, Y8, Y9); \
	ROW((k*4)(AX)(R13*1), Y15, Y10, Y11); \
	PREFETCHT0 (k*64+1024)(BX)

#define ZERO4(a, b, c, d) \
	VXORPS a, a, a; \
	VXORPS b, b, b; \
	VXORPS c, c, c; \
	VXORPS d, d, d

#define ZERO12 \
	ZERO4(Y0, Y1, Y2, Y3); \
	ZERO4(Y4, Y5, Y6, Y7); \
	ZERO4(Y8, Y9, Y10, Y11)

#define STORE(c0, c1) \
	VMOVUPS c0, (R15); \
	VMOVUPS c1, 32(R15); \
	ADDQ R11, R15

// func runAVX2(s *strip)
TEXT ·runAVX2(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), DI
	MOVQ strip_a(DI), R8
	MOVQ strip_lda(DI), R9
	LEAQ (R9)(R9*2), R10
	LEAQ (R9)(R9*4), R13
	MOVQ strip_ldc(DI), R11
	MOVQ strip_tiles(DI), R12
	MOVQ strip_c(DI), R15

tile:
	ZERO12
	MOVQ strip_steps(DI), SI
	MOVQ strip_n(DI), CX

step:
	MOVQ step_a(SI), AX
	ADDQ R8, AX
	MOVQ step_b(SI), BX
	ADDQ strip_b(DI), BX
	K(0)
	K(1)
	K(2)
	K(3)
	K(4)
	K(5)
	K(6)
	K(7)
	K(8)
	K(9)
	K(10)
	K(11)
	K(12)
	K(13)
	K(14)
	K(15)
	ADDQ $step__size, SI
	DECQ CX
	JNZ step

	STORE(Y0, Y1)
	STORE(Y2, Y3)
	STORE(Y4, Y5)
	STORE(Y6, Y7)
	STORE(Y8, Y9)
	STORE(Y10, Y11)
	LEAQ (R8)(R10*2), R8
	DECQ R12
	JNZ tile
	VZEROUPPER
	RET

#define FMA(c) VFMADD231PS Y12, Y13, c

// func peakAVX2(n int)
TEXT ·peakAVX2(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), CX
	ZERO12
	VXORPS Y12, Y12, Y12
	VXORPS Y13, Y13, Y13

loop:
	FMA(Y0); FMA(Y1); FMA(Y2); FMA(Y3); FMA(Y4); FMA(Y5)
	FMA(Y6); FMA(Y7); FMA(Y8); FMA(Y9); FMA(Y10); FMA(Y11)
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET
