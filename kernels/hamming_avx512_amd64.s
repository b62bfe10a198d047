//go:build !purego

#include "textflag.h"

// nibbles has the numbers of bits of 0 to 15, and low a mask of a byte's lower
// half.
DATA nibbles<>+0(SB)/8, $0x0302020102010100
DATA nibbles<>+8(SB)/8, $0x0403030203020201
GLOBL nibbles<>(SB), RODATA|NOPTR, $16
DATA low<>+0(SB)/8, $0x0f0f0f0f0f0f0f0f
GLOBL low<>(SB), RODATA|NOPTR, $8

// Both loops take 8 codes at a time, and 8 words of each in a step. The last
// words of a code go through the mask K1, which reads nothing beyond them.
// Z0 has the query's words, Z16 to Z23 the sums of the codes, in 8 parts.

// BYTES adds the bits of z to sum: those of the two halves of each byte from a
// table, and then those of the 8 bytes of each word.
#define BYTES(z, sum) \
	VPANDQ Z31, z, Z2; \
	VPSRLW $4, z, z; \
	VPANDQ Z31, z, z; \
	VPSHUFB Z2, Z30, Z2; \
	VPSHUFB z, Z30, z; \
	VPADDB z, Z2, z; \
	VPSADBW Z29, z, z; \
	VPADDQ z, sum, sum

// WORDS does the same with AVX512_VPOPCNTDQ.
#define WORDS(z, sum) \
	VPOPCNTQ z, z; \
	VPADDQ z, sum, sum

#define WHOLE(at, COUNT, sum) \
	VPXORQ at, Z0, Z1; \
	COUNT(Z1, sum)

#define LAST(at, COUNT, sum) \
	VMOVDQU64.Z at, K1, Z1; \
	VPXORQ Z1, Z0, Z1; \
	COUNT(Z1, sum)

// EIGHT applies STEP to the 8 codes at R11, whose strides are BX and, times 3,
// 5 and 7, R8, R9 and R10.
#define EIGHT(STEP, COUNT) \
	STEP((R11), COUNT, Z16); \
	STEP((R11)(BX*1), COUNT, Z17); \
	STEP((R11)(BX*2), COUNT, Z18); \
	STEP((R11)(R8*1), COUNT, Z19); \
	STEP((R11)(BX*4), COUNT, Z20); \
	STEP((R11)(R9*1), COUNT, Z21); \
	STEP((R11)(R8*2), COUNT, Z22); \
	STEP((R11)(R10*1), COUNT, Z23)

// PAIR adds the parts of two sums, a's in the even words of a and b's in the
// odd ones.
#define PAIR(a, b) \
	VPUNPCKLQDQ b, a, Z0; \
	VPUNPCKHQDQ b, a, Z1; \
	VPADDQ Z1, Z0, a

// HALVE adds the even and the odd pairs of words of a, and those of b behind
// them.
#define HALVE(a, b) \
	VSHUFI64X2 $0x88, b, a, Z0; \
	VSHUFI64X2 $0xDD, b, a, Z1; \
	VPADDQ Z1, Z0, a

#define HAMMING(COUNT) \
	MOVQ dst+0(FP), DI; \
	MOVQ query+8(FP), SI; \
	MOVQ codes+16(FP), R11; \
	MOVQ words+24(FP), R12; \
	MOVQ blocks+32(FP), R13; \
	LEAQ (R12*8), BX; \
	LEAQ (BX)(BX*2), R8; \
	LEAQ (BX)(BX*4), R9; \
	LEAQ (R8)(BX*4), R10; \
	MOVQ R12, CX; \
	ANDQ $7, CX; \
	MOVQ $1, AX; \
	SHLQ CX, AX; \
	DECQ AX; \
	KMOVD AX, K1; \
	SHRQ $3, R12; \
block: \
	VPXORQ Z16, Z16, Z16; \
	VPXORQ Z17, Z17, Z17; \
	VPXORQ Z18, Z18, Z18; \
	VPXORQ Z19, Z19, Z19; \
	VPXORQ Z20, Z20, Z20; \
	VPXORQ Z21, Z21, Z21; \
	VPXORQ Z22, Z22, Z22; \
	VPXORQ Z23, Z23, Z23; \
	MOVQ SI, DX; \
	MOVQ R12, AX; \
	TESTQ AX, AX; \
	JEQ last; \
step: \
	VMOVDQU64 (DX), Z0; \
	EIGHT(WHOLE, COUNT); \
	ADDQ $64, DX; \
	ADDQ $64, R11; \
	DECQ AX; \
	JNE step; \
last: \
	TESTQ CX, CX; \
	JEQ sum; \
	VMOVDQU64.Z (DX), K1, Z0; \
	EIGHT(LAST, COUNT); \
	LEAQ (R11)(CX*8), R11; \
sum: \
	PAIR(Z16, Z17); \
	PAIR(Z18, Z19); \
	PAIR(Z20, Z21); \
	PAIR(Z22, Z23); \
	HALVE(Z16, Z18); \
	HALVE(Z20, Z22); \
	HALVE(Z16, Z20); \
	VPMOVQW Z16, (DI); \
	ADDQ $16, DI; \
	ADDQ R10, R11; \
	DECQ R13; \
	JNE block; \
	VZEROUPPER; \
	RET

// func hammingBytesAVX512(dst *uint16, query, codes *uint64, words, blocks int)
TEXT ·hammingBytesAVX512(SB), NOSPLIT, $0-40
	VBROADCASTI32X4 nibbles<>(SB), Z30
	VPBROADCASTQ low<>(SB), Z31
	VPXORQ Z29, Z29, Z29
	HAMMING(BYTES)

// func hammingWordsAVX512(dst *uint16, query, codes *uint64, words, blocks int)
TEXT ·hammingWordsAVX512(SB), NOSPLIT, $0-40
	HAMMING(WORDS)
