//go:build !purego

#include "textflag.h"
#include "avx2_amd64.h"

MASK_TABLE
EXP2_TABLE

// The constants and the derivation are those of gelu_avx512_amd64.s.
SPREAD(half, $0xbf38aa3bbf38aa3b)  // -log2(e)/2
SPREAD(far, $0x4168000041680000)   // 14.5
SPREAD(bend, $0x3eb333333eb33333)  // 0.35
SPREAD(g0, $0x3e0ef8ea3e0ef8ea)
SPREAD(g1, $0x3e0f37ec3e0f37ec)
SPREAD(g2, $0x3df56b6a3df56b6a)
SPREAD(g3, $0x3dd812563dd81256)
SPREAD(g4, $0xbcbd3828bcbd3828)
SPREAD(g5, $0x3e22f96a3e22f96a)
SPREAD(g6, $0xbe82ea6ebe82ea6e)
SPREAD(g7, $0x3e136a8c3e136a8c)
SPREAD(g8, $0xbceebe60bceebe60)
SPREAD(magnitude, $0x7fffffff7fffffff)

// GELU: x = GELU(x).
#define GELU(x, a, t, s, z, p) \
	VANDPS magnitude<>(SB), x, a; \
	VMOVUPS far<>(SB), t; \
	VMINPS a, t, a; \
	VMOVUPS one<>(SB), s; \
	VMOVUPS bend<>(SB), t; \
	VFMADD213PS s, a, t; \
	VDIVPS t, s, t; \
	VMULPS a, a, z; \
	VMULPS half<>(SB), z, z; \
	EXP2(z, s, p); \
	VMOVUPS g8<>(SB), s; \
	VFMADD213PS g7<>(SB), t, s; \
	VFMADD213PS g6<>(SB), t, s; \
	VFMADD213PS g5<>(SB), t, s; \
	VFMADD213PS g4<>(SB), t, s; \
	VFMADD213PS g3<>(SB), t, s; \
	VFMADD213PS g2<>(SB), t, s; \
	VFMADD213PS g1<>(SB), t, s; \
	VFMADD213PS g0<>(SB), t, s; \
	VMULPS t, a, a; \
	VMULPS p, s, s; \
	VMAXPS Y15, x, x; \
	VFNMADD231PS s, a, x

// func geluAVX2(x []float32)
TEXT ·geluAVX2(SB), NOSPLIT, $0-24
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), BX
	VXORPS Y15, Y15, Y15

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
	VXORPS Y15, Y15, Y15
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
