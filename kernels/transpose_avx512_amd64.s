//go:build !purego

#include "textflag.h"

// func transposeAVX512(dst unsafe.Pointer, pitch, dstStep int, src unsafe.Pointer, stride, steps int)
//
// A 16x16 transposition of dwords in three stages: pairs of rows are unpacked
// to dwords, and pairs of those to quadwords, which leaves 4x4 blocks
// transposed in every 128-bit lane; then VSHUFI32X4 gathers the lanes.
#define UNPACK4(r0, r1, r2, r3, t0, t1, t2, t3) \
	VPUNPCKLDQ r1, r0, t0; \
	VPUNPCKHDQ r1, r0, t1; \
	VPUNPCKLDQ r3, r2, t2; \
	VPUNPCKHDQ r3, r2, t3; \
	VPUNPCKLQDQ t2, t0, r0; \
	VPUNPCKHQDQ t2, t0, r1; \
	VPUNPCKLQDQ t3, t1, r2; \
	VPUNPCKHQDQ t3, t1, r3

// LANES(a, b, c, d) stores columns q, 4+q, 8+q and 12+q, from rows 0-3, 4-7,
// 8-11 and 12-15 of the lanes. AX is the address of line q, R9 is four pitches.
#define LANES(a, b, c, d) \
	VSHUFI32X4 $0x88, b, a, Z16; \
	VSHUFI32X4 $0xDD, b, a, Z17; \
	VSHUFI32X4 $0x88, d, c, Z18; \
	VSHUFI32X4 $0xDD, d, c, Z19; \
	VSHUFI32X4 $0x88, Z18, Z16, Z20; \
	VSHUFI32X4 $0x88, Z19, Z17, Z21; \
	VSHUFI32X4 $0xDD, Z18, Z16, Z22; \
	VSHUFI32X4 $0xDD, Z19, Z17, Z23; \
	VMOVDQU32 Z20, (AX); \
	VMOVDQU32 Z21, (AX)(R9*1); \
	VMOVDQU32 Z22, (AX)(R9*2); \
	LEAQ (AX)(R9*2), R10; \
	VMOVDQU32 Z23, (R10)(R9*1); \
	ADDQ R8, AX

TEXT ·transposeAVX512(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ pitch+8(FP), R8
	MOVQ dstStep+16(FP), DX
	MOVQ src+24(FP), SI
	MOVQ stride+32(FP), BX
	MOVQ steps+40(FP), CX
	LEAQ (R8*4), R9
	LEAQ (BX)(BX*2), R11

loop:
	MOVQ SI, AX
	VMOVDQU32 (AX), Z0
	VMOVDQU32 (AX)(BX*1), Z1
	VMOVDQU32 (AX)(BX*2), Z2
	VMOVDQU32 (AX)(R11*1), Z3
	LEAQ (AX)(BX*4), AX
	VMOVDQU32 (AX), Z4
	VMOVDQU32 (AX)(BX*1), Z5
	VMOVDQU32 (AX)(BX*2), Z6
	VMOVDQU32 (AX)(R11*1), Z7
	LEAQ (AX)(BX*4), AX
	VMOVDQU32 (AX), Z8
	VMOVDQU32 (AX)(BX*1), Z9
	VMOVDQU32 (AX)(BX*2), Z10
	VMOVDQU32 (AX)(R11*1), Z11
	LEAQ (AX)(BX*4), AX
	VMOVDQU32 (AX), Z12
	VMOVDQU32 (AX)(BX*1), Z13
	VMOVDQU32 (AX)(BX*2), Z14
	VMOVDQU32 (AX)(R11*1), Z15
	UNPACK4(Z0, Z1, Z2, Z3, Z16, Z17, Z18, Z19)
	UNPACK4(Z4, Z5, Z6, Z7, Z20, Z21, Z22, Z23)
	UNPACK4(Z8, Z9, Z10, Z11, Z24, Z25, Z26, Z27)
	UNPACK4(Z12, Z13, Z14, Z15, Z28, Z29, Z30, Z31)
	MOVQ DI, AX
	LANES(Z0, Z4, Z8, Z12)
	LANES(Z1, Z5, Z9, Z13)
	LANES(Z2, Z6, Z10, Z14)
	LANES(Z3, Z7, Z11, Z15)
	ADDQ $64, SI
	ADDQ DX, DI
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET

// func interleaveAVX512(dst unsafe.Pointer, dstStep int, src unsafe.Pointer, stride, steps int)
TEXT ·interleaveAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ dstStep+8(FP), DX
	MOVQ src+16(FP), SI
	MOVQ stride+24(FP), BX
	MOVQ steps+32(FP), CX

step:
	MOVQ DI, R8
	MOVQ $16, R9

pair:
	VPMOVZXWD (SI), Z0
	VPMOVZXWD (SI)(BX*1), Z1
	VPSLLD $16, Z1, Z1
	VPORD Z1, Z0, Z0
	VMOVDQU32 Z0, (R8)
	LEAQ (SI)(BX*2), SI
	ADDQ $64, R8
	DECQ R9
	JNZ  pair
	ADDQ DX, DI
	DECQ CX
	JNZ  step
	VZEROUPPER
	RET
