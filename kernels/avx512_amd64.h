// Shared by the AVX-512 loops over elements. Columns are taken 16 at a time;
// the last of them are loaded, computed and stored under a mask, which neither
// reads nor writes the elements outside of it.

// MASK sets the n lowest bits of k, n in CX, 0 <= n < 64. Clobbers tmp.
#define MASK(tmp, k) \
	MOVQ $-1, tmp; \
	SHLQ CX, tmp; \
	NOTQ tmp; \
	KMOVD tmp, k

// VCVTNE2PS2BF16 makes bfloat16 of registers lo and hi, given as numbers below
// 8, and puts the results of lo in the lower half of dst. It rounds to nearest
// even and takes denormals for zero. EVEX.512.F2.0F38.W0 72 /r; the Go assembler
// lacks it.
#define VCVTNE2PS2BF16(lo, hi, dst) BYTE $0x62; BYTE $0xF2; BYTE $(0x7F-8*hi); BYTE $0x48; BYTE $0x72; BYTE $(0xC0+8*dst+lo)

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
// constant 1 makes 2^0 = 1. In decimals they are 0.69314706, 0.24022909,
// 0.055486184, 0.0096737752, 0.0012482289 and 0.00021565970.
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

// EXP2_TABLE holds the constants of EXP2, c1 to c6 and 1.
#define EXP2_TABLE \
	DATA exp2<>+0(SB)/4, $0x3f317216; \
	DATA exp2<>+4(SB)/4, $0x3e75fe9d; \
	DATA exp2<>+8(SB)/4, $0x3d63457b; \
	DATA exp2<>+12(SB)/4, $0x3c1e7ec1; \
	DATA exp2<>+16(SB)/4, $0x3aa39b9d; \
	DATA exp2<>+20(SB)/4, $0x396222b6; \
	DATA exp2<>+24(SB)/4, $1.0; \
	GLOBL exp2<>(SB), RODATA|NOPTR, $28

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
