//go:build !purego

#include "textflag.h"
#include "go_asm.h"
#include "asm_neon_arm64.h"
#include "gemm_neon_arm64.h"

// V8-V31 hold C, eight registers per pair of rows, in each of them two columns
// of both rows; V0-V2 four K of the three pairs of rows of A, V3-V5 the next
// four; V6 and V7 four K of two columns of B each. See gemmNEONBF16.

// ROWS loads eight K, at a in rows r and s of A, and pairs up the first four in
// lo and the others in hi.
#define ROWS(a, r, s, lo, hi) \
	FMOVQ a(r), F6; \
	FMOVQ a(s), F7; \
	VZIP1 V7.D2, V6.D2, lo.D2; \
	VZIP2 V7.D2, V6.D2, hi.D2

// COLS multiplies four K of A, in registers a, a+1 and a+2, by those of four
// columns of B, at b(R20), whose sums for the first two rows are in c and c+1.
#define COLS(a, b, c) \
	FLDPQ b(R20), (F6, F7); \
	BFMMLA(6, a, c); \
	BFMMLA(7, a, c+1); \
	BFMMLA(6, a+1, c+8); \
	BFMMLA(7, a+1, c+9); \
	BFMMLA(6, a+2, c+16); \
	BFMMLA(7, a+2, c+17)

// EIGHT multiplies eight K, which begin at a in the rows of A and at b in B.
#define EIGHT(a, b) \
	ROWS(a, R21, R22, V0, V3); \
	ROWS(a, R23, R24, V1, V4); \
	ROWS(a, R25, R9, V2, V5); \
	COLS(0, b+0, 8); \
	COLS(0, b+32, 10); \
	COLS(0, b+64, 12); \
	COLS(0, b+96, 14); \
	COLS(3, b+128, 8); \
	COLS(3, b+160, 10); \
	COLS(3, b+192, 12); \
	COLS(3, b+224, 14)

// STORE2 stores two rows, whose 16 columns are in pairs in a to h.
#define STORE2(a, b, c, d, e, f, g, h) \
	VZIP1 b.D2, a.D2, V0.D2; \
	VZIP1 d.D2, c.D2, V1.D2; \
	VZIP1 f.D2, e.D2, V2.D2; \
	VZIP1 h.D2, g.D2, V3.D2; \
	VZIP2 b.D2, a.D2, V4.D2; \
	VZIP2 d.D2, c.D2, V5.D2; \
	VZIP2 f.D2, e.D2, V6.D2; \
	VZIP2 h.D2, g.D2, V7.D2; \
	FSTPQ (F0, F1), (R4); \
	FSTPQ (F2, F3), 32(R4); \
	ADD R5, R4; \
	FSTPQ (F4, F5), (R4); \
	FSTPQ (F6, F7), 32(R4); \
	ADD R5, R4

// func runNEONBF16(s *strip)
TEXT ·runNEONBF16(SB), NOSPLIT, $0-8
	MOVD s+0(FP), R0
	STRIP

tile:
	ZERO_SUMS
	TILE

step:
	STEP
	EIGHT(0, 0)
	EIGHT(16, 256)
	EIGHT(32, 512)
	EIGHT(48, 768)
	SUB $1, R8
	CBNZ R8, step

	STORE2(V8, V9, V10, V11, V12, V13, V14, V15)
	STORE2(V16, V17, V18, V19, V20, V21, V22, V23)
	STORE2(V24, V25, V26, V27, V28, V29, V30, V31)
	ADD R2, R14, R1
	SUB $1, R6
	CBNZ R6, tile
	RET

#define PRODUCT6(c) \
	BFMMLA(6, 0, c); \
	BFMMLA(7, 0, c+1); \
	BFMMLA(6, 1, c+2); \
	BFMMLA(7, 1, c+3); \
	BFMMLA(6, 2, c+4); \
	BFMMLA(7, 2, c+5)

// func peakNEONBF16(n int)
TEXT ·peakNEONBF16(SB), NOSPLIT, $0-8
	MOVD n+0(FP), R0
	ZERO_SUMS
	ZERO4(V0, V1, V2, V3)
	ZERO4(V4, V5, V6, V7)

loop:
	PRODUCT6(8)
	PRODUCT6(14)
	PRODUCT6(20)
	PRODUCT6(26)
	SUB $1, R0
	CBNZ R0, loop
	RET
