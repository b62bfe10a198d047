//go:build !purego

#include "textflag.h"
#include "avx512_amd64.h"

// WIDEN_LOOP runs a body that widens 16 elements at SI, under K1, into Z0.
#define WIDEN_LOOP(body) \
	MOVQ dst+0(FP), DI; \
	MOVQ src+8(FP), SI; \
	MOVQ n+16(FP), BX; \
	KXNORW K0, K0, K1; \
loop: \
	SUBQ $16, BX; \
	JGE whole; \
	MOVQ BX, CX; \
	ADDQ $16, CX; \
	JLE done; \
	MASK(DX, K1); \
whole: \
	body; \
	VMOVUPS Z0, K1, (DI); \
	ADDQ $32, SI; \
	ADDQ $64, DI; \
	TESTQ BX, BX; \
	JG loop; \
done: \
	VZEROUPPER; \
	RET

#define WIDEN_F16 VCVTPH2PS.Z (SI), K1, Z0

#define WIDEN_BF16 \
	VPMOVZXWD.Z (SI), K1, Z0; \
	VPSLLD $16, Z0, Z0

// VPERMT2W with these indices takes the odd words of two vectors: the upper
// halves of 32 float32.
DATA odd<>+0(SB)/8, $0x0007000500030001
DATA odd<>+8(SB)/8, $0x000f000d000b0009
DATA odd<>+16(SB)/8, $0x0017001500130011
DATA odd<>+24(SB)/8, $0x001f001d001b0019
DATA odd<>+32(SB)/8, $0x0027002500230021
DATA odd<>+40(SB)/8, $0x002f002d002b0029
DATA odd<>+48(SB)/8, $0x0037003500330031
DATA odd<>+56(SB)/8, $0x003f003d003b0039
GLOBL odd<>(SB), RODATA|NOPTR, $64

// ROUND sets the upper halves of r's dwords to x rounded to bfloat16, to
// nearest even: x + 0x7fff + the last bit that stays. A NaN gets the bit that
// makes it quiet, so that it cannot become infinite.
#define ROUND(x, r) \
	VPSRLD $16, x, r; \
	VPANDD Z28, r, r; \
	VPADDD Z29, r, r; \
	VCMPPS $3, x, x, K4; \
	VPADDD x, r, r; \
	VPORD Z30, x, K4, r

// BLOCK_MASKS sets masks for the next 32 of BX columns: K1 and K2 for the first
// and the second 16, K3 for all. CX is the number of columns, 0 or less at the
// end.
#define BLOCK_MASKS \
	MOVQ $32, CX; \
	CMPQ BX, CX; \
	CMOVQLT BX, CX; \
	MASK(AX, K3); \
	KMOVW K3, K1; \
	KSHIFTRD $16, K3, K2

// func splitAVX512(dst unsafe.Pointer, pitch, planeBytes, planes int, src *float32, lds, rows, cols int)
TEXT ·splitAVX512(SB), NOSPLIT, $0-64
	MOVQ dst+0(FP), DI
	MOVQ planeBytes+16(FP), R9
	MOVQ src+32(FP), SI
	MOVQ lds+40(FP), R11
	MOVQ rows+48(FP), R12
	SHLQ $2, R11
	VMOVDQU64 odd<>(SB), Z27
	MOVL $1, AX
	VPBROADCASTD AX, Z28
	MOVL $0x7fff, AX
	VPBROADCASTD AX, Z29
	MOVL $0x400000, AX
	VPBROADCASTD AX, Z30
	MOVL $0xffff0000, AX
	VPBROADCASTD AX, Z31

row:
	DECQ R12
	JLT done
	MOVQ cols+56(FP), BX
	XORQ R13, R13 // columns done, in bytes of dst

block:
	TESTQ BX, BX
	JLE next
	BLOCK_MASKS
	VMOVUPS.Z (SI)(R13*2), K1, Z0
	VMOVUPS.Z 64(SI)(R13*2), K2, Z1
	LEAQ (DI)(R13*1), DX
	MOVQ planes+24(FP), R10

