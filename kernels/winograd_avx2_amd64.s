//go:build !purego

#include "textflag.h"

// The transforms of F(4x4,3x3); see winograd.go. A vector is half a line: 8
// channels. What the first pass of a transform leaves is in tmp, in vectors.
// Constants are vectors of winogradTable.
#define C(i) ·winogradTable+32*i(SB)

// PIXELS multiplies Y0 to Y5 by Bᵀ. Y11 to Y15 are 2.5, 2, 0.5, a and b.
#define PIXELS \
	VADDPS Y4, Y0, Y0; \
	VADDPS Y1, Y5, Y5; \
	VMOVAPS Y4, Y6; \
	VMOVAPS Y3, Y7; \
	VFNMADD231PS Y11, Y2, Y0; \
	VFNMADD231PS Y11, Y3, Y5; \
	VFNMADD231PS Y12, Y2, Y6; \
	VFNMADD231PS Y12, Y1, Y7; \
	VFNMADD231PS Y13, Y2, Y4; \
	VFNMADD231PS Y13, Y1, Y3; \
	VMOVAPS Y6, Y1; \
	VMOVAPS Y6, Y2; \
	VMOVAPS Y4, Y6; \
	VFMADD231PS Y14, Y7, Y1; \
	VFNMADD231PS Y14, Y7, Y2; \
	VFNMADD231PS Y15, Y3, Y4; \
	VFMADD213PS Y6, Y15, Y3

// LOAD loads pixel (y,x) at offset BX.
#define LOAD(y, x, r) \
	MOVQ ((6*y+x)*8)(SI), AX; \
	VMOVUPS (AX)(BX*1), r

// COLUMN transforms column x of the pixels into that of tmp.
#define COLUMN(x) \
	LOAD(0, x, Y0); \
	LOAD(1, x, Y1); \
	LOAD(2, x, Y2); \
	LOAD(3, x, Y3); \
	LOAD(4, x, Y4); \
	LOAD(5, x, Y5); \
	PIXELS; \
	VMOVUPS Y0, (32*x)(DX); \
	VMOVUPS Y1, (32*x+192)(DX); \
	VMOVUPS Y2, (32*x+384)(DX); \
	VMOVUPS Y3, (32*x+576)(DX); \
	VMOVUPS Y4, (32*x+768)(DX); \
	VMOVUPS Y5, (32*x+960)(DX)

// STORE6 stores Y0 to Y5 in six consecutive planes from AX. R9 is the distance
// of planes, R10 three and R11 five times as much.
#define STORE6 \
	VMOVUPS Y0, (AX); \
	VMOVUPS Y1, (AX)(R9*1); \
	VMOVUPS Y2, (AX)(R9*2); \
	VMOVUPS Y3, (AX)(R10*1); \
	VMOVUPS Y4, (AX)(R9*4); \
	VMOVUPS Y5, (AX)(R11*1); \
	LEAQ (AX)(R10*2), AX

#define ROW(i) \
	VMOVUPS (192*i)(DX), Y0; \
	VMOVUPS (192*i+32)(DX), Y1; \
	VMOVUPS (192*i+64)(DX), Y2; \
	VMOVUPS (192*i+96)(DX), Y3; \
	VMOVUPS (192*i+128)(DX), Y4; \
	VMOVUPS (192*i+160)(DX), Y5; \
	PIXELS; \
	STORE6

// func winogradInputAVX2(dst unsafe.Pointer, plane int, src *[36]unsafe.Pointer, tmp unsafe.Pointer, lines int)
TEXT ·winogradInputAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ plane+8(FP), R9
	MOVQ src+16(FP), SI
	MOVQ tmp+24(FP), DX
	MOVQ lines+32(FP), CX
	ADDQ CX, CX
	LEAQ (R9)(R9*2), R10
	LEAQ (R9)(R9*4), R11
	VMOVUPS C(4), Y11
	VMOVUPS C(1), Y12
	VMOVUPS C(0), Y13
	VMOVUPS C(2), Y14
	VMOVUPS C(3), Y15
	XORQ BX, BX

loop:
	COLUMN(0)
	COLUMN(1)
	COLUMN(2)
	COLUMN(3)
	COLUMN(4)
	COLUMN(5)
	LEAQ (DI)(BX*1), AX
	ROW(0)
	ROW(1)
	ROW(2)
	ROW(3)
	ROW(4)
	ROW(5)
	ADDQ $32, BX
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// TAPS multiplies Y0, Y6 and Y5 by G, into Y0 to Y5. Y11 to Y15 are -1/3, 1/6,
// 1/3, -2/3 a and b/6.
#define TAPS \
	VADDPS Y0, Y0, Y2; \
	VMULPS Y12, Y0, Y4; \
	VADDPS Y5, Y2, Y2; \
	VFMADD231PS Y13, Y5, Y4; \
	VMULPS Y11, Y2, Y2; \
	VMOVAPS Y4, Y3; \
	VMOVAPS Y2, Y1; \
	VFMADD231PS Y14, Y6, Y1; \
	VFNMADD231PS Y14, Y6, Y2; \
	VFMADD231PS Y15, Y6, Y3; \
	VFNMADD231PS Y15, Y6, Y4

