//go:build !purego

#include "textflag.h"

// nineC holds the words 9c for c = 0..31.
DATA nineC<>+0(SB)/8, $0x001b001200090000
DATA nineC<>+8(SB)/8, $0x003f0036002d0024
DATA nineC<>+16(SB)/8, $0x0063005a00510048
DATA nineC<>+24(SB)/8, $0x0087007e0075006c
DATA nineC<>+32(SB)/8, $0x00ab00a200990090
DATA nineC<>+40(SB)/8, $0x00cf00c600bd00b4
DATA nineC<>+48(SB)/8, $0x00f300ea00e100d8
DATA nineC<>+56(SB)/8, $0x0117010e010500fc
GLOBL nineC<>(SB), RODATA|NOPTR, $64

// TAP(t) computes line t of the result. Its word c is word 9c+t of the source,
// which is word (9c+t)%32 of line (9c+t)/32. VPERMW uses only the low five bits
// of Z9 = 9c+t, so the same indices serve all nine lines. Z10 = Z9/32 is the
// line of each word. Z21..Z28 hold 1..8.
#define FROM(line, number) VPCMPEQW number, Z10, K1; VPERMW line, Z9, K1, Z11
#define TAP(t) \
	VPSRLW $5, Z9, Z10; \
	VPERMW Z0, Z9, Z11; \
	FROM(Z1, Z21); \
	FROM(Z2, Z22); \
	FROM(Z3, Z23); \
	FROM(Z4, Z24); \
	FROM(Z5, Z25); \
	FROM(Z6, Z26); \
	FROM(Z7, Z27); \
	FROM(Z8, Z28); \
	VMOVDQU16 Z11, 64*t(DI); \
	VPADDW Z21, Z9, Z9

// func sortTapsAVX512(dst, src unsafe.Pointer, stride, n int)
//
// 9 lines of 32 words in, 9 lines out, n times: about 200 instructions for 288
// words, for which the loop in Go needs 2000.
TEXT ·sortTapsAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), DX
	MOVQ n+24(FP), CX
	MOVL $1, AX
	VPBROADCASTW AX, Z21
	VPADDW Z21, Z21, Z22
	VPADDW Z21, Z22, Z23
	VPADDW Z21, Z23, Z24
	VPADDW Z21, Z24, Z25
	VPADDW Z21, Z25, Z26
	VPADDW Z21, Z26, Z27
	VPADDW Z21, Z27, Z28

row:
	VMOVDQU16 0(SI), Z0
	VMOVDQU16 64(SI), Z1
	VMOVDQU16 128(SI), Z2
	VMOVDQU16 192(SI), Z3
	VMOVDQU16 256(SI), Z4
	VMOVDQU16 320(SI), Z5
	VMOVDQU16 384(SI), Z6
	VMOVDQU16 448(SI), Z7
	VMOVDQU16 512(SI), Z8
	VMOVDQU16 nineC<>(SB), Z9
	TAP(0)
	TAP(1)
	TAP(2)
	TAP(3)
	TAP(4)
	TAP(5)
	TAP(6)
	TAP(7)
	TAP(8)
	ADDQ DX, SI
	ADDQ $576, DI
	DECQ CX
	JNZ  row
	VZEROUPPER
	RET
