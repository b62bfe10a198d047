//go:build !purego

#include "textflag.h"
#include "avx512_amd64.h"

// GELU(x) = x Phi(x) = max(x,0) - h(|x|), h(a) = a Phi(-a): one function for
// both signs, without cancellation where GELU goes to zero.
//
// Phi(-a) = exp(-a^2/2) R(a), and R(a) = erfcx(a/sqrt 2)/2 falls from 1/2 like
// 1/(a sqrt(2 pi)). With t = 1/(1+0.35a) it is t S(t), and S is smooth on the
// whole of (0,1]. Its polynomial of degree 8 minimises the largest relative
// error of R on 0 <= a <= 14 (Remez, coefficients rounded one after another):
// 2^-24.8. The factor 0.35 is the best of 0.2 to 0.5 at that degree: 0.3 and
// 0.4 give 2^-23.4 and 2^-22.4.
//
// Beyond 14.5, exp(-a^2/2) is 0 in float32 and a stays 14.5: infinities come out
// right.
// The exponent -a^2/2 log2(e) is rounded to float32, so that GELU's relative
// error on the left grows as a^2 2^-24.
DATA gelu<>+0(SB)/4, $0xbf38aa3b  // -log2(e)/2
DATA gelu<>+4(SB)/4, $14.5
DATA gelu<>+8(SB)/4, $0.35
DATA gelu<>+12(SB)/4, $0x3e0ef8ea // 0.13962141
DATA gelu<>+16(SB)/4, $0x3e0f37ec // 0.13986176
DATA gelu<>+20(SB)/4, $0x3df56b6a // 0.11983378
DATA gelu<>+24(SB)/4, $0x3dd81256 // 0.10550372
DATA gelu<>+28(SB)/4, $0xbcbd3828 // -0.023098066
DATA gelu<>+32(SB)/4, $0x3e22f96a // 0.15915456
DATA gelu<>+36(SB)/4, $0xbe82ea6e // -0.25569481
DATA gelu<>+40(SB)/4, $0x3e136a8c // 0.14396113
DATA gelu<>+44(SB)/4, $0xbceebe60 // -0.029143512
DATA gelu<>+48(SB)/4, $0x7fffffff // all but the sign
GLOBL gelu<>(SB), RODATA|NOPTR, $52

EXP2_TABLE

#define GELU_CONSTANTS \
	EXP2_CONSTANTS; \
	VBROADCASTSS gelu<>+0(SB), Z13; \
	VBROADCASTSS gelu<>+4(SB), Z14; \
	VBROADCASTSS gelu<>+8(SB), Z15; \
	VBROADCASTSS gelu<>+12(SB), Z16; \
	VBROADCASTSS gelu<>+16(SB), Z17; \
	VBROADCASTSS gelu<>+20(SB), Z18; \
	VBROADCASTSS gelu<>+24(SB), Z19; \
	VBROADCASTSS gelu<>+28(SB), Z20; \
	VBROADCASTSS gelu<>+32(SB), Z21; \
	VBROADCASTSS gelu<>+36(SB), Z22; \
	VBROADCASTSS gelu<>+40(SB), Z23; \
	VBROADCASTSS gelu<>+44(SB), Z24; \
	VBROADCASTSS gelu<>+48(SB), Z25; \
	VXORPS Z12, Z12, Z12

// GELU: x = GELU(x). VMINPS gives its second source, a, when that is NaN.
#define GELU(x, a, t, s, z, p) \
	VANDPS Z25, x, a; \
	VMINPS a, Z14, a; \
	VMOVAPS Z15, t; \
	VFMADD213PS Z11, a, t; \
	VDIVPS t, Z11, t; \
	VMULPS a, a, z; \
	VMULPS Z13, z, z; \
	EXP2(z, s, p); \
	VMOVAPS Z24, s; \
	VFMADD213PS Z23, t, s; \
	VFMADD213PS Z22, t, s; \
	VFMADD213PS Z21, t, s; \
	VFMADD213PS Z20, t, s; \
	VFMADD213PS Z19, t, s; \
	VFMADD213PS Z18, t, s; \
	VFMADD213PS Z17, t, s; \
	VFMADD213PS Z16, t, s; \
	VMULPS t, a, a; \
	VMULPS p, s, s; \
	VMAXPS Z12, x, x; \
	VFNMADD231PS s, a, x

// func geluAVX512(x []float32)
TEXT ·geluAVX512(SB), NOSPLIT, $0-24
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), BX
	GELU_CONSTANTS
	KXNORW K0, K0, K1

loop:
	SUBQ $16, BX
	JGE body
	MOVQ BX, CX
	ADDQ $16, CX
	JLE done
	MASK(DX, K1)

body:
	VMOVUPS.Z (SI), K1, Z0
	GELU(Z0, Z1, Z2, Z3, Z4, Z5)
	VMOVUPS Z0, K1, (SI)
	ADDQ $64, SI
	TESTQ BX, BX
	JG loop

done:
	VZEROUPPER
	RET

// func gateAVX512(c *float32, ld, rows, half int)
TEXT ·gateAVX512(SB), NOSPLIT, $0-32
	MOVQ c+0(FP), DI
	MOVQ ld+8(FP), R8
	MOVQ rows+16(FP), R9
	MOVQ half+24(FP), R10
	SHLQ $2, R8
	GELU_CONSTANTS
	TESTQ R9, R9
	JLE done

row:
	MOVQ DI, SI
	MOVQ R10, BX
	KXNORW K0, K0, K1

loop:
	SUBQ $16, BX
	JGE body
	MOVQ BX, CX
	ADDQ $16, CX
	JLE next
	MASK(DX, K1)

body:
	VMOVUPS.Z (SI)(R10*4), K1, Z0
	GELU(Z0, Z1, Z2, Z3, Z4, Z5)
	VMULPS.Z (SI), Z0, K1, Z0
	VMOVUPS Z0, K1, (SI)
	ADDQ $64, SI
	TESTQ BX, BX
	JG loop

next:
	ADDQ R8, DI
	DECQ R9
	JNZ row

done:
	VZEROUPPER
	RET
