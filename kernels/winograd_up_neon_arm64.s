//go:build !purego

#include "textflag.h"
#include "asm_neon_arm64.h"

// The transforms of enlarging convolutions; see winograd_up.go. A vector is a
// quarter of a line: 4 channels. Nothing is multiplied but by 1/2, so that
// results are those of winogradUpGeneric, bit for bit.

// LOAD loads pixel i of a tile at offset R6.
#define LOAD(i, f) \
	MOVD (8*i)(R2), R7; \
	ADD R6, R7; \
	FMOVQ (R7), f

// STORE stores f at R7, which it moves to the next plane.
#define STORE(f) \
	FMOVQ f, (R7); \
	ADD R1, R7

// PIXELS multiplies a row, vectors a to a+3, by B and stores it in four
// consecutive planes from R7.
#define PIXELS(a, fa, fc, fd) \
	FADD(a+2, a+1, 12); \
	FSUB(a+2, a, a); \
	FSUB(a+1, a+3, a+3); \
	FSUB(a+1, a+2, a+2); \
	STORE(fa); \
	STORE(F12); \
	STORE(fc); \
	STORE(fd)

// func winogradUpInputNEON(dst unsafe.Pointer, plane int, src *[36]unsafe.Pointer, tmp unsafe.Pointer, lines int)
//
// Rows 1 and 2 of the pixels are in V0 to V3 and V4 to V7.
TEXT ·winogradUpInputNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD plane+8(FP), R1
	MOVD src+16(FP), R2
	MOVD lines+32(FP), R4
	LSL $2, R4
	MOVD ZR, R6

loop:
	LOAD(4, F0)
	LOAD(5, F1)
	LOAD(6, F2)
	LOAD(7, F3)
	LOAD(8, F4)
	LOAD(9, F5)
	LOAD(10, F6)
	LOAD(11, F7)
	LOAD(0, F8)
	LOAD(1, F9)
	LOAD(2, F10)
	LOAD(3, F11)
	ADD R6, R0, R7
	FSUB(4, 8, 8)
	FSUB(5, 9, 9)
	FSUB(6, 10, 10)
	FSUB(7, 11, 11)
	PIXELS(8, F8, F10, F11)
	FADD(4, 0, 8)
	FADD(5, 1, 9)
	FADD(6, 2, 10)
	FADD(7, 3, 11)
	PIXELS(8, F8, F10, F11)
	FSUB(0, 4, 4)
	FSUB(1, 5, 5)
	FSUB(2, 6, 6)
	FSUB(3, 7, 7)
	PIXELS(4, F4, F6, F7)
	MOVD R7, R8
	LOAD(12, F8)
	LOAD(13, F9)
	LOAD(14, F10)
	LOAD(15, F11)
	MOVD R8, R7
	FSUB(0, 8, 8)
	FSUB(1, 9, 9)
	FSUB(2, 10, 10)
	FSUB(3, 11, 11)
	PIXELS(8, F8, F10, F11)
	ADD $16, R6
	SUBS $1, R4
	BNE loop
	RET

// ROW loads four taps of a row. Taps are R8 bytes apart.
#define ROW(row, f0, f1, f2, f3) \
	FMOVQ (row), f0; \
	ADD R8, row, R9; \
	FMOVQ (R9), f1; \
	ADD R8, R9; \
	FMOVQ (R9), f2; \
	ADD R8, R9; \
	FMOVQ (R9), f3

// HALVE halves vectors a to a+3.
#define HALVE(a) \
	FMUL(31, a, a); \
	FMUL(31, a+1, a+1); \
	FMUL(31, a+2, a+2); \
	FMUL(31, a+3, a+3)

// TAPS multiplies a row, vectors a to a+3, by the transpose of G and stores it
// in seven consecutive planes from R7.
#define TAPS(a, fa, fb, fc, fd) \
	FSUB(a+1, a, 16); \
	FADD(a+1, a, 17); \
	FSUB(a+3, a+2, 18); \
	FMUL(31, 16, 16); \
	FMUL(31, 17, 17); \
	FMUL(31, 18, 18); \
	STORE(fa); \
	STORE(F16); \
	STORE(fb); \
	STORE(F17); \
	STORE(fc); \
	STORE(F18); \
	STORE(fd)

// DIFFERENCE stores what two rows of taps, in V0 to V3 and V4 to V7, become:
// themselves and half of their difference.
#define DIFFERENCE \
	FSUB(4, 0, 8); \
	FSUB(5, 1, 9); \
	FSUB(6, 2, 10); \
	FSUB(7, 3, 11); \
	HALVE(8); \
	TAPS(0, F0, F1, F2, F3); \
	TAPS(8, F8, F9, F10, F11); \
	TAPS(4, F4, F5, F6, F7)

