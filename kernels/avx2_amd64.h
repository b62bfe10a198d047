// Shared by the AVX2 loops over elements. Columns are taken 8 at a time; the
// last of them go through VMASKMOVPS, which neither reads nor writes the
// elements outside of its mask. AMD's stores under a mask take some forty
// operations: whole vectors must not use them.

// 16 words of ones and 16 of zeros: a mask for n elements lies 16-n words on.
#define MASK_TABLE \
	DATA masks<>+0(SB)/8, $-1; \
	DATA masks<>+8(SB)/8, $-1; \
	DATA masks<>+16(SB)/8, $-1; \
	DATA masks<>+24(SB)/8, $-1; \
	DATA masks<>+32(SB)/8, $-1; \
	DATA masks<>+40(SB)/8, $-1; \
	DATA masks<>+48(SB)/8, $-1; \
	DATA masks<>+56(SB)/8, $-1; \
	DATA masks<>+64(SB)/8, $0; \
	GLOBL masks<>(SB), RODATA|NOPTR, $128

// MASK sets y to select the first n of 8 elements, n <= 16 in CX, and MASK2
// two registers for the first n of 16. Both clobber AX and CX.
#define MASK(y) \
	LEAQ masks<>+64(SB), AX; \
	NEGQ CX; \
	VMOVUPS (AX)(CX*4), y

#define MASK2(y0, y1) \
	MASK(y0); \
	VMOVUPS 32(AX)(CX*4), y1

// SPREAD defines a constant of 8 equal float32, two of which are given as bits.
#define SPREAD(name, bits) \
	DATA name<>+0(SB)/8, bits; \
	DATA name<>+8(SB)/8, bits; \
	DATA name<>+16(SB)/8, bits; \
	DATA name<>+24(SB)/8, bits; \
	GLOBL name<>(SB), RODATA|NOPTR, $32

// EXP2_TABLE holds the constants of EXP2.
#define EXP2_TABLE \
	SPREAD(one, $0x3f8000003f800000); \
	SPREAD(e1, $0x3f3172163f317216); \
	SPREAD(e2, $0x3e75fe9d3e75fe9d); \
	SPREAD(e3, $0x3d63457b3d63457b); \
	SPREAD(e4, $0x3c1e7ec13c1e7ec1); \
	SPREAD(e5, $0x3aa39b9d3aa39b9d); \
	SPREAD(e6, $0x396222b6396222b6); \
	SPREAD(most, $0x4300000043000000); \
	SPREAD(least, $0xc2fe0000c2fe0000)

// EXP2 sets p = 2^z, to 0.9 units in the last place. f and z are clobbered.
//
// The polynomial is that of avx512_amd64.h. 2^floor(z) is a number added to the
// exponent of p, which is 1 <= p <= 2. z is held between -127 and 128, where f
// is 0 and p is 1 and the exponent becomes that of 0 and of infinity: so do all
// results beyond. Between -127 and -126 it is that of denormals: the result is
// (p-1) 2^-126, which falls to 0. NaN stays, as VMINPS and VMAXPS give their
// second source if one is NaN, and as its integer is 0x80000000, of which the
// shift leaves nothing.
#define EXP2(z, f, p) \
	VMOVUPS most<>(SB), f; \
	VMINPS z, f, z; \
	VMOVUPS least<>(SB), f; \
	VMAXPS z, f, z; \
	VROUNDPS $9, z, p; \
	VSUBPS p, z, f; \
	VCVTTPS2DQ p, z; \
	VPSLLD $23, z, z; \
	VMOVUPS e6<>(SB), p; \
	VFMADD213PS e5<>(SB), f, p; \
	VFMADD213PS e4<>(SB), f, p; \
	VFMADD213PS e3<>(SB), f, p; \
	VFMADD213PS e2<>(SB), f, p; \
	VFMADD213PS e1<>(SB), f, p; \
	VFMADD213PS one<>(SB), f, p; \
	VPADDD z, p, p

// REDUCE combines the 8 elements of y with op into the lowest. Clobbers t.
#define REDUCE(op, y, x, tx) \
	VEXTRACTF128 $1, y, tx; \
	op tx, x, x; \
	VMOVHLPS x, x, tx; \
	op tx, x, x; \
	VMOVSHDUP x, tx; \
	op tx, x, x
