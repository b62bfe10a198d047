// Shared by the loops over scores: 2^x for probabilities that become bfloat16.

// EXPONENTIAL(x, t, y): y = 2^x for x <= 0 or -Inf. It clobbers t. Z24..Z29
// hold c0..c5 of exp2BF16Table. VREDUCEPS $1 gives x - floor(x), VSCALEFPS
// multiplies by 2^floor(x).
#define EXPONENTIAL(x, t, y) \
	VREDUCEPS $1, x, t; \
	VMOVAPS Z29, y; \
	VFMADD213PS Z28, t, y; \
	VFMADD213PS Z27, t, y; \
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
	VBROADCASTSS 12(AX), Z27; \
	VBROADCASTSS 16(AX), Z28; \
	VBROADCASTSS 20(AX), Z29
