// Shared by the loops over a strip, whose tiles have 6 rows and their sums in
// V8-V31. R1 is the first row of A of a tile, R2 the distance of rows, R3 B, R4
// C, R5 the distance of its rows, and R6 the number of tiles that are left.

#define ZERO4(a, b, c, d) \
	VEOR a.B16, a.B16, a.B16; \
	VEOR b.B16, b.B16, b.B16; \
	VEOR c.B16, c.B16, c.B16; \
	VEOR d.B16, d.B16, d.B16

#define ZERO_SUMS \
	ZERO4(V8, V9, V10, V11); \
	ZERO4(V12, V13, V14, V15); \
	ZERO4(V16, V17, V18, V19); \
	ZERO4(V20, V21, V22, V23); \
	ZERO4(V24, V25, V26, V27); \
	ZERO4(V28, V29, V30, V31)

// STRIP loads the fields of the strip at R0.
#define STRIP \
	MOVD strip_a(R0), R1; \
	MOVD strip_lda(R0), R2; \
	MOVD strip_b(R0), R3; \
	MOVD strip_c(R0), R4; \
	MOVD strip_ldc(R0), R5; \
	MOVD strip_tiles(R0), R6

// TILE sets R7 to the first of R8 steps, and R10-R14 to the other rows of A.
#define TILE \
	MOVD strip_steps(R0), R7; \
	MOVD strip_n(R0), R8; \
	ADD R2, R1, R10; \
	ADD R2, R10, R11; \
	ADD R2, R11, R12; \
	ADD R2, R12, R13; \
	ADD R2, R13, R14

// STEP sets R21-R25 and R9 to where the next step begins in the rows of A, and
// R20 to where it begins in B.
#define STEP \
	LDP.P step__size(R7), (R19, R20); \
	ADD R19, R1, R21; \
	ADD R19, R10, R22; \
	ADD R19, R11, R23; \
	ADD R19, R12, R24; \
	ADD R19, R13, R25; \
	ADD R19, R14, R9; \
	ADD R3, R20
