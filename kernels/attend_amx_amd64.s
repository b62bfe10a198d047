//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "amx_amd64.h"
#include "softmax_avx512_amd64.h"

// Between rows of scores and output, and of probabilities: 32 queries.
#define LINE (4*const_fusedRows)

// PAIR turns the scores of two keys into probabilities 2^(scale*x - max), adds
// them to the sums and stores a row of a tile of probabilities for each half of
// the queries: pairs of bfloat16, one of either key, as TDPBF16PS multiplies
// them. off is the offset of the first score.
//
// A float32, half a unit of its upper 16 bits added, has in these the nearest
// bfloat16, the larger of two as near. VPSHUFB puts one key's below the other's.
// For 32 probabilities that takes 2 cycles. VCVTNE2PS2BF16 and VPERMW take 3.2.
#define PAIR(off) \
	VMOVAPS Z30, Z0; \
	VMOVAPS Z30, Z1; \
	VMOVAPS Z30, Z2; \
	VMOVAPS Z30, Z3; \
	VFMSUB132PS (off)(R11), Z22, Z0; \
	VFMSUB132PS (off+64)(R11), Z23, Z1; \
	VFMSUB132PS (off+LINE)(R11), Z22, Z2; \
	VFMSUB132PS (off+LINE+64)(R11), Z23, Z3; \
	EXPONENTIAL(Z0, Z8, Z4); \
	EXPONENTIAL(Z1, Z9, Z5); \
	EXPONENTIAL(Z2, Z10, Z6); \
	EXPONENTIAL(Z3, Z11, Z7); \
	VADDPS Z4, Z16, Z16; \
	VADDPS Z5, Z17, Z17; \
	VPADDD Z4, Z28, Z4; \
	VPADDD Z5, Z28, Z5; \
	VADDPS Z6, Z16, Z16; \
	VADDPS Z7, Z17, Z17; \
	VPADDD Z6, Z28, Z6; \
	VPADDD Z7, Z28, Z7; \
	VPSHUFB Z12, Z4, K3, Z6; \
	VPSHUFB Z12, Z5, K3, Z7; \
	VMOVDQU16 Z6, (off/2)(R12); \
	VMOVDQU16 Z7, (off/2+64)(R12)

// EXPONENTS turns whole numbers x <= 0 into what to subtract from two bfloat16
// that become 2^x of what they are. Z6 holds -255; Z2 is clobbered.
#define EXPONENTS(x) \
	VMAXPS Z6, x, x; \
	VCVTPS2DQ x, x; \
	VPABSD x, x; \
	VPSLLD $7, x, x; \
	VPSLLD $16, x, Z2; \
	VPORD Z2, x, x

// LARGEST takes the scores of four keys, from off on, into the maxima.
#define LARGEST(off) \
	VMAXPS (off)(R13), Z18, Z18; \
	VMAXPS (off+64)(R13), Z19, Z19; \
	VMAXPS (off+LINE)(R13), Z20, Z20; \
	VMAXPS (off+LINE+64)(R13), Z21, Z21; \
	VMAXPS (off+2*LINE)(R13), Z18, Z18; \
	VMAXPS (off+2*LINE+64)(R13), Z19, Z19; \
	VMAXPS (off+3*LINE)(R13), Z20, Z20; \
	VMAXPS (off+3*LINE+64)(R13), Z21, Z21

// STORE puts the sums of 32x32 results in their place.
#define STORE \
	TILESTORED(0, RDI, RBX, 0); \
	TILESTORED(1, RDI, RBX, 64); \
	TILESTORED(2, RDI, RBX, (16*LINE)); \
	TILESTORED(3, RDI, RBX, (16*LINE+64))

// MULTIPLY adds the products of two left and two right tiles.
#define MULTIPLY \
	TDPBF16PS(0, 4, 6); \
	TDPBF16PS(1, 4, 7); \
	TDPBF16PS(2, 5, 6); \
	TDPBF16PS(3, 5, 7)

// SCORES computes those of 32 keys, while pairs of keys become probabilities.
#define SCORES \
	TILELOADDT1(4, RDX, RCX, 0); \
	TILELOADD(6, RAX, RCX, 0); \
	TILELOADD(7, RAX, RCX, 1024); \
	TILELOADDT1(5, RDX, RCX, 2048); \
	PAIR(0); \
	PAIR((2*LINE)); \
	STORE; \
	PAIR((4*LINE)); \
	TILEZERO(0); \
	TILEZERO(1); \
	TILEZERO(2); \
	TILEZERO(3); \
	MULTIPLY; \
	TILELOADDT1(4, RDX, RCX, 1024); \
	TILELOADD(6, RAX, RCX, 2048); \
	TILELOADD(7, RAX, RCX, 3072); \
	TILELOADDT1(5, RDX, RCX, 3072); \
	PAIR((6*LINE)); \
	PAIR((8*LINE)); \
	MULTIPLY; \
	PAIR((10*LINE)); \
	PAIR((12*LINE)); \
	PAIR((14*LINE))

