//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "avx512_amd64.h"
#include "softmax_avx512_amd64.h"

// func softmaxBF16(b *softmaxBlock)
//
// One row at a time: first the maximum, then 2^(x*scale - max), rounded to
// bfloat16, and its sum. Two passes over a row that is in L1 cost less than a
// running maximum. About 11 operations for 16 scores.
TEXT ·softmaxBF16(SB), NOSPLIT, $0-8
	MOVQ b+0(FP), R8
	SOFTMAX_BLOCK(R8)
	VBROADCASTSS softmaxBlock_scale(R8), Z30
	SOFTMAX_CONSTANTS

row:
	VBROADCASTSS 16(AX), Z0
	VMOVAPS Z0, Z1
	XORQ CX, CX

max:
	VMAXPS (SI)(CX*4), Z0, Z0
	VMAXPS 64(SI)(CX*4), Z1, Z1
	ADDQ $32, CX
	CMPQ CX, R12
	JLT  max

	VMAXPS Z1, Z0, Z0
	REDUCE(VMAXPS, Z0, Y0, X0, Z1, Y1, X1)
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
	REDUCE(VADDPS, Z0, Y0, X0, Z1, Y1, X1)
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

// LARGEST takes a row's maximum at DX: it updates (R13), stores 2^(old-new) at
// (R15), leaves the maximum in all of Z23 and the sum so far, rescaled, in X22,
// and moves on to the next row. NaNs are passed over, as in rowMaxAVX512.
#define LARGEST(loop) \
	VMOVAPS Z10, Z0; \
	VMOVAPS Z10, Z1; \
	XORQ CX, CX; \
loop: \
	VMOVUPS (DX)(CX*4), Z2; \
	VMOVUPS 64(DX)(CX*4), Z3; \
	VMAXPS Z0, Z2, Z0; \
	VMAXPS Z1, Z3, Z1; \
	ADDQ $32, CX; \
	CMPQ CX, R12; \
	JLT loop; \
	VMAXPS Z1, Z0, Z0; \
	REDUCE(VMAXPS, Z0, Y0, X0, Z1, Y1, X1); \
	VMULSS X24, X0, X0; \
	VMOVSS (R13), X2; \
	VMAXSS X2, X0, X0; \
	VMOVSS X0, (R13); \
	VBROADCASTSS X0, Z23; \
	VSUBSS X0, X2, X0; \
	VBROADCASTSS X0, Z0; \
	EXP2(Z0, Z1, Z2); \
	VMOVSS X2, (R15); \
	VMULSS (BX), X2, X22; \
	ADDQ R9, DX; \
	ADDQ $4, R13; \
	ADDQ $4, R15; \
	ADDQ $4, BX

// func softmaxAVX512(b *softmaxBlock)
//
// The maximum of the next row is taken before the exponentials of this one, so
// that the processor can do both at a time: what a maximum waits for, sixteen
// numbers that become one, takes as long as a third of a row of exponentials.
TEXT ·softmaxAVX512(SB), NOSPLIT, $0-8
	MOVQ b+0(FP), R8
	SOFTMAX_BLOCK(R8)
	VBROADCASTSS softmaxBlock_scale(R8), Z24
	EXP2_CONSTANTS
	MOVL $0xFF800000, AX // -Inf
	VPBROADCASTD AX, Z10
	MOVQ BX, AX // where this row's sum goes
	MOVQ SI, DX
	LARGEST(first)

row:
	VMOVAPS Z23, Z25
	VMOVAPS X22, X21
	CMPQ R11, $1
	JEQ  last
	LARGEST(next)

last:
	VXORPS Z16, Z16, Z16
	VXORPS Z17, Z17, Z17
	XORQ CX, CX

exp:
	EXP2_SUM((SI)(CX*4), 64(SI)(CX*4), (DI)(CX*4), 64(DI)(CX*4))
	ADDQ $32, CX
	CMPQ CX, R12
	JLT  exp

	VADDPS Z17, Z16, Z0
	REDUCE(VADDPS, Z0, Y0, X0, Z1, Y1, X1)
	VADDSS X21, X0, X0
	VMOVSS X0, (AX)
	ADDQ R9, SI
	ADDQ R10, DI
	ADDQ $4, AX
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
