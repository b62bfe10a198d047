//go:build !purego

#include "textflag.h"
#include "avx2_amd64.h"

// maskTable has 16 words of ones and 16 of zeros, for MASK.
DATA ·maskTable+0(SB)/8, $-1
DATA ·maskTable+8(SB)/8, $-1
DATA ·maskTable+16(SB)/8, $-1
DATA ·maskTable+24(SB)/8, $-1
DATA ·maskTable+32(SB)/8, $-1
DATA ·maskTable+40(SB)/8, $-1
DATA ·maskTable+48(SB)/8, $-1
DATA ·maskTable+56(SB)/8, $-1
DATA ·maskTable+64(SB)/8, $0
GLOBL ·maskTable(SB), RODATA|NOPTR, $128

// func finishAVX2(dst *float32, ldd int, src *float32, lds, rows, cols int, bias, res *float32, ldr int)
//
// The outer loop runs over blocks of up to 16 columns, whose bias stays in
// registers, the inner one over rows. Y6 and Y7 select the columns of a last,
// narrower block. A missing bias is -0, which changes no sum.
TEXT ·finishAVX2(SB), NOSPLIT, $0-72
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
	VMOVD AX, X4
	VPBROADCASTD X4, Y4
	VMOVAPS Y4, Y5
	CMPQ rows+32(FP), $0
	JLE done

block:
	MOVQ rows+32(FP), R13
	MOVQ DI, AX
	MOVQ SI, R12
	MOVQ R10, R15
	SUBQ $16, BX
	JLT last
	TESTQ DX, DX
	JZ whole
	VMOVUPS (DX), Y4
	VMOVUPS 32(DX), Y5
	ADDQ $64, DX

whole:
	VMOVUPS (R12), Y0
	VMOVUPS 32(R12), Y1
	VADDPS Y4, Y0, Y0
	VADDPS Y5, Y1, Y1
	TESTQ R10, R10
	JZ store
	VADDPS (R15), Y0, Y0
	VADDPS 32(R15), Y1, Y1

store:
	VMOVUPS Y0, (AX)
	VMOVUPS Y1, 32(AX)
	ADDQ R8, AX
	ADDQ R9, R12
	ADDQ R11, R15
	DECQ R13
	JNZ whole
	ADDQ $64, DI
	ADDQ $64, SI
	TESTQ R10, R10
	JZ block
	ADDQ $64, R10
	JMP block

last:
	MOVQ BX, CX
	ADDQ $16, CX
	JLE done
	MASK2(Y6, Y7)
	MOVQ DI, AX
	TESTQ DX, DX
	JZ part
	VMASKMOVPS (DX), Y6, Y4
	VMASKMOVPS 32(DX), Y7, Y5

part:
	VMASKMOVPS (R12), Y6, Y0
	VMASKMOVPS 32(R12), Y7, Y1
	VADDPS Y4, Y0, Y0
	VADDPS Y5, Y1, Y1
	TESTQ R10, R10
	JZ storePart
	VMASKMOVPS (R15), Y6, Y2
	VMASKMOVPS 32(R15), Y7, Y3
	VADDPS Y2, Y0, Y0
	VADDPS Y3, Y1, Y1

storePart:
	VMASKMOVPS Y0, Y6, (AX)
	VMASKMOVPS Y1, Y7, 32(AX)
	ADDQ R8, AX
	ADDQ R9, R12
	ADDQ R11, R15
	DECQ R13
	JNZ part

done:
	VZEROUPPER
	RET

// ADD subtracts the reference in Y0 from 8 columns of a row in Y3 and adds the
// difference to the sum in Y1, and its square to the sum in Y2.
#define ADD \
	VSUBPS Y0, Y3, Y3; \
	VADDPS Y3, Y1, Y1; \
	VFMADD231PS Y3, Y3, Y2

#define WHOLE(x) \
	VMOVUPS x, Y3; \
	ADD

#define PART(x) \
	VMASKMOVPS x, Y7, Y3; \
	ADD