// TAPCOLUMN transforms the taps of column x, the first of which is at AX, into
// that of tmp.
#define TAPCOLUMN(x) \
	VMOVUPS (AX), Y0; \
	VMOVUPS (AX)(R12*1), Y6; \
	VMOVUPS (AX)(R12*2), Y5; \
	TAPS; \
	VMOVUPS Y0, (32*x)(DX); \
	VMOVUPS Y1, (32*x+96)(DX); \
	VMOVUPS Y2, (32*x+192)(DX); \
	VMOVUPS Y3, (32*x+288)(DX); \
	VMOVUPS Y4, (32*x+384)(DX); \
	VMOVUPS Y5, (32*x+480)(DX); \
	ADDQ R8, AX

#define TAPROW(i) \
	VMOVUPS (96*i)(DX), Y0; \
	VMOVUPS (96*i+32)(DX), Y6; \
	VMOVUPS (96*i+64)(DX), Y5; \
	TAPS; \
	STORE6

// func winogradWeightsAVX2(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)
TEXT ·winogradWeightsAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ plane+8(FP), R9
	MOVQ src+16(FP), SI
	MOVQ tmp+24(FP), DX
	MOVQ lines+32(FP), CX
	LEAQ (R9)(R9*2), R10
	LEAQ (R9)(R9*4), R11
	MOVQ CX, R8
	SHLQ $6, R8            // bytes of a tap
	LEAQ (R8)(R8*2), R12   // and of a row of them
	ADDQ CX, CX
	VMOVUPS C(5), Y11
	VMOVUPS C(6), Y12
	VMOVUPS C(7), Y13
	VMOVUPS C(8), Y14
	VMOVUPS C(9), Y15

loop:
	MOVQ SI, AX
	TAPCOLUMN(0)
	TAPCOLUMN(1)
	TAPCOLUMN(2)
	MOVQ DI, AX
	TAPROW(0)
	TAPROW(1)
	TAPROW(2)
	TAPROW(3)
	TAPROW(4)
	TAPROW(5)
	ADDQ $32, SI
	ADDQ $32, DI
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// SUMS multiplies six vectors by Aᵀ, into Y4 to Y7. Y10 to Y15 are 0.5, 2, a,
// b, a/2 and 2b.
#define SUMS(m0, m1, m2, m3, m4, m5) \
	VMOVUPS m1, Y1; \
	VMOVUPS m3, Y3; \
	VADDPS m2, Y1, Y0; \
	VSUBPS m2, Y1, Y1; \
	VADDPS m4, Y3, Y2; \
	VSUBPS m4, Y3, Y3; \
	VMOVUPS m5, Y7; \
	VADDPS m0, Y0, Y4; \
	VMULPS Y12, Y1, Y5; \
	VMULPS Y10, Y0, Y6; \
	VFMADD231PS Y14, Y1, Y7; \
	VADDPS Y2, Y4, Y4; \
	VFMADD231PS Y13, Y3, Y5; \
	VFMADD231PS Y11, Y2, Y6; \
	VFMADD231PS Y15, Y3, Y7

// SUMCOLUMN transforms column x, whose element 0 is at AX, into that of tmp.
#define SUMCOLUMN(x) \
	LEAQ (AX)(R8*2), BX; \
	SUMS((AX), (AX)(R8*1), (BX), (BX)(R8*1), (AX)(R8*4), (BX)(R10*1)); \
	VMOVUPS Y4, (32*x)(R14); \
	VMOVUPS Y5, (32*x+192)(R14); \
	VMOVUPS Y6, (32*x+384)(R14); \
	VMOVUPS Y7, (32*x+576)(R14); \
	ADDQ R9, AX

// SUMROW transforms row y and stores its four pixels at BX. Pixels are R12
// bytes apart, and R13 is 3*R12.
#define SUMROW(y) \
	SUMS((192*y)(R14), (192*y+32)(R14), (192*y+64)(R14), (192*y+96)(R14), (192*y+128)(R14), (192*y+160)(R14)); \
	VMOVUPS Y4, (BX); \
	VMOVUPS Y5, (BX)(R12*1); \
	VMOVUPS Y6, (BX)(R12*2); \
	VMOVUPS Y7, (BX)(R13*1); \
	ADDQ R15, BX

// func winogradOutputAVX2(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)
TEXT ·winogradOutputAVX2(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ pitch+8(FP), R15
	MOVQ src+16(FP), SI
	MOVQ plane+24(FP), R9
	MOVQ tmp+32(FP), R14
	MOVQ tiles+40(FP), DX
	MOVQ lines+48(FP), R12
	LEAQ (R12)(R12*1), R11 // vectors of a tile
	SHLQ $6, R12
	LEAQ (R12)(R12*2), R13
	LEAQ (R9)(R9*2), R8
	SHLQ $1, R8            // six planes: bytes between elements of a column
	LEAQ (R8)(R8*2), R10
	VMOVUPS C(0), Y10
	VMOVUPS C(1), Y11
	VMOVUPS C(2), Y12
	VMOVUPS C(3), Y13
	VMOVUPS C(10), Y14
	VMOVUPS C(11), Y15

tile:
	MOVQ R11, CX

loop:
	MOVQ SI, AX
	SUMCOLUMN(0)
	SUMCOLUMN(1)
	SUMCOLUMN(2)
	SUMCOLUMN(3)
	SUMCOLUMN(4)
	SUMCOLUMN(5)
	MOVQ DI, BX
	SUMROW(0)
	SUMROW(1)
	SUMROW(2)
	SUMROW(3)
	ADDQ $32, SI
	ADDQ $32, DI
	DECQ CX
	JNZ loop
	ADDQ R13, DI
	DECQ DX
	JNZ tile
	VZEROUPPER
	RET
