//go:build !purego

#include "textflag.h"

// tables has the numbers of bits of 0 to 15 twice, masks of the lower halves of
// bytes, and masks of 0 to 3 words: that of n begins at word 12-n.
DATA tables<>+0(SB)/8, $0x0302020102010100
DATA tables<>+8(SB)/8, $0x0403030203020201
DATA tables<>+16(SB)/8, $0x0302020102010100
DATA tables<>+24(SB)/8, $0x0403030203020201
DATA tables<>+32(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA tables<>+40(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA tables<>+48(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA tables<>+56(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA tables<>+64(SB)/8, $-1
DATA tables<>+72(SB)/8, $-1
DATA tables<>+80(SB)/8, $-1
DATA tables<>+88(SB)/8, $-1
DATA tables<>+96(SB)/8, $0
DATA tables<>+104(SB)/8, $0
DATA tables<>+112(SB)/8, $0
DATA tables<>+120(SB)/8, $0
GLOBL tables<>(SB), RODATA|NOPTR, $128

// COUNT adds the bits of Y1 to sum: those of the two halves of each byte from a
// table, and then those of the 8 bytes of each word.
#define COUNT(sum) \
	VPAND Y15, Y1, Y2; \
	VPSRLW $4, Y1, Y1; \
	VPAND Y15, Y1, Y1; \
	VPSHUFB Y2, Y14, Y2; \
	VPSHUFB Y1, Y14, Y1; \
	VPADDB Y1, Y2, Y1; \
	VPSADBW Y13, Y1, Y1; \
	VPADDQ Y1, sum, sum

#define WHOLE(at, sum) \
	VPXOR at, Y0, Y1; \
	COUNT(sum)

#define LAST(at, sum) \
	VPMASKMOVQ at, Y12, Y1; \
	VPXOR Y1, Y0, Y1; \
	COUNT(sum)

// FOUR applies STEP to the 4 codes at R11, whose strides are BX and, times 3,
// R8.
#define FOUR(STEP) \
	STEP((R11), Y4); \
	STEP((R11)(BX*1), Y5); \
	STEP((R11)(BX*2), Y6); \
	STEP((R11)(R8*1), Y7)

// PAIR adds the parts of two sums, a's in the even words of a and b's in the
// odd ones.
#define PAIR(a, b) \
	VPUNPCKLQDQ b, a, Y0; \
	VPUNPCKHQDQ b, a, Y1; \
	VPADDQ Y1, Y0, a

// func hammingQuadsAVX2(dst *uint16, query, codes *uint64, words, blocks int)
//
// 4 codes at a time, and 4 words of each in a step. The last words of a code go
// through a mask, which reads nothing beyond them.
TEXT ·hammingQuadsAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ query+8(FP), SI
	MOVQ codes+16(FP), R11
	MOVQ words+24(FP), R12
	MOVQ blocks+32(FP), R13
	LEAQ (R12*8), BX
	LEAQ (BX)(BX*2), R8
	MOVQ R12, CX
	ANDQ $3, CX
	SHRQ $2, R12
	LEAQ tables<>(SB), AX
	VMOVDQU (AX), Y14
	VMOVDQU 32(AX), Y15
	MOVQ CX, DX
	NEGQ DX
	VMOVDQU 96(AX)(DX*8), Y12
	VPXOR Y13, Y13, Y13

block:
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7
	MOVQ SI, DX
	MOVQ R12, AX
	TESTQ AX, AX
	JEQ last

step:
	VMOVDQU (DX), Y0
	FOUR(WHOLE)
	ADDQ $32, DX
	ADDQ $32, R11
	DECQ AX
	JNE step

last:
	TESTQ CX, CX
	JEQ sum
	VPMASKMOVQ (DX), Y12, Y0
	FOUR(LAST)
	LEAQ (R11)(CX*8), R11

sum:
	PAIR(Y4, Y5)
	PAIR(Y6, Y7)
	VPERM2I128 $0x20, Y6, Y4, Y0
	VPERM2I128 $0x31, Y6, Y4, Y1
	VPADDQ Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPACKUSDW X1, X0, X0
	VPACKUSDW X0, X0, X0
	VMOVQ X0, (DI)
	ADDQ $8, DI
	ADDQ R8, R11
	DECQ R13
	JNE block
	VZEROUPPER
	RET
