//go:build !purego

#include "textflag.h"
#include "asm_neon_arm64.h"

// LOAD_EXP2 loads exp2TableNEON: V16 and V17 are the limits, V18-V23 p, V24 is
// 1.
#define ONE 24
#define LOAD_EXP2 \
	MOVD $·exp2TableNEON(SB), R9; \
	VLD1R.P 4(R9), [V16.S4]; \
	VLD1R.P 4(R9), [V17.S4]; \
	VLD1R.P 4(R9), [V18.S4]; \
	VLD1R.P 4(R9), [V19.S4]; \
	VLD1R.P 4(R9), [V20.S4]; \
	VLD1R.P 4(R9), [V21.S4]; \
	VLD1R.P 4(R9), [V22.S4]; \
	VLD1R.P 4(R9), [V23.S4]; \
	VLD1R.P 4(R9), [V24.S4]

// NEXT is a step of Horner's rule: to = c + x*from.
#define NEXT(c, x, from, to) \
	VMOV c.B16, to.B16; \
	VFMLA from.S4, x.S4, to.S4

// EXP2 sets V0 to 2^V0; it uses V1-V3.
#define EXP2 \
	FMAX(16, 0, 0); \
	FMIN(17, 0, 0); \
	FCVTNS(0, 1); \ // n
	SCVTF(1, 2); \
	FSUB(2, 0, 0); \ // r
	NEXT(V19, V0, V18, V2); \
	NEXT(V20, V0, V2, V3); \
	NEXT(V21, V0, V3, V2); \
	NEXT(V22, V0, V2, V3); \
	NEXT(V23, V0, V3, V2); \
	NEXT(V24, V0, V2, V3); \ // 2^r
	SSHR(1, 1, 2); \
	VSUB V2.S4, V1.S4, V1.S4; \
	VSHL $23, V2.S4, V2.S4; \
	VADD V2.S4, V3.S4, V3.S4; \
	VSHL $23, V1.S4, V1.S4; \
	VADD V24.S4, V1.S4, V1.S4; \
	FMUL(1, 3, 0)

// func exp2SumQuads(dst, x *float32, n int, scale, top float32) float64
TEXT ·exp2SumQuads(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD n+16(FP), R2
	MOVWU scale+24(FP), R3
	VDUP R3, V4.S4
	FMOVS top+28(FP), F5
	FNEGS F5, F5
	VDUP V5.S[0], V5.S4
	LOAD_EXP2
	VEOR V6.B16, V6.B16, V6.B16 // sums of lanes 0 and 1
	VEOR V7.B16, V7.B16, V7.B16 // and 2 and 3
loop:
	VLD1.P 16(R1), [V1.S4]
	VMOV V5.B16, V0.B16
	VFMLA V4.S4, V1.S4, V0.S4
	EXP2
	VST1.P [V0.S4], 16(R0)
	FCVTL_D(0, 1)
	FCVTL2_D(0, 2)
	FADDD2(1, 6, 6)
	FADDD2(2, 7, 7)
	SUB $1, R2
	CBNZ R2, loop
	FADDD2(7, 6, 6)
	FADDPD(6, 0)
	FMOVD F0, ret+32(FP)
	RET

// func sigmoidQuads(x *float32, n int, rate float32)
TEXT ·sigmoidQuads(SB), NOSPLIT, $0-20
	MOVD x+0(FP), R0
	MOVD n+8(FP), R1
	MOVWU rate+16(FP), R2
	VDUP R2, V4.S4
	LOAD_EXP2
loop:
	VLD1 (R0), [V5.S4]
	FMUL(4, 5, 0)
	EXP2
	FADD(ONE, 0, 0)
	FDIV(0, 5, 0)
	VST1.P [V0.S4], 16(R0)
	SUB $1, R1
	CBNZ R1, loop
	RET

// LOAD_GELU adds geluTableNEON: V25 is -log2(e)/2, V26 0.35, V27 15, V7-V14 are
// T, V15 is 1/2.
#define LOAD_GELU \
	LOAD_EXP2; \
	MOVD $·geluTableNEON(SB), R9; \
	VLD1R.P 4(R9), [V25.S4]; \
	VLD1R.P 4(R9), [V26.S4]; \
	VLD1R.P 4(R9), [V27.S4]; \
	VLD1R.P 4(R9), [V7.S4]; \
	VLD1R.P 4(R9), [V8.S4]; \
	VLD1R.P 4(R9), [V9.S4]; \
	VLD1R.P 4(R9), [V10.S4]; \
	VLD1R.P 4(R9), [V11.S4]; \
	VLD1R.P 4(R9), [V12.S4]; \
	VLD1R.P 4(R9), [V13.S4]; \
	VLD1R.P 4(R9), [V14.S4]; \
	VLD1R.P 4(R9), [V15.S4]

// GELU sets V0 to GELU(V5); it uses V1-V3 and V6.
#define GELU \
	FABS(5, 6); \
	FMIN(27, 6, 6); \ // a
	FMUL(6, 6, 0); \
	FMUL(25, 0, 0); \
	EXP2; \
	FMUL(26, 6, 6); \
	FADD(ONE, 6, 1); \
	FDIV(1, 6, 6); \ // u
	NEXT(V8, V6, V7, V1); \
	NEXT(V9, V6, V1, V2); \
	NEXT(V10, V6, V2, V1); \
	NEXT(V11, V6, V1, V2); \
	NEXT(V12, V6, V2, V1); \
	NEXT(V13, V6, V1, V2); \
	NEXT(V14, V6, V2, V1); \
	NEXT(V15, V6, V1, V2); \ // w
	VMOV V2.B16, V1.B16; \
	VFMLS V6.S4, V2.S4, V1.S4; \ // h
	FMUL(1, 0, 0); \ // Q
	FSUB(0, ONE, 1); \
	SSHR(31, 5, 2); \
	VBSL V1.B16, V0.B16, V2.B16; \ // x < 0 ? Q : 1-Q
	FMUL(5, 2, 0)

// func geluQuads(x *float32, n int)
TEXT ·geluQuads(SB), NOSPLIT, $0-16
	MOVD x+0(FP), R0
	MOVD n+8(FP), R1
	LOAD_GELU
loop:
	VLD1 (R0), [V5.S4]
	GELU
	VST1.P [V0.S4], 16(R0)
	SUB $1, R1
	CBNZ R1, loop
	RET

// func gateQuads(value, gate *float32, ld, rows, n int)
TEXT ·gateQuads(SB), NOSPLIT, $0-40
	MOVD value+0(FP), R0
	MOVD gate+8(FP), R1
	MOVD ld+16(FP), R2
	MOVD rows+24(FP), R3
	MOVD n+32(FP), R4
	LSL $2, R2
	LOAD_GELU
row:
	MOVD R0, R5
	MOVD R1, R6
	MOVD R4, R7
loop:
	VLD1.P 16(R6), [V5.S4]
	GELU
	VLD1 (R5), [V4.S4]
	FMUL(4, 0, 0)
	VST1.P [V0.S4], 16(R5)
	SUB $1, R7
	CBNZ R7, loop
	ADD R2, R0
	ADD R2, R1
	SUB $1, R3
	CBNZ R3, row
	RET
