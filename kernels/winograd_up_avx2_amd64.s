//go:build !purego

#include "textflag.h"

// The transforms of enlarging convolutions; see winograd_up.go. A vector is
// half a line: 8 channels. Nothing is multiplied but by 1/2, so that results are
// those of winogradUpGeneric, bit for bit.

// LOAD4 loads four pixels of row y at offset BX.
#define LOAD4(y, y0, y1, y2, y3) \
	MOVQ (32*y)(SI), AX; \
	VMOVUPS (AX)(BX*1), y0; \
	MOVQ (32*y+8)(SI), AX; \
	VMOVUPS (AX)(BX*1), y1; \
	MOVQ (32*y+16)(SI), AX; \
	VMOVUPS (AX)(BX*1), y2; \
	MOVQ (32*y+24)(SI), AX; \
	VMOVUPS (AX)(BX*1), y3

// SUB4 subtracts Y0 to Y3 from y0 to y3.
#define SUB4(y0, y1, y2, y3) \
	VSUBPS Y0, y0, y0; \
	VSUBPS Y1, y1, y1; \
	VSUBPS Y2, y2, y2; \
	VSUBPS Y3, y3, y3

// PIXELS multiplies a row by B and stores it in four consecutive planes from
// R8. R9 is the distance of planes, R10 three times as much.
#define PIXELS(y0, y1, y2, y3) \
	VADDPS y2, y1, Y12; \
	VSUBPS y2, y0, y0; \
	VSUBPS y1, y3, y3; \
	VSUBPS y1, y2, y2; \
	VMOVUPS y0, (R8); \
	VMOVUPS Y12, (R8)(R9*1); \
	VMOVUPS y2, (R8)(R9*2); \
	VMOVUPS y3, (R8)(R10*1); \
	LEAQ (R8)(R9*4), R8

// func winogradUpInputAVX2(dst unsafe.Pointer, plane int, src *[36]unsafe.Pointer, tmp unsafe.Pointer, lines int)
//
// Rows 1 and 2 of the pixels are in Y0 to Y3 and Y4 to Y7.
TEXT ·winogradUpInputAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ plane+8(FP), R9
	MOVQ src+16(FP), SI
	MOVQ lines+32(FP), CX
	ADDQ CX, CX
	LEAQ (R9)(R9*2), R10
	XORQ BX, BX

loop:
	LEAQ (DI)(BX*1), R8
	LOAD4(1, Y0, Y1, Y2, Y3)
	LOAD4(2, Y4, Y5, Y6, Y7)
	LOAD4(0, Y8, Y9, Y10, Y11)
	VSUBPS Y4, Y8, Y8
	VSUBPS Y5, Y9, Y9
	VSUBPS Y6, Y10, Y10
	VSUBPS Y7, Y11, Y11
	PIXELS(Y8, Y9, Y10, Y11)
	VADDPS Y4, Y0, Y8
	VADDPS Y5, Y1, Y9
	VADDPS Y6, Y2, Y10
	VADDPS Y7, Y3, Y11
	PIXELS(Y8, Y9, Y10, Y11)
	SUB4(Y4, Y5, Y6, Y7)
	PIXELS(Y4, Y5, Y6, Y7)
	LOAD4(3, Y8, Y9, Y10, Y11)
	SUB4(Y8, Y9, Y10, Y11)
	PIXELS(Y8, Y9, Y10, Y11)
	ADDQ $32, BX
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// ROW loads four taps of a row. Taps are R8 bytes apart, and R12 is 3*R8.
#define ROW(row, y0, y1, y2, y3) \
	VMOVUPS (row), y0; \
	VMOVUPS (row)(R8*1), y1; \
	VMOVUPS (row)(R8*2), y2; \
	VMOVUPS (row)(R12*1), y3

// HALF computes half of Y0 to Y3, op Y4 to Y7, in Y0 to Y3.
#define HALF(op) \
	op Y4, Y0, Y0; \
	op Y5, Y1, Y1; \
	op Y6, Y2, Y2; \
	op Y7, Y3, Y3; \
	VMULPS Y15, Y0, Y0; \
	VMULPS Y15, Y1, Y1; \
	VMULPS Y15, Y2, Y2; \
	VMULPS Y15, Y3, Y3

// TAPS multiplies Y0 to Y3 by the transpose of G and stores the result in seven
// consecutive planes from AX. R9 is the distance of planes, R10 three and R11
// five times as much.
#define TAPS \
	VSUBPS Y1, Y0, Y12; \
	VADDPS Y1, Y0, Y13; \
	VSUBPS Y3, Y2, Y14; \
	VMULPS Y15, Y12, Y12; \
	VMULPS Y15, Y13, Y13; \
	VMULPS Y15, Y14, Y14; \
	VMOVUPS Y0, (AX); \
	VMOVUPS Y12, (AX)(R9*1); \
	VMOVUPS Y1, (AX)(R9*2); \
	VMOVUPS Y13, (AX)(R10*1); \
	VMOVUPS Y2, (AX)(R9*4); \
	VMOVUPS Y14, (AX)(R11*1); \
	VMOVUPS Y3, (AX)(R10*2); \
	LEAQ (AX)(R10*2), AX; \
	ADDQ R9, AX

