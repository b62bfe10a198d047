//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "amx_amd64.h"
#include "avx512_amd64.h"
#include "softmax_avx512_amd64.h"

// Bytes between rows.
#define SCORES (4*const_scoreLine)
#define PROBS const_probsLine
#define OUTPUT (4*const_fusedDim)

// EXPONENTIALS turns the 32 scores at off in the row into 2^(scale*x - max),
// adds them to the sums and stores them as bfloat16. Meanwhile it updates the
// maximum with the 32 scores below, which are the next row's, and prefetches an
// eighth of the keys or values of the next iteration: the loads of tiles, which
// a lack of registers holds up, then find them in L1 (5 % more).
#define EXPONENTIALS(off) \
	VMOVAPS Z30, Z0; \
	VFMSUB132PS (off)(R11), Z31, Z0; \
	VMOVAPS Z30, Z1; \
	VFMSUB132PS (off+64)(R11), Z31, Z1; \
	VMAXPS (SCORES+off)(R11), Z18, Z18; \
	VMAXPS (SCORES+off+64)(R11), Z19, Z19; \
	PREFETCHT0 (4096+4*off)(DX); \
	PREFETCHT0 (4160+4*off)(DX); \
	PREFETCHT0 (4224+4*off)(DX); \
	PREFETCHT0 (4288+4*off)(DX); \
	EXPONENTIAL(Z0, Z2, Z4); \
	PREFETCHT0 (4352+4*off)(DX); \
	PREFETCHT0 (4416+4*off)(DX); \
	PREFETCHT0 (4480+4*off)(DX); \
	PREFETCHT0 (4544+4*off)(DX); \
	EXPONENTIAL(Z1, Z3, Z5); \
	VADDPS Z4, Z16, Z16; \
	VADDPS Z5, Z17, Z17; \
	VCVTNE2PS2BF16(4, 5, 6); \
	VMOVDQU16 Z6, (off/2)(R12)

// LARGEST sets X20 to the scaled maximum of Z18 and Z19, which it resets.
#define LARGEST \
	VMAXPS Z19, Z18, Z20; \
	VMOVAPS Z21, Z18; \
	VMOVAPS Z21, Z19; \
	VEXTRACTF64X4 $1, Z20, Y22; \
	VMAXPS Y22, Y20, Y20; \
	VEXTRACTF32X4 $1, Y20, X22; \
	VMAXPS X22, X20, X20; \
	VPERMILPS $0x4E, X20, X22; \
	VMAXPS X22, X20, X20; \
	VPERMILPS $0xB1, X20, X22; \
	VMAXPS X22, X20, X20; \
	VMULSS X30, X20, X20

// BEGIN_ROW sets the row's maximum (Z31) to the larger of X20 and its maximum
// so far. If that is a new maximum, which is rare after the first blocks of
// keys, it scales the row's sum and output by the exponential of the
// difference.
#define BEGIN_ROW(same) \
	VMOVSS (R13), X2; \
	VMAXSS X2, X20, X0; \
	VXORPS Z16, Z16, Z16; \
	VXORPS Z17, Z17, Z17; \
	VBROADCASTSS X0, Z31; \
	VUCOMISS X2, X0; \
	JE same; \
	VMOVSS X0, (R13); \
	VSUBSS X0, X2, X2; \
	VBROADCASTSS X2, Z2; \
	EXPONENTIAL(Z2, Z3, Z4); \
	VMULPS (R14), Z4, Z5; \
	VMOVUPS Z5, (R14); \
	VMULPS (R15), Z4, Z5; \
	VMOVUPS Z5, (R15); \
	VMULPS 64(R15), Z4, Z5; \
	VMOVUPS Z5, 64(R15); \
	VMULPS 128(R15), Z4, Z5; \
	VMOVUPS Z5, 128(R15); \
	VMULPS 192(R15), Z4, Z5; \
	VMOVUPS Z5, 192(R15); \
same:

#define END_ROW \
	VADDPS Z17, Z16, Z16; \
	VADDPS (R14), Z16, Z16; \
	VMOVUPS Z16, (R14); \
	ADDQ $SCORES, R11; \
	ADDQ $PROBS, R12; \
	ADDQ $4, R13; \
	ADDQ $64, R14; \
	ADDQ $OUTPUT, R15

// func attendAMX(b *attendBlock)
//
// One stage works on three units of 16 queries and 256 keys at once: the scores
// of one (32 tile products), the softmax of the previous one (16 rows), and the
// weighted values of the one before that (32 tile products). An iteration of
// the loops is one row and 4 products. Neither waits for the other, so the tile
// unit works while the vector units compute exponentials, and the stage takes
// as long as the slower of the two.
//
// Tiles: T0 (and T1) hold sums, T4 (and T1) queries or probabilities, T6 keys
// or values. Why only four: see amxLoops.
TEXT ·attendAMX(SB), NOSPLIT, $16-8
	MOVQ b+0(FP), R8
	MOVQ attendBlock_stages(R8), R9
	MOVQ attendBlock_n(R8), AX
	MOVQ AX, 0(SP) // stages left
	VBROADCASTSS attendBlock_scale(R8), Z30
	SOFTMAX_CONSTANTS
	VBROADCASTSS 24(AX), Z21 // -Inf
	MOVQ $64, CX
	LEAQ tileConfig<>(SB), AX
	LDTILECFG(RAX)