// VALUES adds the products of 32 keys. PAIR and LARGEST go on meanwhile.
#define VALUES \
	TILELOADDT1(4, RDX, RCX, 0); \
	TILELOADD(6, RSI, RBX, 0); \
	TILELOADD(7, RSI, RBX, 64); \
	TILELOADDT1(5, RDX, RCX, 1024); \
	PAIR(0); \
	LARGEST(0); \
	MULTIPLY; \
	PAIR((2*LINE)); \
	LARGEST((4*LINE)); \
	PAIR((4*LINE)); \
	LARGEST((8*LINE)); \
	PAIR((6*LINE)); \
	LARGEST((12*LINE))

// downwards is VPSHUFB's table for the upper words of 32-bit numbers, which
// become the lower ones. K3 has the bits of these.
DATA downwards<>+0(SB)/8, $0x0000070600000302
DATA downwards<>+8(SB)/8, $0x00000F0E00000B0A
DATA downwards<>+16(SB)/8, $0x0000070600000302
DATA downwards<>+24(SB)/8, $0x00000F0E00000B0A
DATA downwards<>+32(SB)/8, $0x0000070600000302
DATA downwards<>+40(SB)/8, $0x00000F0E00000B0A
DATA downwards<>+48(SB)/8, $0x0000070600000302
DATA downwards<>+56(SB)/8, $0x00000F0E00000B0A
GLOBL downwards<>(SB), RODATA|NOPTR, $64

// func attendAMX(b *attendBlock)
//
// One stage works on three blocks of 64 keys at once, mostly of the same 32
// queries: the scores of one (16 tile products), the softmax of the one before (64
// rows), and the weighted values of the one before that (16 tile products). No
// part waits for another.
//
// They share ports, though. A product holds the multiplier of port 5 for its 16
// cycles, which leaves that of port 0 to the exponentials; a TILELOADD takes
// both ports for 8 cycles, a TILESTORED for 14, if L1 has the lines. TILEZERO
// costs 36 cycles of the tile unit, but a load of zeros in its place takes longer,
// 0.96 to 1.
//
// A tile is stored long after its last product, when the numbers are there; DI
// is where T0..T3 go then.
//
// Tiles: T0..T3 sums, T4 and T5 the left factors, T6 and T7 the right ones.
//
// Registers: Z16, Z17 sums, Z18..Z21 the largest scores, Z22, Z23 the maximum
// that is subtracted, Z24..Z27 the polynomial, Z12 and K3 downwards, Z28 half a
// unit of bfloat16, Z29 slack, Z30 scale, Z31 -Inf.
TEXT ·attendAMX(SB), NOSPLIT, $16-8
	MOVQ b+0(FP), R8
	MOVQ attendBlock_stages(R8), R9
	MOVQ attendBlock_n(R8), AX
	MOVQ AX, 0(SP) // stages left
	VBROADCASTSS attendBlock_scale(R8), Z30
	SOFTMAX_CONSTANTS
	VBROADCASTSS 16(AX), Z31
	VBROADCASTSS 20(AX), Z29
	VMOVDQU16 downwards<>(SB), Z12
	MOVQ $0x3333333333333333, AX
	KMOVQ AX, K3
	MOVL $0x8000, AX
	VPBROADCASTD AX, Z28
	VMOVAPS Z31, Z18 // before the first unit
	VMOVAPS Z31, Z19
	MOVQ $64, CX
	MOVQ $LINE, BX
	LEAQ tileConfig<>(SB), AX
	LDTILECFG(RAX)
	MOVQ attendBlock_nobody(R8), DI

