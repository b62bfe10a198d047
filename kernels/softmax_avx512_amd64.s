//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "avx512_amd64.h"
#include "softmax_avx512_amd64.h"

// func softmaxBF16(b *softmaxBlock)
//
// One row at a time: first the maximum, then 2^(x*scale - max), rounded to
// bfloat16, and its sum. Two passes over a row that is in L1 cost less than a
// running maximum. About 13 operations for 16 scores.
TEXT ·softmaxBF16(SB), NOSPLIT, $0-8
	MOVQ b+0(FP), R8
	MOVQ softmaxBlock_scores(R8), SI
	MOVQ softmaxBlock_ld(R8), R9
	MOVQ softmaxBlock_probs(R8), DI
	MOVQ softmaxBlock_pitch(R8), R10
	MOVQ softmaxBlock_rows(R8), R11
	MOVQ softmaxBlock_cols(R8), R12
	MOVQ softmaxBlock_max(R8), R13
	MOVQ softmaxBlock_sum(R8), BX
	MOVQ softmaxBlock_factor(R8), R15
	VBROADCASTSS softmaxBlock_scale(R8), Z30
	SOFTMAX_CONSTANTS

row:
	LEAQ ·exp2BF16Table(SB), AX
	VBROADCASTSS 24(AX), Z0
	VMOVAPS Z0, Z1
	XORQ CX, CX

max:
	VMAXPS (SI)(CX*4), Z0, Z0
	VMAXPS 64(SI)(CX*4), Z1, Z1
	ADDQ $32, CX
	CMPQ CX, R12
	JLT  max

	VMAXPS Z1, Z0, Z0
	VEXTRACTF64X4 $1, Z0, Y1
	VMAXPS Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VMAXPS X1, X0, X0
	VPERMILPS $0x4E, X0, X1
	VMAXPS X1, X0, X0
	VPERMILPS $0xB1, X0, X1
	VMAXPS X1, X0, X0
	VMULPS X30, X0, X0
	VMOVSS (R13), X2         // max so far
	VMAXSS X2, X0, X0        // max now
	VMOVSS X0, (R13)
	VSUBSS X0, X2, X2
	VBROADCASTSS X2, Z2
	EXPONENTIAL(Z2, Z3, Z4)
	VMOVSS X4, (R15)
	VMULSS (BX), X4, X16     // the sum so far, rescaled
	VBROADCASTSS X0, Z31     // max
	VXORPS Z17, Z17, Z17     // sums
	VXORPS Z18, Z18, Z18
	XORQ CX, CX
	MOVQ DI, DX

exp:
	VMOVAPS Z30, Z0
	VFMSUB132PS (SI)(CX*4), Z31, Z0
	VMOVAPS Z30, Z1
	VFMSUB132PS 64(SI)(CX*4), Z31, Z1
	EXPONENTIAL(Z0, Z2, Z4)
	EXPONENTIAL(Z1, Z3, Z5)
	VADDPS Z4, Z17, Z17
	VADDPS Z5, Z18, Z18
	VCVTNE2PS2BF16(4, 5, 6)
	VMOVDQU16 Z6, (DX)
	ADDQ $64, DX
	ADDQ $32, CX
	CMPQ CX, R12
	JLT  exp

	VADDPS Z18, Z17, Z0
	VEXTRACTF64X4 $1, Z0, Y1
	VADDPS Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VPERMILPS $0x4E, X0, X1
	VADDPS X1, X0, X0
	VPERMILPS $0xB1, X0, X1
	VADDPS X1, X0, X0
	VADDSS X16, X0, X0
	VMOVSS X0, (BX)
	ADDQ R9, SI
	ADDQ R10, DI
	ADDQ $4, R13
	ADDQ $4, BX
	ADDQ $4, R15
	DECQ R11
	JNZ  row
	VZEROUPPER
	RET

// func rescaleAVX512(o, part, factor *float32, rows, width int)
//
// o[r] = o[r]*factor[r] + part[r], for a width that is a multiple of 16.
TEXT ·rescaleAVX512(SB), NOSPLIT, $0-40
	MOVQ o+0(FP), DI
	MOVQ part+8(FP), SI
	MOVQ factor+16(FP), DX
	MOVQ rows+24(FP), R8
	MOVQ width+32(FP), R9

line:
	VBROADCASTSS (DX), Z0
	MOVQ R9, CX

cols:
	VMOVUPS (DI), Z1
	VFMADD213PS (SI), Z0, Z1
	VMOVUPS Z1, (DI)
	ADDQ $64, DI
	ADDQ $64, SI
	SUBQ $16, CX
	JG   cols
	ADDQ $4, DX
	DECQ R8
	JNZ  line
	VZEROUPPER
	RET
