// Shared by the AVX-512 loops over elements. Columns are taken 16 at a time;
// the last of them are loaded, computed and stored under a mask, which neither
// reads nor writes the elements outside of it.

// MASK sets the n lowest bits of k, n in CX, 0 <= n < 64. Clobbers tmp.
#define MASK(tmp, k) \
	MOVQ $-1, tmp; \
	SHLQ CX, tmp; \
	NOTQ tmp; \
	KMOVD tmp, k

// EXP2 sets p = 2^z, to 0.9 units in the last place. z stays; f is clobbered.
//
// With f = z - floor(z), 2^z = 2^f 2^floor(z). VREDUCEPS (immediate 9: floor,
// no exceptions) gives f, and VSCALEFPS multiplies by 2^floor(z): their
// special cases are ours. -Inf gives 0, +Inf and everything from 128 on +Inf,
// NaN stays, and results below the normal numbers lose bits gradually.
//
// 2^f on [0,1] is 1 + c1 f + ... + c6 f^6, with the c that minimise the largest
// relative error (Remez), rounded to float32 one after another while the
// others are fitted again: 2^-28.8. (Degree 5 reaches 2^-23.5, 2.1 units.) The
// constant 1 makes 2^0 = 1.
#define EXP2(z, f, p) \
	VREDUCEPS $9, z, f; \
	VMOVAPS Z31, p; \
	VFMADD213PS Z30, f, p; \
	VFMADD213PS Z29, f, p; \
	VFMADD213PS Z28, f, p; \
	VFMADD213PS Z27, f, p; \
	VFMADD213PS Z26, f, p; \
	VFMADD213PS Z11, f, p; \
	VSCALEFPS z, p, p

// EXP2_CONSTANTS loads Z11 and Z26 to Z31 for EXP2.
#define EXP2_CONSTANTS \
	VBROADCASTSS exp2<>+24(SB), Z11; \
	VBROADCASTSS exp2<>+0(SB), Z26; \
	VBROADCASTSS exp2<>+4(SB), Z27; \
	VBROADCASTSS exp2<>+8(SB), Z28; \
	VBROADCASTSS exp2<>+12(SB), Z29; \
	VBROADCASTSS exp2<>+16(SB), Z30; \
	VBROADCASTSS exp2<>+20(SB), Z31

// REDUCE combines the 16 elements of z with op into the lowest. Clobbers t, and
// names the lower parts of the two registers.
#define REDUCE(op, z, y, x, t, ty, tx) \
	VEXTRACTF64X4 $1, z, ty; \
	op ty, y, y; \
	VEXTRACTF128 $1, y, tx; \
	op tx, x, x; \
	VMOVHLPS x, x, tx; \
	op tx, x, x; \
	VMOVSHDUP x, tx; \
	op tx, x, x