// func sumsAVX2(sum, sq, ref, x []float32)
//
// Four rows of a block of columns at a time, as in sumsAVX512.
TEXT ·sumsAVX2(SB), NOSPLIT, $0-96
	MOVQ sum_base+0(FP), DI
	MOVQ sum_len+8(FP), R9
	MOVQ sq_base+24(FP), SI
	MOVQ ref_base+48(FP), DX
	MOVQ x_base+72(FP), BX
	MOVQ x_len+80(FP), R13
	TESTQ R9, R9
	JZ done
	MOVQ R9, CX
	ANDQ $7, CX
	MASK(Y7)              // the columns after the last whole 8
	LEAQ (R9*4), R10      // bytes of a row
	MOVQ R10, R11
	ANDQ $-32, R11        // of its whole vectors
	LEAQ (R10)(R10*2), R15

rows:
	CMPQ R13, R9
	JLT done
	LEAQ (R9*4), AX
	XORQ R8, R8
	CMPQ R13, AX
	JLT row
	SUBQ AX, R13

cols4:
	CMPQ R8, R11
	JGE part4
	VMOVUPS (DX)(R8*1), Y0
	VMOVUPS (DI)(R8*1), Y1
	VMOVUPS (SI)(R8*1), Y2
	LEAQ (BX)(R8*1), R12
	WHOLE((R12))
	WHOLE((R12)(R10*1))
	WHOLE((R12)(R10*2))
	WHOLE((R12)(R15*1))
	VMOVUPS Y1, (DI)(R8*1)
	VMOVUPS Y2, (SI)(R8*1)
	ADDQ $32, R8
	JMP cols4

part4:
	CMPQ R8, R10
	JEQ next4
	VMASKMOVPS (DX)(R8*1), Y7, Y0
	VMASKMOVPS (DI)(R8*1), Y7, Y1
	VMASKMOVPS (SI)(R8*1), Y7, Y2
	LEAQ (BX)(R8*1), R12
	PART((R12))
	PART((R12)(R10*1))
	PART((R12)(R10*2))
	PART((R12)(R15*1))
	VMASKMOVPS Y1, Y7, (DI)(R8*1)
	VMASKMOVPS Y2, Y7, (SI)(R8*1)

next4:
	LEAQ (BX)(R10*4), BX
	JMP rows

row:
	SUBQ R9, R13

cols:
	CMPQ R8, R11
	JGE part
	VMOVUPS (DX)(R8*1), Y0
	VMOVUPS (DI)(R8*1), Y1
	VMOVUPS (SI)(R8*1), Y2
	WHOLE((BX)(R8*1))
	VMOVUPS Y1, (DI)(R8*1)
	VMOVUPS Y2, (SI)(R8*1)
	ADDQ $32, R8
	JMP cols

part:
	CMPQ R8, R10
	JEQ next
	VMASKMOVPS (DX)(R8*1), Y7, Y0
	VMASKMOVPS (DI)(R8*1), Y7, Y1
	VMASKMOVPS (SI)(R8*1), Y7, Y2
	PART((BX)(R8*1))
	VMASKMOVPS Y1, Y7, (DI)(R8*1)
	VMASKMOVPS Y2, Y7, (SI)(R8*1)

next:
	ADDQ R10, BX
	JMP rows

done:
	VZEROUPPER
	RET

// func rescaleAVX2(o, part, factor *float32, rows, width int)
//
// o[r] = o[r]*factor[r] + part[r], for a width that is a multiple of 16.
TEXT ·rescaleAVX2(SB), NOSPLIT, $0-40
	MOVQ o+0(FP), DI
	MOVQ part+8(FP), SI
	MOVQ factor+16(FP), DX
	MOVQ rows+24(FP), R8
	MOVQ width+32(FP), R9

row:
	VBROADCASTSS (DX), Y0
	MOVQ R9, CX

cols:
	VMOVUPS (DI), Y1
	VMOVUPS 32(DI), Y2
	VFMADD213PS (SI), Y0, Y1
	VFMADD213PS 32(SI), Y0, Y2
	VMOVUPS Y1, (DI)
	VMOVUPS Y2, 32(DI)
	ADDQ $64, DI
	ADDQ $64, SI
	SUBQ $16, CX
	JG cols
	ADDQ $4, DX
	DECQ R8
	JNZ row
	VZEROUPPER
	RET
