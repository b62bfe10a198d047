//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// A tile of C is 14 rows of two vectors: 28 of the 32 registers. Each of the 16
// K of a step takes 2 loads of B, 14 broadcasts from A and 28 products. Two FMA
// ports need 14 cycles for the products, two load ports 8 for the loads. There
// are loads to spare because two vectors of C share a broadcast: a tile of 28
// rows of one vector would load once for every product.
//
// B is prefetched one step ahead. It comes in order from L2, 128 bytes in 14
// cycles. (A prefetch passes the end of the panel's last step, but cannot
// fault.)
//
// Measured with BenchmarkStripF32, K = 64 to 11520, in percent of peakAVX512:
// 99 to 100 with the core to itself, 77 to 82 while other tenants of the
// machine share it (see amxLoops). Without the prefetch, 93 to 100 and 70 to
// 76. Prefetching A's next lines as well changes nothing.

#define ROW(a, x, c0, c1) \
	VBROADCASTSS a, x; \
	VFMADD231PS Z28, x, c0; \
	VFMADD231PS Z29, x, c1

// K multiplies element k of every row of A by row k of B. Rows 0, 5 and 10 of A
// are at AX, DX and R13; rows are R9 bytes apart, and R10 is 3*R9.
#define K(k) \
	VMOVUPS (k*128)(BX), Z28; \
	VMOVUPS (k*128+64)(BX), Z29; \
	ROW((k*4)(AX), Z30, Z0, Z1); \
	ROW((k*4)(AX)(R9*1), Z31, Z2, Z3); \
	ROW((k*4)(AX)(R9*2), Z30, Z4, Z5); \
	ROW((k*4)(AX)(R10*1), Z31, Z6, Z7); \
	ROW((k*4)(AX)(R9*4), Z30, Z8, Z9); \
	ROW((k*4)(DX), Z31, Z10, Z11); \
	ROW((k*4)(DX)(R9*1), Z30, Z12, Z13); \
	ROW((k*4)(DX)(R9*2), Z31, Z14, Z15); \
	ROW((k*4)(DX)(R10*1), Z30, Z16, Z17); \
	ROW((k*4)(DX)(R9*4), Z31, Z18, Z19); \
	ROW((k*4)(R13), Z30, Z20, Z21); \
	ROW((k*4)(R13)(R9*1), Z31, Z22, Z23); \
	ROW((k*4)(R13)(R9*2), Z30, Z24, Z25); \
	ROW((k*4)(R13)(R10*1), Z31, Z26, Z27); \
	PREFETCHT0 (k*128+2048)(BX); \
	PREFETCHT0 (k*128+2112)(BX)

#define ZERO4(a, b, c, d) \
	VPXORD a, a, a; \
	VPXORD b, b, b; \
	VPXORD c, c, c; \
	VPXORD d, d, d

#define ZERO28 \
	ZERO4(Z0, Z1, Z2, Z3); \
	ZERO4(Z4, Z5, Z6, Z7); \
	ZERO4(Z8, Z9, Z10, Z11); \
	ZERO4(Z12, Z13, Z14, Z15); \
	ZERO4(Z16, Z17, Z18, Z19); \
	ZERO4(Z20, Z21, Z22, Z23); \
	ZERO4(Z24, Z25, Z26, Z27)

#define STORE(c0, c1) \
	VMOVUPS c0, (R15); \
	VMOVUPS c1, 64(R15); \
	ADDQ R11, R15

// func runAVX512(s *strip)
TEXT ·runAVX512(SB), NOSPLIT, $0-8
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
