//go:build !purego

#include "textflag.h"

// HALF transposes 8 words of 16 columns in three stages of unpacking, after
// which a register holds a word of columns 0 to 7 in its lower and of columns 8
// to 15 in its upper half. SI is the address of column 0 and R12 that of column
// 8; columns are BX bytes apart, R11 is 3*BX. Lines at AX are R8 bytes apart, R9
// is 3*R8. 48 instructions for 128 words.
#define PAIR(low, high, x, y) \
	VMOVDQU low, x; \
	VINSERTI128 $1, high, y, y
#define HALF(off) \
	PAIR(off(SI), off(R12), X0, Y0); \
	PAIR(off(SI)(BX*1), off(R12)(BX*1), X1, Y1); \
	PAIR(off(SI)(BX*2), off(R12)(BX*2), X2, Y2); \
	PAIR(off(SI)(R11*1), off(R12)(R11*1), X3, Y3); \
	LEAQ (SI)(BX*4), R13; \
	LEAQ (R12)(BX*4), R14; \
	PAIR(off(R13), off(R14), X4, Y4); \
	PAIR(off(R13)(BX*1), off(R14)(BX*1), X5, Y5); \
	PAIR(off(R13)(BX*2), off(R14)(BX*2), X6, Y6); \
	PAIR(off(R13)(R11*1), off(R14)(R11*1), X7, Y7); \
	VPUNPCKLWD Y1, Y0, Y8; \
	VPUNPCKHWD Y1, Y0, Y9; \
	VPUNPCKLWD Y3, Y2, Y10; \
	VPUNPCKHWD Y3, Y2, Y11; \
	VPUNPCKLWD Y5, Y4, Y12; \
	VPUNPCKHWD Y5, Y4, Y13; \
	VPUNPCKLWD Y7, Y6, Y14; \
	VPUNPCKHWD Y7, Y6, Y15; \
	VPUNPCKLDQ Y10, Y8, Y0; \
	VPUNPCKHDQ Y10, Y8, Y1; \
	VPUNPCKLDQ Y14, Y12, Y2; \
	VPUNPCKHDQ Y14, Y12, Y3; \
	VPUNPCKLDQ Y11, Y9, Y4; \
	VPUNPCKHDQ Y11, Y9, Y5; \
	VPUNPCKLDQ Y15, Y13, Y6; \
	VPUNPCKHDQ Y15, Y13, Y7; \
	VPUNPCKLQDQ Y2, Y0, Y8; \
	VPUNPCKHQDQ Y2, Y0, Y9; \
	VPUNPCKLQDQ Y3, Y1, Y10; \
	VPUNPCKHQDQ Y3, Y1, Y11; \
	VPUNPCKLQDQ Y6, Y4, Y12; \
	VPUNPCKHQDQ Y6, Y4, Y13; \
	VPUNPCKLQDQ Y7, Y5, Y14; \
	VPUNPCKHQDQ Y7, Y5, Y15; \
	VMOVDQU Y8, (AX); \
	VMOVDQU Y9, (AX)(R8*1); \
	VMOVDQU Y10, (AX)(R8*2); \
	VMOVDQU Y11, (AX)(R9*1); \
	LEAQ (AX)(R8*4), AX; \
	VMOVDQU Y12, (AX); \
	VMOVDQU Y13, (AX)(R8*1); \
	VMOVDQU Y14, (AX)(R8*2); \
	VMOVDQU Y15, (AX)(R9*1); \
	LEAQ (AX)(R8*4), AX

// func transposeWordsAVX2(dst unsafe.Pointer, pitch, dstStep int, src unsafe.Pointer, stride, steps int)
TEXT ·transposeWordsAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ pitch+8(FP), R8
	MOVQ dstStep+16(FP), DX
	MOVQ src+24(FP), SI
	MOVQ stride+32(FP), BX
	MOVQ steps+40(FP), CX
	LEAQ (R8)(R8*2), R9
	LEAQ (BX)(BX*2), R11
	LEAQ (SI)(BX*8), R12

loop:
	MOVQ DI, AX
	HALF(0)
	HALF(16)
	ADDQ $32, SI
	ADDQ $32, R12
	ADDQ DX, DI
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET
