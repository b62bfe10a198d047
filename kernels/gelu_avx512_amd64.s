//go:build !purego

#include "textflag.h"
#include "avx512_amd64.h"

// GELU_CONSTANTS loads what GELU needs; Z25 selects all but the sign.
#define GELU_CONSTANTS \
	EXP2_CONSTANTS; \
	VBROADCASTSS GELU_C(0), Z13; \
	VBROADCASTSS GELU_C(1), Z14; \
	VBROADCASTSS GELU_C(2), Z15; \
	VBROADCASTSS GELU_C(3), Z16; \
	VBROADCASTSS GELU_C(4), Z17; \
	VBROADCASTSS GELU_C(5), Z18; \
	VBROADCASTSS GELU_C(6), Z19; \
	VBROADCASTSS GELU_C(7), Z20; \
	VBROADCASTSS GELU_C(8), Z21; \
	VBROADCASTSS GELU_C(9), Z22; \
	VBROADCASTSS GELU_C(10), Z23; \
	VBROADCASTSS GELU_C(11), Z24; \
	MOVL $0x7fffffff, AX; \
	VPBROADCASTD AX, Z25; \
	VXORPS Z12, Z12, Z12

// GELU: x = GELU(x); geluTable has the derivation. VMINPS returns its second
// source, a, if that is NaN.
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
