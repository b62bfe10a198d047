//go:build !purego

#include "textflag.h"
#include "avx2_amd64.h"

// GELU: x = GELU(x). Y14 selects all but the sign, Y15 is zero; geluTable has
// the derivation.
#define GELU(x, a, t, s, z, p) \
	VANDPS Y14, x, a; \
	VMOVUPS GELU_C(1), t; \
	VMINPS a, t, a; \
	VMOVUPS ONE, s; \
	VMOVUPS GELU_C(2), t; \
	VFMADD213PS s, a, t; \
	VDIVPS t, s, t; \
	VMULPS a, a, z; \
	VMULPS GELU_C(0), z, z; \
	EXP2(z, s, p); \
	VMOVUPS GELU_C(11), s; \
	VFMADD213PS GELU_C(10), t, s; \
	VFMADD213PS GELU_C(9), t, s; \
	VFMADD213PS GELU_C(8), t, s; \
	VFMADD213PS GELU_C(7), t, s; \
	VFMADD213PS GELU_C(6), t, s; \
	VFMADD213PS GELU_C(5), t, s; \
	VFMADD213PS GELU_C(4), t, s; \
	VFMADD213PS GELU_C(3), t, s; \
	VMULPS t, a, a; \
	VMULPS p, s, s; \
	VMAXPS Y15, x, x; \
	VFNMADD231PS s, a, x

#define GELU_CONSTANTS \
	VPCMPEQD Y14, Y14, Y14; \
	VPSRLD $1, Y14, Y14; \
	VXORPS Y15, Y15, Y15

// func geluAVX2(x []float32)
TEXT ·geluAVX2(SB), NOSPLIT, $0-24
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), BX
	GELU_CONSTANTS

loop:
	SUBQ $8, BX
	JLT tail
	VMOVUPS (SI), Y0
	GELU(Y0, Y1, Y2, Y3, Y4, Y5)
	VMOVUPS Y0, (SI)
	ADDQ $32, SI
	JMP loop

tail:
	MOVQ BX, CX
	ADDQ $8, CX
	JLE done
	MASK(Y6)
	VMASKMOVPS (SI), Y6, Y0
	GELU(Y0, Y1, Y2, Y3, Y4, Y5)
	VMASKMOVPS Y0, Y6, (SI)

done:
	VZEROUPPER
	RET

// func gateAVX2(c *float32, ld, rows, half int)
TEXT ·gateAVX2(SB), NOSPLIT, $0-32
	MOVQ c+0(FP), DI
	MOVQ ld+8(FP), R8
	MOVQ rows+16(FP), R9
	MOVQ half+24(FP), R10
	SHLQ $2, R8
	GELU_CONSTANTS
	MOVQ R10, CX
	ANDQ $7, CX
	MASK(Y6)
	TESTQ R9, R9
	JLE done

row:
	MOVQ DI, SI
	MOVQ R10, BX

loop:
	SUBQ $8, BX
	JLT tail
	VMOVUPS (SI)(R10*4), Y0
	GELU(Y0, Y1, Y2, Y3, Y4, Y5)
	VMULPS (SI), Y0, Y0
	VMOVUPS Y0, (SI)
	ADDQ $32, SI
	JMP loop

tail:
	ADDQ $8, BX
	JLE next
	VMASKMOVPS (SI)(R10*4), Y6, Y0
	GELU(Y0, Y1, Y2, Y3, Y4, Y5)
	VMASKMOVPS (SI), Y6, Y1
	VMULPS Y1, Y0, Y0
	VMASKMOVPS Y0, Y6, (SI)

next:
	ADDQ R8, DI
	DECQ R9
	JNZ row

done:
	VZEROUPPER
	RET
