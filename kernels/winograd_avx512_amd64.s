//go:build !purego

#include "textflag.h"

// The transforms of F(4x4,3x3); see winograd.go. A vector is a line of 16
// channels. Constants are the first elements of the rows of winogradTable.
#define C(i) ·winogradTable+32*i(SB)

// PIXELS multiplies Z0 to Z5 by Bᵀ. Z26 to Z30 are 2.5, 2, 0.5, a and b.
#define PIXELS \
	VADDPS Z4, Z0, Z0; \
	VADDPS Z1, Z5, Z5; \
	VMOVAPS Z4, Z6; \
	VMOVAPS Z3, Z7; \
	VFNMADD231PS Z26, Z2, Z0; \
	VFNMADD231PS Z26, Z3, Z5; \
	VFNMADD231PS Z27, Z2, Z6; \
	VFNMADD231PS Z27, Z1, Z7; \
	VFNMADD231PS Z28, Z2, Z4; \
	VFNMADD231PS Z28, Z1, Z3; \
	VMOVAPS Z6, Z1; \
	VMOVAPS Z6, Z2; \
	VMOVAPS Z4, Z6; \
	VFMADD231PS Z29, Z7, Z1; \
	VFNMADD231PS Z29, Z7, Z2; \
	VFNMADD231PS Z30, Z3, Z4; \
	VFMADD213PS Z6, Z30, Z3

// LOAD loads pixel (y,x) at offset BX.
#define LOAD(y, x, z) \
	MOVQ ((6*y+x)*8)(SI), AX; \
	VMOVUPS (AX)(BX*1), z

// COLUMN transforms column x of the pixels into that of tmp.
#define COLUMN(x) \
	LOAD(0, x, Z0); \
	LOAD(1, x, Z1); \
	LOAD(2, x, Z2); \
	LOAD(3, x, Z3); \
	LOAD(4, x, Z4); \
	LOAD(5, x, Z5); \
	PIXELS; \
	VMOVUPS Z0, (64*x)(DX); \
	VMOVUPS Z1, (64*x+384)(DX); \
	VMOVUPS Z2, (64*x+768)(DX); \
	VMOVUPS Z3, (64*x+1152)(DX); \
	VMOVUPS Z4, (64*x+1536)(DX); \
	VMOVUPS Z5, (64*x+1920)(DX)

// STORE6 stores Z0 to Z5 in six consecutive planes from AX. R9 is the distance
// of planes, R10 three and R11 five times as much.
#define STORE6 \
	VMOVUPS Z0, (AX); \
	VMOVUPS Z1, (AX)(R9*1); \
	VMOVUPS Z2, (AX)(R9*2); \
	VMOVUPS Z3, (AX)(R10*1); \
	VMOVUPS Z4, (AX)(R9*4); \
	VMOVUPS Z5, (AX)(R11*1); \
	LEAQ (AX)(R10*2), AX

#define ROW(i) \
	VMOVUPS (384*i)(DX), Z0; \
	VMOVUPS (384*i+64)(DX), Z1; \
	VMOVUPS (384*i+128)(DX), Z2; \
	VMOVUPS (384*i+192)(DX), Z3; \
	VMOVUPS (384*i+256)(DX), Z4; \
	VMOVUPS (384*i+320)(DX), Z5; \
	PIXELS; \
	STORE6

// func winogradInputAVX512(dst unsafe.Pointer, plane int, src *[36]unsafe.Pointer, tmp unsafe.Pointer, lines int)
TEXT ·winogradInputAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ plane+8(FP), R9
	MOVQ src+16(FP), SI
	MOVQ tmp+24(FP), DX
	MOVQ lines+32(FP), CX
	LEAQ (R9)(R9*2), R10
	LEAQ (R9)(R9*4), R11
	VBROADCASTSS C(4), Z26
	VBROADCASTSS C(1), Z27
	VBROADCASTSS C(0), Z28
	VBROADCASTSS C(2), Z29
	VBROADCASTSS C(3), Z30
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
	ADDQ $64, BX
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// TAPS multiplies g0, g1 and g2 by G, into the same g0 and g2, and u1 to u4.
// Z26 to Z30 are -1/3, 1/6, 1/3, -2/3 a and b/6.
#define TAPS(g0, g1, g2, u1, u2, u3, u4) \
	VADDPS g0, g0, u2; \
	VMULPS Z27, g0, u4; \
	VADDPS g2, u2, u2; \
	VFMADD231PS Z28, g2, u4; \
	VMULPS Z26, u2, u2; \
	VMOVAPS u4, u3; \
	VMOVAPS u2, u1; \
	VFMADD231PS Z29, g1, u1; \
	VFNMADD231PS Z29, g1, u2; \
	VFMADD231PS Z30, g1, u3; \
	VFNMADD231PS Z30, g1, u4

// TAPROW transforms row i, whose three taps are u0, u1 and u2, and stores it.
#define TAPROW(u0, u1, u2) \
	VMOVAPS u0, Z0; \
	VMOVAPS u2, Z5; \
	TAPS(Z0, u1, Z5, Z1, Z2, Z3, Z4); \
	STORE6

// func winogradWeightsAVX512(dst unsafe.Pointer, plane int, src, tmp unsafe.Pointer, lines int)
//
// The columns are transformed into Z6 to Z11, Z12 to Z17 and Z18 to Z23. Rows 0
// and 5 of the result are taps themselves.
TEXT ·winogradWeightsAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ plane+8(FP), R9
	MOVQ src+16(FP), SI
	MOVQ lines+32(FP), CX
	LEAQ (R9)(R9*2), R10
	LEAQ (R9)(R9*4), R11
	MOVQ CX, R8
	SHLQ $6, R8            // bytes of a tap
	LEAQ (R8)(R8*2), R12   // and of a row of them
	VBROADCASTSS C(5), Z26
	VBROADCASTSS C(6), Z27
	VBROADCASTSS C(7), Z28
	VBROADCASTSS C(8), Z29
	VBROADCASTSS C(9), Z30

