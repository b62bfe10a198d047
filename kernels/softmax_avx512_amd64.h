// What the loops over scores share: 2^x for probabilities that become bfloat16.

// 2^f for f in [0,1), minimax, relative error 9e-8: c0 + f(c1 + f(c2 + ...)).
DATA exp2c<>+0(SB)/4, $0x3f7fffff
DATA exp2c<>+4(SB)/4, $0x3f31727b
DATA exp2c<>+8(SB)/4, $0x3e75ead4
DATA exp2c<>+12(SB)/4, $0x3d64aa23
DATA exp2c<>+16(SB)/4, $0x3c134807
DATA exp2c<>+20(SB)/4, $0x3af61904
DATA exp2c<>+24(SB)/4, $0xff800000 // -Inf
GLOBL exp2c<>(SB), RODATA|NOPTR, $28

// POWER(x, t, y): y = 2^x for x <= 0 or -Inf, t is spent. Z24..Z29 hold c0..c5.
// VREDUCEPS $1 gives x - floor(x), VSCALEFPS multiplies by 2^floor(x).
#define POWER(x, t, y) \
	VREDUCEPS $1, x, t; \
	VMOVAPS Z29, y; \
	VFMADD213PS Z28, t, y; \
	VFMADD213PS Z27, t, y; \
	VFMADD213PS Z26, t, y; \
	VFMADD213PS Z25, t, y; \
	VFMADD213PS Z24, t, y; \
	VSCALEFPS x, y, y

// SOFTMAX_CONSTANTS loads what POWER needs and leaves the address of exp2c in AX.
#define SOFTMAX_CONSTANTS \
	LEAQ exp2c<>(SB), AX; \
	VBROADCASTSS 0(AX), Z24; \
	VBROADCASTSS 4(AX), Z25; \
	VBROADCASTSS 8(AX), Z26; \
	VBROADCASTSS 12(AX), Z27; \
	VBROADCASTSS 16(AX), Z28; \
	VBROADCASTSS 20(AX), Z29
