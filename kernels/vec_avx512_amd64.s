//go:build !purego

#include "textflag.h"
#include "avx512_amd64.h"

// func finishAVX512(dst *float32, ldd int, src *float32, lds, rows, cols int, bias, res *float32, ldr int)
//
// The outer loop runs over blocks of up to 32 columns, whose bias stays in
// registers, the inner one over rows. K1 and K2 select the columns of a block's
// two vectors. A missing bias is -0, which changes no sum.
TEXT ·finishAVX512(SB), NOSPLIT, $0-72
	MOVQ dst+0(FP), DI
	MOVQ ldd+8(FP), R8
	MOVQ src+16(FP), SI
	MOVQ lds+24(FP), R9
	MOVQ cols+40(FP), BX
	MOVQ bias+48(FP), DX
	MOVQ res+56(FP), R10
	MOVQ ldr+64(FP), R11
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, R11
	MOVL $0x80000000, AX
	VPBROADCASTD AX, Z4
	VMOVAPS Z4, Z5
	CMPQ rows+32(FP), $0
	JLE done

block:
	MOVQ $32, CX
	CMPQ BX, CX
	CMOVQLT BX, CX
	TESTQ CX, CX
	JLE done
	MASK(AX, K1)
	KSHIFTRD $16, K1, K2
	TESTQ DX, DX
	JZ rows
	VMOVUPS.Z (DX), K1, Z4
	VMOVUPS.Z 64(DX), K2, Z5
	ADDQ $128, DX

rows:
	MOVQ rows+32(FP), R13
	MOVQ DI, AX
	MOVQ SI, R12
	MOVQ R10, R15
	CMPQ CX, $32
	JLT part

whole:
	VMOVUPS (R12), Z0
	VMOVUPS 64(R12), Z1
	VADDPS Z4, Z0, Z0
	VADDPS Z5, Z1, Z1
	TESTQ R10, R10
	JZ store
	VADDPS (R15), Z0, Z0
	VADDPS 64(R15), Z1, Z1

store:
	VMOVUPS Z0, (AX)
	VMOVUPS Z1, 64(AX)
	ADDQ R8, AX
	ADDQ R9, R12
	ADDQ R11, R15
	DECQ R13
	JNZ whole
	ADDQ $128, DI
	ADDQ $128, SI
	SUBQ $32, BX
	TESTQ R10, R10
	JZ block
	ADDQ $128, R10
	JMP block

part:
	VMOVUPS.Z (R12), K1, Z0
	VMOVUPS.Z 64(R12), K2, Z1
	VADDPS Z4, Z0, Z0
	VADDPS Z5, Z1, Z1
	TESTQ R10, R10
	JZ storePart
	VADDPS (R15), Z0, K1, Z0
	VADDPS 64(R15), Z1, K2, Z1

storePart:
	VMOVUPS Z0, K1, (AX)
	VMOVUPS Z1, K2, 64(AX)
	ADDQ R8, AX
	ADDQ R9, R12
	ADDQ R11, R15
	DECQ R13
	JNZ part

done:
	VZEROUPPER
	RET

// ACCUMULATE subtracts the reference in Z0 from 16 columns of a row of x and
// adds the difference to the sum in Z1, and its square to the sum in Z2.
#define ACCUMULATE(x) \
	VMOVUPS.Z x, K1, Z3; \
	VSUBPS Z0, Z3, Z3; \
	VADDPS Z3, Z1, Z1; \
	VFMADD231PS Z3, Z3, Z2

#define LOAD_SUMS \
	VMOVUPS.Z (DX)(R8*1), K1, Z0; \
	VMOVUPS.Z (DI)(R8*1), K1, Z1; \
	VMOVUPS.Z (SI)(R8*1), K1, Z2

#define STORE_SUMS \
	VMOVUPS Z1, K1, (DI)(R8*1); \
	VMOVUPS Z2, K1, (SI)(R8*1)