stage:
	MOVQ attendStage_max(R9), R14
	MOVQ attendStage_sum(R9), R15
	VMOVUPS (R14), Z22
	VMOVUPS 64(R14), Z23
	VMOVUPS (R15), Z16
	VMOVUPS 64(R15), Z17
	VMULPS Z30, Z18, Z18
	VMULPS Z30, Z19, Z19
	VADDPS Z29, Z22, Z0
	VADDPS Z29, Z23, Z1
	VCMPPS $0x1E, Z0, Z18, K1 // greater, ordered
	VCMPPS $0x1E, Z1, Z19, K2
	KORTESTW K1, K2
	JZ same

	// A score exceeds the maximum by more than the slack. The new maximum is a
	// whole number, so that all that there is becomes less by powers of two.
	VRNDSCALEPS $0x0A, Z18, Z18 // up
	VRNDSCALEPS $0x0A, Z19, Z19
	VMAXPS Z22, Z18, Z2
	VMAXPS Z23, Z19, Z3
	VSUBPS Z2, Z22, Z0
	VSUBPS Z3, Z23, Z1
	VMOVAPS Z2, Z22
	VMOVAPS Z3, Z23
	VMOVUPS Z22, (R14)
	VMOVUPS Z23, 64(R14)
	VSCALEFPS Z0, Z24, Z4 // c0 is 1
	VSCALEFPS Z1, Z24, Z5
	VMULPS Z4, Z16, Z16
	VMULPS Z5, Z17, Z17
	STORE // which may be output of these queries
	MOVQ attendBlock_nobody(R8), DI
	MOVQ attendStage_rescale(R9), AX
	MOVQ $const_fusedDim, R10

rescale:
	VMULPS (AX), Z4, Z2
	VMULPS 64(AX), Z5, Z3
	VMOVUPS Z2, (AX)
	VMOVUPS Z3, 64(AX)
	ADDQ $LINE, AX
	DECQ R10
	JNZ rescale

	// The probabilities before may be of these queries, too.
	MOVQ attendStage_weightedValue(R9), AX
	CMPQ AX, attendStage_rescale(R9)
	JNE same
	LEAQ ·exp2BF16Table(SB), AX
	VBROADCASTSS 24(AX), Z6
	EXPONENTS(Z0)
	EXPONENTS(Z1)
	MOVQ attendStage_probsBefore(R9), AX
	MOVQ $(const_fusedKeys/2), R10

lessen:
	VMOVDQU16 (AX), Z2
	VMOVDQU16 64(AX), Z3
	VPSUBUSW Z0, Z2, Z2
	VPSUBUSW Z1, Z3, Z3
	VMOVDQU16 Z2, (AX)
	VMOVDQU16 Z3, 64(AX)
	ADDQ $LINE, AX
	DECQ R10
	JNZ lessen

same:
	MOVQ attendStage_queries(R9), AX
	MOVQ attendStage_keys(R9), DX
	MOVQ attendStage_scores(R9), R13
	MOVQ attendStage_from(R9), R11
	MOVQ attendStage_probs(R9), R12
	MOVQ $(const_fusedKeys/32), R10

	// 32 keys; a fourth of the scores become probabilities.
scores:
	SCORES
	MOVQ R13, DI
	ADDQ $4096, DX
	ADDQ $(32*LINE), R13
	ADDQ $(16*LINE), R11
	ADDQ $(8*LINE), R12
	DECQ R10
	JNZ scores

	MOVQ attendStage_values(R9), DX
	MOVQ attendStage_weightedValue(R9), AX
	MOVQ attendStage_scores(R9), R13
	VMOVAPS Z31, Z18
	VMOVAPS Z31, Z19
	VMOVAPS Z31, Z20
	VMOVAPS Z31, Z21
	MOVQ $2, 8(SP) // panels of values

	// 32 dimensions; a fourth of the scores become probabilities.
panel:
	MOVQ attendStage_probsBefore(R9), SI
	STORE
	MOVQ AX, DI
	TILELOADD(0, RDI, RBX, 0)
	TILELOADD(1, RDI, RBX, 64)
	TILELOADD(2, RDI, RBX, (16*LINE))
	TILELOADD(3, RDI, RBX, (16*LINE+64))
	ADDQ $(32*LINE), AX
	MOVQ $(const_fusedKeys/32), R10

values:
	VALUES
	ADDQ $2048, DX
	ADDQ $(16*LINE), SI
	ADDQ $(8*LINE), R11
	ADDQ $(4*LINE), R12
	ADDQ $(16*LINE), R13
	DECQ R10
	JNZ values

	MOVQ attendStage_values(R9), DX
	ADDQ attendBlock_panel(R8), DX // the second panel
	DECQ 8(SP)
	JNZ  panel

	VMAXPS Z20, Z18, Z18
	VMAXPS Z21, Z19, Z19
	VMOVUPS Z16, (R15)
	VMOVUPS Z17, 64(R15)
	ADDQ $attendStage__size, R9
	DECQ 0(SP)
	JNZ  stage
	STORE
	TILERELEASE
	VZEROUPPER
	RET
