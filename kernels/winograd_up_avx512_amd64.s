//go:build !purego

#include "textflag.h"

// The transforms of enlarging convolutions; see winograd_up.go. A vector is a
// line of 16 channels. Nothing is multiplied but by 1/2, so that results are
// those of winogradUpGeneric, bit for bit.

// LOAD4 loads four pixels of row y at offset BX.
#define LOAD4(y, z0, z1, z2, z3) \
	MOVQ (32*y)(SI), AX; \
	VMOVUPS (AX)(BX*1), z0; \
	MOVQ (32*y+8)(SI), AX; \
	VMOVUPS (AX)(BX*1), z1; \
	MOVQ (32*y+16)(SI), AX; \
	VMOVUPS (AX)(BX*1), z2; \
	MOVQ (32*y+24)(SI), AX; \
	VMOVUPS (AX)(BX*1), z3

// SUB4 subtracts Z0 to Z3 from z0 to z3.
#define SUB4(z0, z1, z2, z3) \
	VSUBPS Z0, z0, z0; \
	VSUBPS Z1, z1, z1; \
	VSUBPS Z2, z2, z2; \
	VSUBPS Z3, z3, z3

// PIXELS multiplies a row by B and stores it in four consecutive planes from
// R8. R9 is the distance of planes, R10 three times as much.
#define PIXELS(z0, z1, z2, z3) \
	VADDPS z2, z1, Z12; \
	VSUBPS z2, z0, z0; \
	VSUBPS z1, z3, z3; \
	VSUBPS z1, z2, z2; \
	VMOVUPS z0, (R8); \
	VMOVUPS Z12, (R8)(R9*1); \
	VMOVUPS z2, (R8)(R9*2); \
	VMOVUPS z3, (R8)(R10*1); \
	LEAQ (R8)(R9*4), R8

// func winogradUpInputAVX512(dst unsafe.Pointer, plane int, src *[36]unsafe.Pointer, tmp unsafe.Pointer, lines int)
//
// Rows 1 and 2 of the pixels are in Z0 to Z3 and Z4 to Z7.
TEXT ·winogradUpInputAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ plane+8(FP), R9
	MOVQ src+16(FP), SI
	MOVQ lines+32(FP), CX
	LEAQ (R9)(R9*2), R10
	XORQ BX, BX

loop:
	LEAQ (DI)(BX*1), R8
	LOAD4(1, Z0, Z1, Z2, Z3)
	LOAD4(2, Z4, Z5, Z6, Z7)
	LOAD4(0, Z8, Z9, Z10, Z11)
	VSUBPS Z4, Z8, Z8
	VSUBPS Z5, Z9, Z9
	VSUBPS Z6, Z10, Z10
	VSUBPS Z7, Z11, Z11
	PIXELS(Z8, Z9, Z10, Z11)
	VADDPS Z4, Z0, Z8
	VADDPS Z5, Z1, Z9
	VADDPS Z6, Z2, Z10
	VADDPS Z7, Z3, Z11
	PIXELS(Z8, Z9, Z10, Z11)
	SUB4(Z4, Z5, Z6, Z7)
	PIXELS(Z4, Z5, Z6, Z7)
	LOAD4(3, Z8, Z9, Z10, Z11)
	SUB4(Z8, Z9, Z10, Z11)
	PIXELS(Z8, Z9, Z10, Z11)
	ADDQ $64, BX
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// ROW loads four taps of a row. Taps are R8 bytes apart, and R12 is 3*R8.
#define ROW(row, z0, z1, z2, z3) \
	VMOVUPS (row), z0; \
	VMOVUPS (row)(R8*1), z1; \
	VMOVUPS (row)(R8*2), z2; \
	VMOVUPS (row)(R12*1), z3

// HALF computes half of Z0 to Z3, op Z4 to Z7, in Z0 to Z3.
#define HALF(op) \
	op Z4, Z0, Z0; \
	op Z5, Z1, Z1; \
	op Z6, Z2, Z2; \
	op Z7, Z3, Z3; \
	VMULPS Z15, Z0, Z0; \
	VMULPS Z15, Z1, Z1; \
	VMULPS Z15, Z2, Z2; \
	VMULPS Z15, Z3, Z3

// TAPS multiplies Z0 to Z3 by the transpose of G and stores the result in seven
// consecutive planes from AX. R9 is the distance of planes, R10 three and R11
// five times as much.
#define TAPS \
	VSUBPS Z1, Z0, Z12; \
	VADDPS Z1, Z0, Z13; \
	VSUBPS Z3, Z2, Z14; \
	VMULPS Z15, Z12, Z12; \
	VMULPS Z15, Z13, Z13; \
	VMULPS Z15, Z14, Z14; \
	VMOVUPS Z0, (AX); \
	VMOVUPS Z12, (AX)(R9*1); \
	VMOVUPS Z1, (AX)(R9*2); \
	VMOVUPS Z13, (AX)(R10*1); \
	VMOVUPS Z2, (AX)(R9*4); \
	VMOVUPS Z14, (AX)(R11*1); \
	VMOVUPS Z3, (AX)(R10*2); \
	LEAQ (AX)(R10*2), AX; \
	ADDQ R9, AX