stage:
	MOVQ attendStage_queries(R9), AX
	MOVQ attendBlock_lda(R8), SI
	TILELOADD(4, RAX, RSI, 0)
	TILELOADD(1, RAX, RSI, 64)
	MOVQ attendStage_keys(R9), DX
	MOVQ attendStage_scores(R9), DI
	MOVQ $SCORES, BX
	MOVQ attendStage_from(R9), R11
	MOVQ attendStage_probs(R9), R12
	MOVQ attendStage_max(R9), R13
	MOVQ attendStage_sum(R9), R14
	MOVQ attendStage_rescale(R9), R15

	VMOVUPS (R11), Z18
	VMOVUPS 64(R11), Z19
	VMAXPS 128(R11), Z18, Z18
	VMAXPS 192(R11), Z19, Z19
	VMAXPS 256(R11), Z18, Z18
	VMAXPS 320(R11), Z19, Z19
	VMAXPS 384(R11), Z18, Z18
	VMAXPS 448(R11), Z19, Z19
	VMAXPS 512(R11), Z18, Z18
	VMAXPS 576(R11), Z19, Z19
	VMAXPS 640(R11), Z18, Z18
	VMAXPS 704(R11), Z19, Z19
	VMAXPS 768(R11), Z18, Z18
	VMAXPS 832(R11), Z19, Z19
	VMAXPS 896(R11), Z18, Z18
	VMAXPS 960(R11), Z19, Z19
	LARGEST
	MOVQ $8, R10

	// Rows 0 to 7, each with the scores of a panel of 32 keys.
scores:
	BEGIN_ROW(sameS)
	TILEZERO(0)
	EXPONENTIALS(0)
	TILELOADD(6, RDX, RCX, 0)
	TDPBF16PS(0, 4, 6)
	EXPONENTIALS(128)
	TILELOADD(6, RDX, RCX, 2048)
	TDPBF16PS(0, 1, 6)
	EXPONENTIALS(256)
	EXPONENTIALS(384)
	TILESTORED(0, RDI, RBX, 0)
	TILEZERO(0)
	EXPONENTIALS(512)
	TILELOADD(6, RDX, RCX, 1024)
	TDPBF16PS(0, 4, 6)
	EXPONENTIALS(640)
	TILELOADD(6, RDX, RCX, 3072)
	TDPBF16PS(0, 1, 6)
	EXPONENTIALS(768)
	EXPONENTIALS(896)
	TILESTORED(0, RDI, RBX, 64)
	ADDQ $4096, DX
	ADDQ $128, DI
	LARGEST
	END_ROW
	DECQ R10
	JNZ  scores

	MOVQ attendStage_values(R9), DX
	MOVQ attendStage_weightedValue(R9), DI
	MOVQ $PROBS, SI
	MOVQ $OUTPUT, BX
	MOVQ $2, 8(SP) // panels of values

	// Rows 8 to 15, each with 64 keys of a panel of 32 values.
panel:
	MOVQ attendStage_probsBefore(R9), AX
	TILELOADD(0, RDI, RBX, 0)
	TILELOADD(1, RDI, RBX, 64)
	MOVQ $4, R10

values:
	BEGIN_ROW(sameV)
	TILELOADD(4, RAX, RSI, 0)
	EXPONENTIALS(0)
	TILELOADD(6, RDX, RCX, 0)
	TDPBF16PS(0, 4, 6)
	EXPONENTIALS(128)
	TILELOADD(6, RDX, RCX, 1024)
	TDPBF16PS(1, 4, 6)
	EXPONENTIALS(256)
	EXPONENTIALS(384)
	TILELOADD(4, RAX, RSI, 64)
	EXPONENTIALS(512)
	TILELOADD(6, RDX, RCX, 2048)
	TDPBF16PS(0, 4, 6)
	EXPONENTIALS(640)
	TILELOADD(6, RDX, RCX, 3072)
	TDPBF16PS(1, 4, 6)
	EXPONENTIALS(768)
	EXPONENTIALS(896)
	ADDQ $4096, DX
	ADDQ $128, AX
	LARGEST
	END_ROW
	DECQ R10
	JNZ  values

	TILESTORED(0, RDI, RBX, 0)
	TILESTORED(1, RDI, RBX, 64)
	ADDQ $128, DI
	MOVQ attendStage_values(R9), DX
	ADDQ attendBlock_panel(R8), DX // the second panel
	DECQ 8(SP)
	JNZ  panel

	ADDQ $attendStage__size, R9
	DECQ 0(SP)
	JNZ  stage
	TILERELEASE
	VZEROUPPER
	RET