// func sumsAVX512(sum, sq, ref, x []float32)
//
// Four rows at a time: x is read in order, in four streams, and each sum is
// loaded and stored once for four additions.
TEXT ·sumsAVX512(SB), NOSPLIT, $0-96
	MOVQ sum_base+0(FP), DI
	MOVQ sum_len+8(FP), R9
	MOVQ sq_base+24(FP), SI
	MOVQ ref_base+48(FP), DX
	MOVQ x_base+72(FP), BX
	MOVQ x_len+80(FP), R13
	TESTQ R9, R9
	JZ done
	MOVQ R9, CX
	ANDQ $15, CX
	MASK(AX, K2)          // the columns after the last whole 16
	KXNORW K0, K0, K3     // all columns
	MOVQ R9, R10
	SHLQ $2, R10          // bytes of a row
	MOVQ R10, R11
	ANDQ $-64, R11        // of its whole vectors
	LEAQ (R10)(R10*2), R15

rows4:
	LEAQ (R9*4), AX
	CMPQ R13, AX
	JLT rows1
	SUBQ AX, R13
	XORQ R8, R8
	KMOVW K3, K1

cols4:
	CMPQ R8, R11
	JLT body4
	JGT next4
	KMOVW K2, K1
	CMPQ R8, R10
	JEQ next4

body4:
	LOAD_SUMS
	LEAQ (BX)(R8*1), R12
	ACCUMULATE((R12))
	ACCUMULATE((R12)(R10*1))
	ACCUMULATE((R12)(R10*2))
	ACCUMULATE((R12)(R15*1))
	STORE_SUMS
	ADDQ $64, R8
	JMP cols4

next4:
	LEAQ (BX)(R10*4), BX
	JMP rows4

rows1:
	CMPQ R13, R9
	JLT done
	SUBQ R9, R13
	XORQ R8, R8
	KMOVW K3, K1

cols1:
	CMPQ R8, R11
	JLT body1
	JGT next1
	KMOVW K2, K1
	CMPQ R8, R10
	JEQ next1

body1:
	LOAD_SUMS
	ACCUMULATE((BX)(R8*1))
	STORE_SUMS
	ADDQ $64, R8
	JMP cols1

next1:
	ADDQ R10, BX
	JMP rows1

done:
	VZEROUPPER
	RET

// func normalizeAVX512(dst, x, weight, bias []float32, ref, inv, shift float32)
TEXT ·normalizeAVX512(SB), NOSPLIT, $0-108
	MOVQ dst_base+0(FP), DI
	MOVQ x_base+24(FP), SI
	MOVQ x_len+32(FP), BX
	MOVQ weight_base+48(FP), R8
	MOVQ bias_base+72(FP), R9
	VBROADCASTSS ref+96(FP), Z4
	VBROADCASTSS inv+100(FP), Z5
	VBROADCASTSS shift+104(FP), Z6
	XORQ AX, AX

loop:
	SUBQ $16, BX
	JLT tail
	VMOVUPS (SI)(AX*1), Z0
	VMOVUPS (R8)(AX*1), Z1
	VSUBPS Z4, Z0, Z0
	VFMADD213PS Z6, Z5, Z0
	VFMADD213PS (R9)(AX*1), Z1, Z0
	VMOVUPS Z0, (DI)(AX*1)
	ADDQ $64, AX
	JMP loop

tail:
	MOVQ BX, CX
	ADDQ $16, CX
	JLE done
	MASK(DX, K1)
	VMOVUPS.Z (SI)(AX*1), K1, Z0
	VMOVUPS.Z (R8)(AX*1), K1, Z1
	VMOVUPS.Z (R9)(AX*1), K1, Z2
	VSUBPS Z4, Z0, Z0
	VFMADD213PS Z6, Z5, Z0
	VFMADD213PS Z2, Z1, Z0
	VMOVUPS Z0, K1, (DI)(AX*1)

done:
	VZEROUPPER
	RET