// func winogradUpWeightsNEON(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)
TEXT ·winogradUpWeightsNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD plane+8(FP), R1
	MOVD src+16(FP), R2
	MOVD lines+32(FP), R4
	LSL $6, R4, R8           // bytes of a tap
	ADD R8<<2, R2, R10       // row 1
	ADD R8<<3, R2, R11       // row 2
	ADD R8<<3, R10, R12      // row 3
	LSL $2, R4
	FMOVS $(0.5), F31
	VDUP V31.S[0], V31.S4

loop:
	MOVD R0, R7
	ROW(R2, F0, F1, F2, F3)
	ROW(R10, F4, F5, F6, F7)
	DIFFERENCE
	FADD(4, 0, 8)
	FADD(5, 1, 9)
	FADD(6, 2, 10)
	FADD(7, 3, 11)
	HALVE(8)
	TAPS(8, F8, F9, F10, F11)
	ROW(R11, F0, F1, F2, F3)
	ROW(R12, F4, F5, F6, F7)
	DIFFERENCE
	ADD $16, R2
	ADD $16, R10
	ADD $16, R11
	ADD $16, R12
	ADD $16, R0
	SUBS $1, R4
	BNE loop
	RET

// SUMCOLUMN computes the even outputs of a column, or the odd ones, in vectors
// y, y+7 and y+14, from row 3, at R9, and three rows from R7 on, R8 bytes apart.
// Columns are R1 bytes apart.
#define SUMCOLUMN(y) \
	FMOVQ (R9), F21; \
	ADD R8, R7, R10; \
	FMOVQ (R7), F22; \
	FMOVQ (R10), F23; \
	ADD R8, R10; \
	FMOVQ (R10), F24; \
	FADD(23, 21, 25); \
	FSUB(23, 21, y+7); \
	FADD(25, 22, y); \
	FADD(25, 24, y+14); \
	ADD R1, R7; \
	ADD R1, R9

#define SUMCOLUMNS \
	SUMCOLUMN(0); \
	SUMCOLUMN(1); \
	SUMCOLUMN(2); \
	SUMCOLUMN(3); \
	SUMCOLUMN(4); \
	SUMCOLUMN(5); \
	SUMCOLUMN(6)

// PIXEL stores f at R9, which it moves by a pixel of R12 bytes.
#define PIXEL(f) \
	FMOVQ f, (R9); \
	ADD R12, R9

// SUMROW transforms a row, vectors m to m+6, and stores its six outputs at R7.
// Every other row follows, R13 bytes apart.
#define SUMROW(m, f0, f1, f2, f4, f5, f6) \
	FADD(m+1, m+3, 21); \
	FADD(m+5, m+3, 22); \
	FSUB(m+1, m+3, m+1); \
	FSUB(m+5, m+3, m+5); \
	FADD(21, m, m); \
	FADD(21, m+2, m+2); \
	FADD(22, m+4, m+4); \
	FADD(22, m+6, m+6); \
	MOVD R7, R9; \
	PIXEL(f4); \
	PIXEL(f0); \
	PIXEL(f5); \
	PIXEL(f1); \
	PIXEL(f6); \
	PIXEL(f2); \
	ADD R13, R7

#define SUMROWS \
	SUMROW(0, F0, F1, F2, F4, F5, F6); \
	SUMROW(7, F7, F8, F9, F11, F12, F13); \
	SUMROW(14, F14, F15, F16, F18, F19, F20)

// func winogradUpOutputNEON(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)
TEXT ·winogradUpOutputNEON(SB), NOSPLIT, $0-56
	MOVD dst+0(FP), R0
	MOVD pitch+8(FP), R15
	MOVD src+16(FP), R2
	MOVD plane+24(FP), R1
	MOVD tiles+40(FP), R5
	MOVD lines+48(FP), R11
	LSL $6, R11, R12         // bytes of a pixel
	ADD R12<<2, R12, R14     // of five
	LSL $2, R11              // vectors of a tile
	LSL $1, R15, R13
	LSL $3, R1, R8
	SUB R1, R8               // bytes between elements of a column
	ADD R8<<1, R8, R6        // of three

tile:
	MOVD R11, R4

loop:
	MOVD R2, R7
	ADD R6, R2, R9
	SUMCOLUMNS
	ADD R15, R0, R7
	SUMROWS
	ADD R8<<2, R2, R7
	ADD R6, R2, R9
	SUMCOLUMNS
	MOVD R0, R7
	SUMROWS
	ADD $16, R2
	ADD $16, R0
	SUBS $1, R4
	BNE loop
	ADD R14, R0
	SUBS $1, R5
	BNE tile
	RET