loop:
	LEAQ (SI)(R12*1), BX
	LEAQ (BX)(R12*1), DX
	VMOVUPS (SI), Z6
	VMOVUPS (BX), Z0
	VMOVUPS (DX), Z11
	TAPS(Z6, Z0, Z11, Z7, Z8, Z9, Z10)
	VMOVUPS (SI)(R8*1), Z12
	VMOVUPS (BX)(R8*1), Z0
	VMOVUPS (DX)(R8*1), Z17
	TAPS(Z12, Z0, Z17, Z13, Z14, Z15, Z16)
	VMOVUPS (SI)(R8*2), Z18
	VMOVUPS (BX)(R8*2), Z0
	VMOVUPS (DX)(R8*2), Z23
	TAPS(Z18, Z0, Z23, Z19, Z20, Z21, Z22)
	MOVQ DI, AX
	TAPROW(Z6, Z12, Z18)
	TAPROW(Z7, Z13, Z19)
	TAPROW(Z8, Z14, Z20)
	TAPROW(Z9, Z15, Z21)
	TAPROW(Z10, Z16, Z22)
	TAPROW(Z11, Z17, Z23)
	ADDQ $64, SI
	ADDQ $64, DI
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// SUMS multiplies six vectors by Aᵀ, into y0 to y3. Elements 1 and 3 are in Z26
// and Z28, a and b in Z30 and Z31. Z24 to Z28 are clobbered.
#define SUMS(m0, m2, m4, m5, y0, y1, y2, y3) \
	VADDPS m2, Z26, Z24; \
	VSUBPS m2, Z26, Z26; \
	VADDPS m4, Z28, Z25; \
	VSUBPS m4, Z28, Z28; \
	VMULPS.BCST C(0), Z24, y2; \
	VFMADD231PS.BCST C(1), Z25, y2; \
	VADDPS m0, Z24, y0; \
	VADDPS Z25, y0, y0; \
	VMULPS Z30, Z26, y1; \
	VFMADD231PS Z31, Z28, y1; \
	VMOVUPS m5, y3; \
	VFMADD231PS.BCST C(10), Z26, y3; \
	VFMADD231PS.BCST C(11), Z28, y3

// SUMCOLUMN transforms column x, whose element 0 is at AX, into y0 to y3.
#define SUMCOLUMN(y0, y1, y2, y3) \
	LEAQ (AX)(R8*2), BX; \
	VMOVUPS (AX)(R8*1), Z26; \
	VMOVUPS (BX)(R8*1), Z28; \
	SUMS((AX), (BX), (AX)(R8*4), (BX)(R10*1), y0, y1, y2, y3); \
	ADDQ R9, AX

// SUMROW transforms a row and stores its four pixels at BX. Pixels are R12
// bytes apart, and R13 is 3*R12.
#define SUMROW(m0, m1, m2, m3, m4, m5) \
	VMOVAPS m1, Z26; \
	VMOVAPS m3, Z28; \
	SUMS(m0, m2, m4, m5, Z24, Z27, Z29, m5); \
	VMOVUPS Z24, (BX); \
	VMOVUPS Z27, (BX)(R12*1); \
	VMOVUPS Z29, (BX)(R12*2); \
	VMOVUPS m5, (BX)(R13*1); \
	ADDQ R15, BX

// func winogradOutputAVX512(dst unsafe.Pointer, pitch int, src unsafe.Pointer, plane int, tmp unsafe.Pointer, tiles, lines int)
TEXT ·winogradOutputAVX512(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ pitch+8(FP), R15
	MOVQ src+16(FP), SI
	MOVQ plane+24(FP), R9
	MOVQ tiles+40(FP), DX
	MOVQ lines+48(FP), R12
	MOVQ R12, R11          // lines of a tile
	SHLQ $6, R12
	LEAQ (R12)(R12*2), R13
	LEAQ (R9)(R9*2), R8
	SHLQ $1, R8            // six planes: bytes between elements of a column
	LEAQ (R8)(R8*2), R10
	VBROADCASTSS C(2), Z30
	VBROADCASTSS C(3), Z31

tile:
	MOVQ R11, CX

loop:
	MOVQ SI, AX
	SUMCOLUMN(Z0, Z6, Z12, Z18)
	SUMCOLUMN(Z1, Z7, Z13, Z19)
	SUMCOLUMN(Z2, Z8, Z14, Z20)
	SUMCOLUMN(Z3, Z9, Z15, Z21)
	SUMCOLUMN(Z4, Z10, Z16, Z22)
	SUMCOLUMN(Z5, Z11, Z17, Z23)
	MOVQ DI, BX
	SUMROW(Z0, Z1, Z2, Z3, Z4, Z5)
	SUMROW(Z6, Z7, Z8, Z9, Z10, Z11)
	SUMROW(Z12, Z13, Z14, Z15, Z16, Z17)
	SUMROW(Z18, Z19, Z20, Z21, Z22, Z23)
	ADDQ $64, SI
	ADDQ $64, DI
	DECQ CX
	JNZ loop
	ADDQ R13, DI
	DECQ DX
	JNZ tile
	VZEROUPPER
	RET
