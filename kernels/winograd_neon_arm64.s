//go:build !purego

#include "textflag.h"
#include "asm_neon_arm64.h"

// The transforms of F(4x4,3x3); see winograd.go. A vector is a quarter of a
// line: 4 channels. What the first pass of a transform leaves is in tmp, in
// vectors. CONSTANT(i, f) loads row i of winogradTable, whose address is in R19.
//
// Instructions for 4 channels: 472 for the pixels of a tile, 294 for its results,
// 231 for the taps of one output, which at least 48 tiles share. With 320
// channels in and out that is 0.06 and at most 0.11 of what a tile's products
// take (36/4 multiply-adds for a channel in and out, 1.17 instructions each; see
// gemmNEON), and all of it 0.29 of a direct convolution's instructions.
#define CONSTANT(i, f) FMOVQ (32*i)(R19), f

#define MOVE(n, d) VMOV n.B16, d.B16

// PIXELS multiplies V0 to V5 by Bᵀ. V27 to V31 are 2.5, 2, 0.5, a and b.
#define PIXELS \
	FADD(4, 0, 0); \
	FADD(1, 5, 5); \
	MOVE(V4, V6); \
	MOVE(V3, V7); \
	VFMLS V27.S4, V2.S4, V0.S4; \
	VFMLS V27.S4, V3.S4, V5.S4; \
	VFMLS V28.S4, V2.S4, V6.S4; \
	VFMLS V28.S4, V1.S4, V7.S4; \
	VFMLS V29.S4, V2.S4, V4.S4; \
	MOVE(V3, V8); \
	VFMLS V29.S4, V1.S4, V8.S4; \
	MOVE(V6, V1); \
	MOVE(V6, V2); \
	MOVE(V4, V3); \
	VFMLA V30.S4, V7.S4, V1.S4; \
	VFMLS V30.S4, V7.S4, V2.S4; \
	VFMLA V31.S4, V8.S4, V3.S4; \
	VFMLS V31.S4, V8.S4, V4.S4

// LOAD loads pixel (y,x) at offset R6.
#define LOAD(y, x, f) \
	MOVD ((6*y+x)*8)(R2), R7; \
	ADD R6, R7; \
	FMOVQ (R7), f

// COLUMN transforms column x of the pixels into that of tmp.
#define COLUMN(x) \
	LOAD(0, x, F0); \
	LOAD(1, x, F1); \
	LOAD(2, x, F2); \
	LOAD(3, x, F3); \
	LOAD(4, x, F4); \
	LOAD(5, x, F5); \
	PIXELS; \
	FMOVQ F0, (16*x)(R3); \
	FMOVQ F1, (16*x+96)(R3); \
	FMOVQ F2, (16*x+192)(R3); \
	FMOVQ F3, (16*x+288)(R3); \
	FMOVQ F4, (16*x+384)(R3); \
	FMOVQ F5, (16*x+480)(R3)

// STORE6 stores V0 to V5 in six consecutive planes from R7, which are R1 bytes
// apart.
#define STORE6 \
	FMOVQ F0, (R7); \
	ADD R1, R7; \
	FMOVQ F1, (R7); \
	ADD R1, R7; \
	FMOVQ F2, (R7); \
	ADD R1, R7; \
	FMOVQ F3, (R7); \
	ADD R1, R7; \
	FMOVQ F4, (R7); \
	ADD R1, R7; \
	FMOVQ F5, (R7); \
	ADD R1, R7

#define ROW(i) \
	FMOVQ (96*i)(R3), F0; \
	FMOVQ (96*i+16)(R3), F1; \
	FMOVQ (96*i+32)(R3), F2; \
	FMOVQ (96*i+48)(R3), F3; \
	FMOVQ (96*i+64)(R3), F4; \
	FMOVQ (96*i+80)(R3), F5; \
	PIXELS; \
	STORE6

// func winogradInputNEON(dst unsafe.Pointer, plane int, src *[36]unsafe.Pointer, tmp unsafe.Pointer, lines int)
TEXT ·winogradInputNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD plane+8(FP), R1
	MOVD src+16(FP), R2
	MOVD tmp+24(FP), R3
	MOVD lines+32(FP), R4
	LSL $2, R4
	MOVD $·winogradTable(SB), R19
	CONSTANT(4, F27)
	CONSTANT(1, F28)
	CONSTANT(0, F29)
	CONSTANT(2, F30)
	CONSTANT(3, F31)
	MOVD ZR, R6

loop:
	COLUMN(0)
	COLUMN(1)
	COLUMN(2)
	COLUMN(3)
	COLUMN(4)
	COLUMN(5)
	ADD R6, R0, R7
	ROW(0)
	ROW(1)
	ROW(2)
	ROW(3)
	ROW(4)
	ROW(5)
	ADD $16, R6
	SUBS $1, R4
	BNE loop
	RET

// TAPS multiplies V0, V6 and V5 by G, into V0 to V5. V27 to V31 are -1/3, 1/6,
// 1/3, -2/3 a and b/6.
#define TAPS \
	FADD(0, 0, 2); \
	FMUL(28, 0, 4); \
	FADD(5, 2, 2); \
	VFMLA V29.S4, V5.S4, V4.S4; \
	FMUL(27, 2, 2); \
	MOVE(V4, V3); \
	MOVE(V2, V1); \
	VFMLA V30.S4, V6.S4, V1.S4; \
	VFMLS V30.S4, V6.S4, V2.S4; \
	VFMLA V31.S4, V6.S4, V3.S4; \
	VFMLS V31.S4, V6.S4, V4.S4

