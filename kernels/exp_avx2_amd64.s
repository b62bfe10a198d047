//go:build !purego

#include "textflag.h"
#include "avx2_amd64.h"

// func exp2SumAVX2(dst, x []float32, scale, top float32) float32
TEXT ·exp2SumAVX2(SB), NOSPLIT, $0-60
	MOVQ dst_base+0(FP), DI
	MOVQ x_base+24(FP), SI
	MOVQ x_len+32(FP), BX
	VBROADCASTSS scale+48(FP), Y14
	VBROADCASTSS top+52(FP), Y15
	VXORPS Y12, Y12, Y12
	VXORPS Y13, Y13, Y13

loop:
	SUBQ $16, BX
	JLT done
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y3
	VFMSUB213PS Y15, Y14, Y0
	VFMSUB213PS Y15, Y14, Y3
	EXP2(Y0, Y1, Y2)
	EXP2(Y3, Y4, Y5)
	VADDPS Y2, Y12, Y12
	VADDPS Y5, Y13, Y13
	VMOVUPS Y2, (DI)
	VMOVUPS Y5, 32(DI)
	ADDQ $64, SI
	ADDQ $64, DI
	JMP loop

done:
	VADDPS Y13, Y12, Y0
	REDUCE(VADDPS, Y0, X0, X1)
	VMOVSS X0, ret+56(FP)
	VZEROUPPER
	RET

// SIGMOID: x /= 1 + 2^(rate*x), with the rate in Y15. Where the exponential
// overflows or vanishes the division gives -0 and x.
#define SIGMOID(x, z, f, p) \
	VMULPS Y15, x, z; \
	EXP2(z, f, p); \
	VADDPS ONE, p, p; \
	VDIVPS p, x, x

// func sigmoidAVX2(x []float32, rate float32)
TEXT ·sigmoidAVX2(SB), NOSPLIT, $0-28
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), BX
	VBROADCASTSS rate+24(FP), Y15

loop:
	SUBQ $8, BX
	JLT tail
	VMOVUPS (SI), Y0
	SIGMOID(Y0, Y1, Y2, Y3)
	VMOVUPS Y0, (SI)
	ADDQ $32, SI
	JMP loop

tail:
	MOVQ BX, CX
	ADDQ $8, CX
	JLE done
	MASK(Y6)
	VMASKMOVPS (SI), Y6, Y0
	SIGMOID(Y0, Y1, Y2, Y3)
	VMASKMOVPS Y0, Y6, (SI)

done:
	VZEROUPPER
	RET

// func affineAVX2(dst, x, scale, shift []float32, silu bool)
TEXT ·affineAVX2(SB), NOSPLIT, $0-97
	MOVQ dst_base+0(FP), DI
	MOVQ x_base+24(FP), SI
	MOVQ x_len+32(FP), R8
	MOVQ scale_base+48(FP), R9
	MOVQ scale_len+56(FP), R10
	MOVQ shift_base+72(FP), R11
	MOVBLZX silu+96(FP), R12
	VMOVUPS EXP2_C(9), Y15
	TESTQ R10, R10
	JZ done
	MOVQ R10, CX
	ANDQ $7, CX
	MASK(Y6)

row:
	SUBQ R10, R8
	JLT done
	MOVQ R10, BX
	XORQ DX, DX

loop:
	SUBQ $8, BX
	JLT tail
	VMOVUPS (SI)(DX*1), Y0
	VMOVUPS (R9)(DX*1), Y1
	VFMADD213PS (R11)(DX*1), Y1, Y0
	TESTQ R12, R12
	JZ store
	SIGMOID(Y0, Y1, Y2, Y3)

store:
	VMOVUPS Y0, (DI)(DX*1)
	ADDQ $32, DX
	JMP loop

tail:
	ADDQ $8, BX
	JLE next
	VMASKMOVPS (SI)(DX*1), Y6, Y0
	VMASKMOVPS (R9)(DX*1), Y6, Y1
	VMASKMOVPS (R11)(DX*1), Y6, Y2
	VFMADD213PS Y2, Y1, Y0
	TESTQ R12, R12
	JZ storeTail
	SIGMOID(Y0, Y1, Y2, Y3)

storeTail:
	VMASKMOVPS Y0, Y6, (DI)(DX*1)

next:
	LEAQ (SI)(R10*4), SI
	LEAQ (DI)(R10*4), DI
	JMP row

done:
	VZEROUPPER
	RET
