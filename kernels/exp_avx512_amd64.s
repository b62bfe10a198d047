//go:build !purego

#include "textflag.h"
#include "avx512_amd64.h"

// func exp2SumAVX512(dst, x []float32, scale, top float32) float32
TEXT ·exp2SumAVX512(SB), NOSPLIT, $0-60
	MOVQ dst_base+0(FP), DI
	MOVQ x_base+24(FP), SI
	MOVQ x_len+32(FP), BX
	VBROADCASTSS scale+48(FP), Z24
	VBROADCASTSS top+52(FP), Z25
	EXP2_CONSTANTS
	VXORPS Z16, Z16, Z16
	VXORPS Z17, Z17, Z17

loop:
	SUBQ $32, BX
	JLT done
	EXP2_SUM((SI), 64(SI), (DI), 64(DI))
	ADDQ $128, SI
	ADDQ $128, DI
	JMP loop

done:
	VADDPS Z17, Z16, Z16
	VMOVAPS Z16, Z0
	REDUCE(VADDPS, Z0, Y0, X0, Z1, Y1, X1)
	VMOVSS X0, ret+56(FP)
	VZEROUPPER
	RET

// SIGMOID: x /= 1 + 2^(rate*x), with the rate in Z25. Where the exponential
// overflows or vanishes the division gives -0 and x.
#define SIGMOID(x, z, f, p) \
	VMULPS Z25, x, z; \
	EXP2(z, f, p); \
	VADDPS Z11, p, p; \
	VDIVPS p, x, x

// func sigmoidAVX512(x []float32, rate float32)
TEXT ·sigmoidAVX512(SB), NOSPLIT, $0-28
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), BX
	VBROADCASTSS rate+24(FP), Z25
	EXP2_CONSTANTS
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
	SIGMOID(Z0, Z1, Z2, Z3)
	VMOVUPS Z0, K1, (SI)
	ADDQ $64, SI
	TESTQ BX, BX
	JG loop

done:
	VZEROUPPER
	RET

// func affineAVX512(dst, x, scale, shift []float32, silu bool)
TEXT ·affineAVX512(SB), NOSPLIT, $0-97
	MOVQ dst_base+0(FP), DI
	MOVQ x_base+24(FP), SI
	MOVQ x_len+32(FP), R8
	MOVQ scale_base+48(FP), R9
	MOVQ scale_len+56(FP), R10
	MOVQ shift_base+72(FP), R11
	MOVBLZX silu+96(FP), R12
	VBROADCASTSS EXP2_C(9), Z25
	EXP2_CONSTANTS
	TESTQ R10, R10
	JZ done

row:
	SUBQ R10, R8
	JLT done
	MOVQ R10, BX
	XORQ AX, AX

loop:
	SUBQ $16, BX
	JLT tail
	VMOVUPS (SI)(AX*1), Z0
	VMOVUPS (R9)(AX*1), Z1
	VFMADD213PS (R11)(AX*1), Z1, Z0
	TESTQ R12, R12
	JZ store
	SIGMOID(Z0, Z1, Z2, Z3)

store:
	VMOVUPS Z0, (DI)(AX*1)
	ADDQ $64, AX
	JMP loop

tail:
	MOVQ BX, CX
	ADDQ $16, CX
	JLE next
	MASK(DX, K1)
	VMOVUPS.Z (SI)(AX*1), K1, Z0
	VMOVUPS.Z (R9)(AX*1), K1, Z1
	VMOVUPS.Z (R11)(AX*1), K1, Z2
	VFMADD213PS Z2, Z1, Z0
	TESTQ R12, R12
	JZ storeTail
	SIGMOID(Z0, Z1, Z2, Z3)

storeTail:
	VMOVUPS Z0, K1, (DI)(AX*1)

next:
	LEAQ (SI)(R10*4), SI
	LEAQ (DI)(R10*4), DI
	JMP row

done:
	VZEROUPPER
	RET
