// Shared by the loops over scores.

// SOFTMAX_BLOCK loads the fields of the softmaxBlock at b that every softmax
// needs, except the scale.
#define SOFTMAX_BLOCK(b) \
	MOVQ softmaxBlock_scores(b), SI; \
	MOVQ softmaxBlock_ld(b), R9; \
	MOVQ softmaxBlock_probs(b), DI; \
	MOVQ softmaxBlock_pitch(b), R10; \
	MOVQ softmaxBlock_rows(b), R11; \
	MOVQ softmaxBlock_cols(b), R12; \
	MOVQ softmaxBlock_max(b), R13; \
	MOVQ softmaxBlock_sum(b), BX; \
	MOVQ softmaxBlock_factor(b), R15

// EXPONENTIAL(x, t, y): y = 2^x for any x that is no NaN, as probabilities that
// become bfloat16 need it: see softmaxBlock for those above 0. It clobbers t.
// Z24..Z27 hold c0..c3 of exp2BF16Table. VREDUCEPS $1 gives x - floor(x), VSCALEFPS multiplies by 2^floor(x).
#define EXPONENTIAL(x, t, y) \
	VREDUCEPS $1, x, t; \
	VMOVAPS Z27, y; \
	VFMADD213PS Z26, t, y; \
	VFMADD213PS Z25, t, y; \
	VFMADD213PS Z24, t, y; \
	VSCALEFPS x, y, y

// SOFTMAX_CONSTANTS loads what EXPONENTIAL needs and leaves the address
// of exp2BF16Table in AX.
#define SOFTMAX_CONSTANTS \
	LEAQ ·exp2BF16Table(SB), AX; \
	VBROADCASTSS 0(AX), Z24; \
	VBROADCASTSS 4(AX), Z25; \
	VBROADCASTSS 8(AX), Z26; \
	VBROADCASTSS 12(AX), Z27
