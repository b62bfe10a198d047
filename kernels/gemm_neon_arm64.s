//go:build !purego

#include "textflag.h"
#include "go_asm.h"
#include "asm_neon_arm64.h"
#include "gemm_neon_arm64.h"

// V8-V31 hold C, four registers per row; V0-V5 four K of each row of A; V6 and
// V7 half a row of B.

// HALF adds lane i of A times 8 columns of B, at b(R20), to columns c and c+1
// of every row.
#define HALF(i, b, c) \
	FLDPQ b(R20), (F6, F7); \
	FMLA_LANE(i, 0, 6, 8+c); \
	FMLA_LANE(i, 0, 7, 9+c); \
	FMLA_LANE(i, 1, 6, 12+c); \
	FMLA_LANE(i, 1, 7, 13+c); \
	FMLA_LANE(i, 2, 6, 16+c); \
	FMLA_LANE(i, 2, 7, 17+c); \
	FMLA_LANE(i, 3, 6, 20+c); \
	FMLA_LANE(i, 3, 7, 21+c); \
	FMLA_LANE(i, 4, 6, 24+c); \
	FMLA_LANE(i, 4, 7, 25+c); \
	FMLA_LANE(i, 5, 6, 28+c); \
	FMLA_LANE(i, 5, 7, 29+c)

// FOUR multiplies four K, which begin at a in the rows of A and at b in B.
#define FOUR(a, b) \
	FMOVQ a(R21), F0; \
	FMOVQ a(R22), F1; \
	FMOVQ a(R23), F2; \
	FMOVQ a(R24), F3; \
	FMOVQ a(R25), F4; \
	FMOVQ a(R9), F5; \
	HALF(0, b+0, 0); \
	HALF(0, b+32, 2); \
	HALF(1, b+64, 0); \
	HALF(1, b+96, 2); \
	HALF(2, b+128, 0); \
	HALF(2, b+160, 2); \
	HALF(3, b+192, 0); \
	HALF(3, b+224, 2)

#define STORE(c, f0, f1, f2, f3) \
	FSTPQ (f0, f1), (c); \
	FSTPQ (f2, f3), 32(c); \
	ADD R5, c

// func runNEON(s *strip)
TEXT ·runNEON(SB), NOSPLIT, $0-8
	MOVD s+0(FP), R0
	STRIP

tile:
	ZERO_SUMS
	TILE

step:
	STEP
	FOUR(0, 0)
	FOUR(16, 256)
	FOUR(32, 512)
	FOUR(48, 768)
	SUB $1, R8
	CBNZ R8, step

	STORE(R4, F8, F9, F10, F11)
	STORE(R4, F12, F13, F14, F15)
	STORE(R4, F16, F17, F18, F19)
	STORE(R4, F20, F21, F22, F23)
	STORE(R4, F24, F25, F26, F27)
	STORE(R4, F28, F29, F30, F31)
	ADD R2, R14, R1
	SUB $1, R6
	CBNZ R6, tile
	RET