// TAPCOLUMN transforms the taps of column x, the first of which is at R7, into
// that of tmp. Rows of taps are R12 bytes apart, taps of a row R8.
#define TAPCOLUMN(x) \
	ADD R12, R7, R9; \
	ADD R12, R9, R10; \
	FMOVQ (R7), F0; \
	FMOVQ (R9), F6; \
	FMOVQ (R10), F5; \
	TAPS; \
	FMOVQ F0, (16*x)(R3); \
	FMOVQ F1, (16*x+48)(R3); \
	FMOVQ F2, (16*x+96)(R3); \
	FMOVQ F3, (16*x+144)(R3); \
	FMOVQ F4, (16*x+192)(R3); \
	FMOVQ F5, (16*x+240)(R3); \
	ADD R8, R7

#define TAPROW(i) \
	FMOVQ (48*i)(R3), F0; \
	FMOVQ (48*i+16)(R3), F6; \
	FMOVQ (48*i+32)(R3), F5; \
	TAPS; \
	STORE6

// func winogradWeightsNEON(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)
TEXT ·winogradWeightsNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD plane+8(FP), R1
	MOVD src+16(FP), R2
	MOVD tmp+24(FP), R3
	MOVD lines+32(FP), R4
	LSL $6, R4, R8
	ADD R8<<1, R8, R12
	LSL $2, R4
	MOVD $·winogradTable(SB), R19
	CONSTANT(5, F27)
	CONSTANT(6, F28)
	CONSTANT(7, F29)
	CONSTANT(8, F30)
	CONSTANT(9, F31)

loop:
	MOVD R2, R7
	TAPCOLUMN(0)
	TAPCOLUMN(1)
	TAPCOLUMN(2)
	MOVD R0, R7
	TAPROW(0)
	TAPROW(1)
	TAPROW(2)
	TAPROW(3)
	TAPROW(4)
	TAPROW(5)
	ADD $16, R2
	ADD $16, R0
	SUBS $1, R4
	BNE loop
	RET

// SUMS multiplies V16 to V21 by Aᵀ, into V4 to V7. V26 to V31 are 0.5, 2, a, b,
// a/2 and 2b.
#define SUMS \
	FADD(18, 17, 0); \
	FSUB(18, 17, 1); \
	FADD(20, 19, 2); \
	FSUB(20, 19, 3); \
	FADD(0, 16, 4); \
	FMUL(28, 1, 5); \
	FMUL(26, 0, 6); \
	MOVE(V21, V7); \
	VFMLA V30.S4, V1.S4, V7.S4; \
	FADD(2, 4, 4); \
	VFMLA V29.S4, V3.S4, V5.S4; \
	VFMLA V27.S4, V2.S4, V6.S4; \
	VFMLA V31.S4, V3.S4, V7.S4

// SUMCOLUMN transforms column x, whose element 0 is at R7, into that of tmp.
// Elements are R8 bytes apart, columns R1.
#define SUMCOLUMN(x) \
	MOVD R7, R9; \
	FMOVQ (R9), F16; \
	ADD R8, R9; \
	FMOVQ (R9), F17; \
	ADD R8, R9; \
	FMOVQ (R9), F18; \
	ADD R8, R9; \
	FMOVQ (R9), F19; \
	ADD R8, R9; \
	FMOVQ (R9), F20; \
	ADD R8, R9; \
	FMOVQ (R9), F21; \
	SUMS; \
	FMOVQ F4, (16*x)(R3); \
	FMOVQ F5, (16*x+96)(R3); \
	FMOVQ F6, (16*x+192)(R3); \
	FMOVQ F7, (16*x+288)(R3); \
	ADD R1, R7

// SUMROW transforms row y and stores its four pixels at R7. Pixels are R12 bytes
// apart, rows R13.
#define SUMROW(y) \
	FMOVQ (96*y)(R3), F16; \
	FMOVQ (96*y+16)(R3), F17; \
	FMOVQ (96*y+32)(R3), F18; \
	FMOVQ (96*y+48)(R3), F19; \
	FMOVQ (96*y+64)(R3), F20; \
	FMOVQ (96*y+80)(R3), F21; \
	SUMS; \
	FMOVQ F4, (R7); \
	ADD R12, R7, R9; \
	FMOVQ F5, (R9); \
	ADD R12, R9; \
	FMOVQ F6, (R9); \
	ADD R12, R9; \
	FMOVQ F7, (R9); \
	ADD R13, R7

// func winogradOutputNEON(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)
TEXT ·winogradOutputNEON(SB), NOSPLIT, $0-56
	MOVD dst+0(FP), R0
	MOVD pitch+8(FP), R13
	MOVD src+16(FP), R2
	MOVD plane+24(FP), R1
	MOVD tmp+32(FP), R3
	MOVD tiles+40(FP), R5
	MOVD lines+48(FP), R11
	LSL $6, R11, R12         // bytes of a pixel
	ADD R12<<1, R12, R14     // of three
	LSL $2, R11              // vectors of a tile
	ADD R1<<1, R1, R8
	LSL $1, R8               // six planes: bytes between elements of a column
	MOVD $·winogradTable(SB), R19
	CONSTANT(0, F26)
	CONSTANT(1, F27)
	CONSTANT(2, F28)
	CONSTANT(3, F29)
	CONSTANT(10, F30)
	CONSTANT(11, F31)

tile:
	MOVD R11, R4

loop:
	MOVD R2, R7
	SUMCOLUMN(0)
	SUMCOLUMN(1)
	SUMCOLUMN(2)
	SUMCOLUMN(3)
	SUMCOLUMN(4)
	SUMCOLUMN(5)
	MOVD R0, R7
	SUMROW(0)
	SUMROW(1)
	SUMROW(2)
	SUMROW(3)
	ADD $16, R2
	ADD $16, R0
	SUBS $1, R4
	BNE loop
	ADD R14, R0
	SUBS $1, R5
	BNE tile
	RET
