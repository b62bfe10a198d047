// Shared by the AVX-512 loops over elements. They take 16 columns at a time and
// load, compute and store the last columns under a mask, which neither reads
// nor writes the elements outside of it.

// MASK sets the n lowest bits of k, with 0 <= n < 64 in CX. It clobbers tmp.
#define MASK(tmp, k) \
	MOVQ $-1, tmp; \
	SHLQ CX, tmp; \
	NOTQ tmp; \
	KMOVD tmp, k

// VCVTNE2PS2BF16 converts registers lo and hi, given as numbers below 8, to
// bfloat16, with the results of lo in the lower half of dst. It rounds to
// nearest even and treats denormals as zero. The Go assembler lacks it:
// EVEX.512.F2.0F38.W0 72 /r.
#define VCVTNE2PS2BF16(lo, hi, dst) BYTE $0x62; BYTE $0xF2; BYTE $(0x7F-8*hi); BYTE $0x48; BYTE $0x72; BYTE $(0xC0+8*dst+lo)

// Constants of exp2Table and geluTable, in rows of 8 float32.
#define EXP2_C(i) ·exp2Table+32*i(SB)
#define GELU_C(i) ·geluTable+32*i(SB)

// EXP2 sets p = 2^z, to 0.9 units in the last place. z stays; f is clobbered.
//
// exp2Table has the polynomial in f = z - floor(z), which VREDUCEPS (immediate
// 9: floor, no exceptions) computes. VSCALEFPS multiplies by 2^floor(z). Their
// special cases are the ones wanted: -Inf gives 0, +Inf and everything from 128
// on give +Inf, a NaN stays, and results below the normal numbers lose bits
// gradually.
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

// EXP2_CONSTANTS loads 1 and c1 to c6 into Z11 and Z26 to Z31 for EXP2.
#define EXP2_CONSTANTS \
	VBROADCASTSS EXP2_C(0), Z11; \
	VBROADCASTSS EXP2_C(1), Z26; \
	VBROADCASTSS EXP2_C(2), Z27; \
	VBROADCASTSS EXP2_C(3), Z28; \
	VBROADCASTSS EXP2_C(4), Z29; \
	VBROADCASTSS EXP2_C(5), Z30; \
	VBROADCASTSS EXP2_C(6), Z31

// EXP2_SUM stores 2^(x*scale - max) of two vectors and adds them to Z16 and Z17.
// Z24 holds the scale, Z25 the maximum; Z0 to Z5 are clobbered.
#define EXP2_SUM(x0, x1, p0, p1) \
	VMOVUPS x0, Z0; \
	VMOVUPS x1, Z3; \
	VFMSUB213PS Z25, Z24, Z0; \
	VFMSUB213PS Z25, Z24, Z3; \
	EXP2(Z0, Z1, Z2); \
	EXP2(Z3, Z4, Z5); \
	VADDPS Z2, Z16, Z16; \
	VADDPS Z5, Z17, Z17; \
	VMOVUPS Z2, p0; \
	VMOVUPS Z5, p1

// REDUCE combines the 16 elements of z with op into the lowest. y and x are the
// lower parts of z. It clobbers t, whose lower parts are ty and tx.
#define REDUCE(op, z, y, x, t, ty, tx) \
	VEXTRACTF64X4 $1, z, ty; \
	op ty, y, y; \
	VEXTRACTF128 $1, y, tx; \
	op tx, x, x; \
	VMOVHLPS x, x, tx; \
	op tx, x, x; \
	VMOVSHDUP x, tx; \
	op tx, x, x

// ZERO28 clears the sums of a gemm, Z0 to Z27.
#define ZERO4(a, b, c, d) \
	VPXORD a, a, a; \
	VPXORD b, b, b; \
	VPXORD c, c, c; \
	VPXORD d, d, d

#define ZERO28 \
	ZERO4(Z0, Z1, Z2, Z3); \
	ZERO4(Z4, Z5, Z6, Z7); \
	ZERO4(Z8, Z9, Z10, Z11); \
	ZERO4(Z12, Z13, Z14, Z15); \
	ZERO4(Z16, Z17, Z18, Z19); \
	ZERO4(Z20, Z21, Z22, Z23); \
	ZERO4(Z24, Z25, Z26, Z27)