plane:
	ROUND(Z0, Z2)
	ROUND(Z1, Z3)
	VMOVAPS Z2, Z4
	VPERMT2W Z3, Z27, Z4
	VMOVDQU16 Z4, K3, (DX)
	DECQ R10
	JZ advance
	VPANDD Z31, Z2, Z2
	VPANDD Z31, Z3, Z3
	VSUBPS Z2, Z0, Z0
	VSUBPS Z3, Z1, Z1
	ADDQ R9, DX
	JMP plane

advance:
	ADDQ $64, R13
	SUBQ $32, BX
	JMP block

next:
	ADDQ pitch+8(FP), DI
	ADDQ R11, SI
	JMP row

done:
	VZEROUPPER
	RET

// func convertAVX512BF16(dst unsafe.Pointer, pitch int, src *float32, lds, rows, cols int)
TEXT ·convertAVX512BF16(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ pitch+8(FP), R8
	MOVQ src+16(FP), SI
	MOVQ lds+24(FP), R9
	MOVQ rows+32(FP), R12
	SHLQ $2, R9
	MOVQ cols+40(FP), R10

row:
	DECQ R12
	JLT done
	MOVQ R10, BX
	XORQ R13, R13 // columns done, in bytes of dst

whole:
	SUBQ $32, BX
	JLT rest
	VMOVUPS (SI)(R13*2), Z0
	VMOVUPS 64(SI)(R13*2), Z1
	VCVTNE2PS2BF16(0, 1, 0)
	VMOVDQU16 Z0, (DI)(R13*1)
	ADDQ $64, R13
	JMP whole

rest:
	ADDQ $32, BX
	JLE next
	BLOCK_MASKS
	VMOVUPS.Z (SI)(R13*2), K1, Z0
	VMOVUPS.Z 64(SI)(R13*2), K2, Z1
	VCVTNE2PS2BF16(0, 1, 0)
	VMOVDQU16 Z0, K3, (DI)(R13*1)

next:
	ADDQ R8, DI
	ADDQ R9, SI
	JMP row

done:
	VZEROUPPER
	RET

// func f16AVX512(dst *float32, src *byte, n int)
TEXT ·f16AVX512(SB), NOSPLIT, $0-24
	WIDEN_LOOP(WIDEN_F16)

// func bf16AVX512(dst *float32, src *byte, n int)
TEXT ·bf16AVX512(SB), NOSPLIT, $0-24
	WIDEN_LOOP(WIDEN_BF16)

// HALVES splits 16 float16 at x into h, rounded to bfloat16, and the rest l,
// both as float32. float16 has 11 bits and bfloat16 8, so l has 3 and needs no
// rounding. Only the upper half of h counts. A NaN may get lost in h, but not
// in l.
#define HALVES(x, h, l, t) \
	VCVTPH2PS.Z x, K1, l; \
	VPSRLD $16, l, t; \
	VPANDD Z28, t, t; \
	VPADDD Z29, l, h; \
	VPADDD t, h, h; \
	VPANDD Z31, h, t; \
	VSUBPS t, l, l

// func splitF16AVX512(high, low, src *byte, n int)
TEXT ·splitF16AVX512(SB), NOSPLIT, $0-32
	MOVQ high+0(FP), DI
	MOVQ low+8(FP), DX
	MOVQ src+16(FP), SI
	MOVQ n+24(FP), BX
	VMOVDQU64 odd<>(SB), Z27
	MOVL $1, AX
	VPBROADCASTD AX, Z28
	MOVL $0x7fff, AX
	VPBROADCASTD AX, Z29
	MOVL $0xffff0000, AX
	VPBROADCASTD AX, Z31

loop:
	TESTQ BX, BX
	JLE done
	BLOCK_MASKS
	HALVES((SI), Z0, Z2, Z4)
	KMOVW K2, K1
	HALVES(32(SI), Z1, Z3, Z4)
	VPERMT2W Z1, Z27, Z0
	VPERMT2W Z3, Z27, Z2
	VMOVDQU16 Z0, K3, (DI)
	VMOVDQU16 Z2, K3, (DX)
	ADDQ $64, SI
	ADDQ $64, DI
	ADDQ $64, DX
	SUBQ $32, BX
	JMP loop

done:
	VZEROUPPER
	RET