// func winogradUpWeightsAVX2(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)
TEXT ·winogradUpWeightsAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ plane+8(FP), R9
	MOVQ src+16(FP), SI
	MOVQ lines+32(FP), CX
	LEAQ (R9)(R9*2), R10
	LEAQ (R9)(R9*4), R11
	MOVQ CX, R8
	SHLQ $6, R8            // bytes of a tap
	LEAQ (R8)(R8*2), R12
	ADDQ CX, CX
	LEAQ (SI)(R8*4), BX    // row 1
	LEAQ (SI)(R8*8), DX    // row 2
	LEAQ (BX)(R8*8), R13   // row 3
	MOVL $0x3f000000, AX
	VMOVD AX, X15
	VBROADCASTSS X15, Y15  // 1/2

loop:
	MOVQ DI, AX
	ROW(SI, Y0, Y1, Y2, Y3)
	TAPS
	ROW(BX, Y4, Y5, Y6, Y7)
	HALF(VSUBPS)
	TAPS
	ROW(BX, Y0, Y1, Y2, Y3)
	TAPS
	ROW(SI, Y4, Y5, Y6, Y7)
	HALF(VADDPS)
	TAPS
	ROW(DX, Y0, Y1, Y2, Y3)
	TAPS
	ROW(R13, Y4, Y5, Y6, Y7)
	HALF(VSUBPS)
	TAPS
	ROW(R13, Y0, Y1, Y2, Y3)
	TAPS
	ADDQ $32, SI
	ADDQ $32, BX
	ADDQ $32, DX
	ADDQ $32, R13
	ADDQ $32, DI
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// FIRST, MIDDLE and LAST compute, in column m, one of the three even outputs, or
// odd ones, from row 3, at BX, and three rows from AX on, R8 bytes apart. Columns
// are R9 bytes apart.
#define FIRST(m) \
	VMOVUPS (BX), m; \
	VADDPS (AX)(R8*1), m, m; \
	VADDPS (AX), m, m; \
	ADDQ R9, AX; \
	ADDQ R9, BX

#define MIDDLE(m) \
	VMOVUPS (BX), m; \
	VSUBPS (AX)(R8*1), m, m; \
	ADDQ R9, AX; \
	ADDQ R9, BX

#define LAST(m) \
	VMOVUPS (BX), m; \
	VADDPS (AX)(R8*1), m, m; \
	VADDPS (AX)(R8*2), m, m; \
	ADDQ R9, AX; \
	ADDQ R9, BX

// SUMROW computes a row of column's outputs, where the three rows begin at R11,
// transforms it and stores its six outputs at R14, R12 bytes apart. R13 and R10
// are three and five times as much. Every other row follows.
#define SUMROW(column) \
	MOVQ R11, AX; \
	LEAQ (SI)(R8*2), BX; \
	ADDQ R8, BX; \
	column(Y0); \
	column(Y1); \
	column(Y2); \
	column(Y3); \
	column(Y4); \
	column(Y5); \
	column(Y6); \
	VADDPS Y1, Y3, Y7; \
	VADDPS Y5, Y3, Y8; \
	VSUBPS Y1, Y3, Y1; \
	VSUBPS Y5, Y3, Y5; \
	VADDPS Y7, Y0, Y0; \
	VADDPS Y7, Y2, Y2; \
	VADDPS Y8, Y4, Y4; \
	VADDPS Y8, Y6, Y6; \
	VMOVUPS Y4, (R14); \
	VMOVUPS Y0, (R14)(R12*1); \
	VMOVUPS Y5, (R14)(R12*2); \
	VMOVUPS Y1, (R14)(R13*1); \
	VMOVUPS Y6, (R14)(R12*4); \
	VMOVUPS Y2, (R14)(R10*1); \
	LEAQ (R14)(R15*2), R14

// func winogradUpOutputAVX2(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)
TEXT ·winogradUpOutputAVX2(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ pitch+8(FP), R15
	MOVQ src+16(FP), SI
	MOVQ plane+24(FP), R9
	MOVQ tiles+40(FP), DX
	MOVQ lines+48(FP), R12
	SHLQ $6, R12
	LEAQ (R12)(R12*2), R13
	LEAQ (R12)(R12*4), R10
	IMUL3Q $7, R9, R8      // bytes between elements of a column

tile:
	MOVQ lines+48(FP), CX
	ADDQ CX, CX            // vectors

loop:
	MOVQ SI, R11
	LEAQ (DI)(R15*1), R14
	SUMROW(FIRST)
	SUMROW(MIDDLE)
	SUMROW(LAST)
	LEAQ (SI)(R8*4), R11
	MOVQ DI, R14
	SUMROW(FIRST)
	SUMROW(MIDDLE)
	SUMROW(LAST)
	ADDQ $32, SI
	ADDQ $32, DI
	DECQ CX
	JNZ loop
	ADDQ R10, DI
	DECQ DX
	JNZ tile
	VZEROUPPER
	RET
