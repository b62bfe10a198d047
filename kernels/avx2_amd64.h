// Shared by the AVX2 loops over elements. They take 8 columns at a time; the
// last columns go through VMASKMOVPS, which neither reads nor writes the
// elements outside of its mask. On AMD processors a store under a mask takes
// some forty operations, so whole vectors must not use it.

// MASK sets y to select the first n of 8 elements, with n <= 16 in CX. MASK2
// sets two registers to select the first n of 16. Both clobber AX and CX. A mask
// for n elements begins at word 16-n of maskTable.
#define MASK(y) \
	LEAQ ·maskTable+64(SB), AX; \
	NEGQ CX; \
	VMOVUPS (AX)(CX*4), y

#define MASK2(y0, y1) \
	MASK(y0); \
	VMOVUPS 32(AX)(CX*4), y1

// Constants of exp2Table and geluTable, in rows of 8 equal float32.
#define EXP2_C(i) ·exp2Table+32*i(SB)
#define ONE EXP2_C(0)
#define GELU_C(i) ·geluTable+32*i(SB)

// EXP2 sets p = 2^z, to 0.9 units in the last place. It clobbers f and z.
//
// exp2Table has the polynomial. 2^floor(z) is a number added to the exponent of
// p, which is 1 <= p <= 2. z is limited to [-127, 128], where f is 0 and p is 1
// and the exponent becomes that of 0 and of infinity: so do all results beyond.
// Between -127 and -126 it is that of denormals: the result is (p-1) 2^-126,
// which falls to 0. A NaN stays, because VMINPS and VMAXPS return their second
// source if one is NaN, and because its integer is 0x80000000, which the shift
// clears.
#define EXP2(z, f, p) \
	VMOVUPS EXP2_C(7), f; \
	VMINPS z, f, z; \
	VMOVUPS EXP2_C(8), f; \
	VMAXPS z, f, z; \
	VROUNDPS $9, z, p; \
	VSUBPS p, z, f; \
	VCVTTPS2DQ p, z; \
	VPSLLD $23, z, z; \
	VMOVUPS EXP2_C(6), p; \
	VFMADD213PS EXP2_C(5), f, p; \
	VFMADD213PS EXP2_C(4), f, p; \
	VFMADD213PS EXP2_C(3), f, p; \
	VFMADD213PS EXP2_C(2), f, p; \
	VFMADD213PS EXP2_C(1), f, p; \
	VFMADD213PS ONE, f, p; \
	VPADDD z, p, p

// REDUCE combines the 8 elements of y with op into the lowest. It clobbers tx.
#define REDUCE(op, y, x, tx) \
	VEXTRACTF128 $1, y, tx; \
	op tx, x, x; \
	VMOVHLPS x, x, tx; \
	op tx, x, x; \
	VMOVSHDUP x, tx; \
	op tx, x, x