// func winogradUpWeightsAVX512(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)
TEXT ·winogradUpWeightsAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ plane+8(FP), R9
	MOVQ src+16(FP), SI
	MOVQ lines+32(FP), CX
	LEAQ (R9)(R9*2), R10
	LEAQ (R9)(R9*4), R11
	MOVQ CX, R8
	SHLQ $6, R8            // bytes of a tap
	LEAQ (R8)(R8*2), R12
	LEAQ (SI)(R8*4), BX    // row 1
	LEAQ (SI)(R8*8), DX    // row 2
	LEAQ (BX)(R8*8), R13   // row 3
	MOVL $0x3f000000, AX
	VMOVD AX, X15
	VBROADCASTSS X15, Z15  // 1/2

loop:
	MOVQ DI, AX
	ROW(SI, Z0, Z1, Z2, Z3)
	TAPS
	ROW(BX, Z4, Z5, Z6, Z7)
	HALF(VSUBPS)
	TAPS
	ROW(BX, Z0, Z1, Z2, Z3)
	TAPS
	ROW(SI, Z4, Z5, Z6, Z7)
	HALF(VADDPS)
	TAPS
	ROW(DX, Z0, Z1, Z2, Z3)
	TAPS
	ROW(R13, Z4, Z5, Z6, Z7)
	HALF(VSUBPS)
	TAPS
	ROW(R13, Z0, Z1, Z2, Z3)
	TAPS
	ADDQ $64, SI
	ADDQ $64, BX
	ADDQ $64, DX
	ADDQ $64, R13
	ADDQ $64, DI
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// SUMCOLUMN computes the even outputs of a column, or the odd ones, from row 3,
// at BX, and three rows from AX on, R8 bytes apart. Columns are R9 bytes apart.
#define SUMCOLUMN(y0, y1, y2) \
	VMOVUPS (BX), Z22; \
	VMOVUPS (AX)(R8*1), Z23; \
	VADDPS Z23, Z22, Z24; \
	VSUBPS Z23, Z22, y1; \
	VADDPS (AX), Z24, y0; \
	VADDPS (AX)(R8*2), Z24, y2; \
	ADDQ R9, AX; \
	ADDQ R9, BX

#define SUMCOLUMNS \
	SUMCOLUMN(Z0, Z7, Z14); \
	SUMCOLUMN(Z1, Z8, Z15); \
	SUMCOLUMN(Z2, Z9, Z16); \
	SUMCOLUMN(Z3, Z10, Z17); \
	SUMCOLUMN(Z4, Z11, Z18); \
	SUMCOLUMN(Z5, Z12, Z19); \
	SUMCOLUMN(Z6, Z13, Z20)

// SUMROW transforms a row and stores its six outputs at AX, R12 bytes apart. R13
// and R10 are three and five times as much. Every other row follows.
#define SUMROW(m0, m1, m2, m3, m4, m5, m6) \
	VADDPS m1, m3, Z22; \
	VADDPS m5, m3, Z23; \
	VSUBPS m1, m3, m1; \
	VSUBPS m5, m3, m5; \
	VADDPS Z22, m0, m0; \
	VADDPS Z22, m2, m2; \
	VADDPS Z23, m4, m4; \
	VADDPS Z23, m6, m6; \
	VMOVUPS m4, (AX); \
	VMOVUPS m0, (AX)(R12*1); \
	VMOVUPS m5, (AX)(R12*2); \
	VMOVUPS m1, (AX)(R13*1); \
	VMOVUPS m6, (AX)(R12*4); \
	VMOVUPS m2, (AX)(R10*1); \
	LEAQ (AX)(R15*2), AX

#define SUMROWS \
	SUMROW(Z0, Z1, Z2, Z3, Z4, Z5, Z6); \
	SUMROW(Z7, Z8, Z9, Z10, Z11, Z12, Z13); \
	SUMROW(Z14, Z15, Z16, Z17, Z18, Z19, Z20)

// func winogradUpOutputAVX512(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)
TEXT ·winogradUpOutputAVX512(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ pitch+8(FP), R15
	MOVQ src+16(FP), SI
	MOVQ plane+24(FP), R9
	MOVQ tiles+40(FP), DX
	MOVQ lines+48(FP), R12
	MOVQ R12, R11          // lines of a tile
	SHLQ $6, R12
	LEAQ (R12)(R12*2), R13
	LEAQ (R12)(R12*4), R10
	IMUL3Q $7, R9, R8      // bytes between elements of a column

tile:
	MOVQ R11, CX

loop:
	MOVQ SI, AX
	LEAQ (SI)(R8*2), BX
	ADDQ R8, BX
	SUMCOLUMNS
	LEAQ (DI)(R15*1), AX
	SUMROWS
	LEAQ (SI)(R8*2), BX
	ADDQ R8, BX
	LEAQ (SI)(R8*4), AX
	SUMCOLUMNS
	MOVQ DI, AX
	SUMROWS
	ADDQ $64, SI
	ADDQ $64, DI
	DECQ CX
	JNZ loop
	ADDQ R10, DI
	DECQ DX
	JNZ tile
	VZEROUPPER
	RET
