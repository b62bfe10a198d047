//go:build !purego

#include "textflag.h"
#include "asm_neon_arm64.h"

// The constants of exp_neon_arm64.go.
#define LOWEST 16
#define HIGHEST 17
#define LOG2E 18
#define LN2 V19.S4
#define LN2REST V20.S4
#define ONE 26

#define LOAD_EXP \
	MOVD $·expTableNEON(SB), R9; \
	VLD1R.P 4(R9), [V16.S4]; \
	VLD1R.P 4(R9), [V17.S4]; \
	VLD1R.P 4(R9), [V18.S4]; \
	VLD1R.P 4(R9), [V19.S4]; \
	VLD1R.P 4(R9), [V20.S4]; \
	VLD1R.P 4(R9), [V21.S4]; \
	VLD1R.P 4(R9), [V22.S4]; \
	VLD1R.P 4(R9), [V23.S4]; \
	VLD1R.P 4(R9), [V24.S4]; \
	VLD1R.P 4(R9), [V25.S4]; \
	VLD1R.P 4(R9), [V26.S4]

// EXP sets V0 to exp(V0); it uses V1-V3.
#define EXP \
	FMAX(LOWEST, 0, 0); \
	FMIN(HIGHEST, 0, 0); \
	FMUL(LOG2E, 0, 1); \
	FCVTNS(1, 1); \ // n
	SCVTF(1, 2); \
	VFMLS V2.S4, LN2, V0.S4; \
	VFMLS V2.S4, LN2REST, V0.S4; \ // r
	VMOV V22.B16, V2.B16; \
	VFMLA V21.S4, V0.S4, V2.S4; \
	VMOV V23.B16, V3.B16; \
	VFMLA V2.S4, V0.S4, V3.S4; \
	VMOV V24.B16, V2.B16; \
	VFMLA V3.S4, V0.S4, V2.S4; \
	VMOV V25.B16, V3.B16; \
	VFMLA V2.S4, V0.S4, V3.S4; \ // q(r)
	FMUL(0, 0, 2); \
	VFMLA V2.S4, V3.S4, V0.S4; \
	FADD(ONE, 0, 0); \ // exp(r)
	SSHR(1, 1, 2); \
	VSUB V2.S4, V1.S4, V1.S4; \
	VSHL $23, V2.S4, V2.S4; \
	VADD V2.S4, V0.S4, V0.S4; \
	VSHL $23, V1.S4, V1.S4; \
	VADD V26.S4, V1.S4, V1.S4; \
	FMUL(1, 0, 0)

// func expSumQuads(x *float32, n int, scale, max float32) float64
TEXT ·expSumQuads(SB), NOSPLIT, $0-32
	MOVD x+0(FP), R0
	MOVD n+8(FP), R1
	MOVWU scale+16(FP), R2
	VDUP R2, V4.S4
	MOVWU max+20(FP), R2
	VDUP R2, V5.S4
	LOAD_EXP
	VEOR V6.B16, V6.B16, V6.B16 // sums of lanes 0 and 1
	VEOR V7.B16, V7.B16, V7.B16 // and 2 and 3
loop:
	VLD1 (R0), [V0.S4]
	FMUL(4, 0, 0)
	FSUB(5, 0, 0)
	EXP
	VST1.P [V0.S4], 16(R0)
	FCVTL_D(0, 1)
	FCVTL2_D(0, 2)
	FADDD2(1, 6, 6)
	FADDD2(2, 7, 7)
	SUB $1, R1
	CBNZ R1, loop
	FADDD2(7, 6, 6)
	FADDPD(6, 0)
	FMOVD F0, ret+24(FP)
	RET

// func siluQuads(x *float32, n int, scale float32)
TEXT ·siluQuads(SB), NOSPLIT, $0-20
	MOVD x+0(FP), R0
	MOVD n+8(FP), R1
	FMOVS scale+16(FP), F4
	FNEGS F4, F4
	VDUP V4.S[0], V4.S4
	LOAD_EXP
loop:
	VLD1 (R0), [V5.S4]
	FMUL(4, 5, 0)
	EXP
	FADD(ONE, 0, 0)
	FDIV(0, 5, 0)
	VST1.P [V0.S4], 16(R0)
	SUB $1, R1
	CBNZ R1, loop
	RET

// The constants of GELU: V27 is -1/2, V28 0.35, V29 15, V7-V14 are T, V15 is 1/2.
#define LOAD_GELU \
	LOAD_EXP; \
	MOVD $·geluTableNEON(SB), R9; \
	VLD1R.P 4(R9), [V27.S4]; \
	VLD1R.P 4(R9), [V28.S4]; \
	VLD1R.P 4(R9), [V29.S4]; \
	VLD1R.P 4(R9), [V7.S4]; \
	VLD1R.P 4(R9), [V8.S4]; \
	VLD1R.P 4(R9), [V9.S4]; \
	VLD1R.P 4(R9), [V10.S4]; \
	VLD1R.P 4(R9), [V11.S4]; \
	VLD1R.P 4(R9), [V12.S4]; \
	VLD1R.P 4(R9), [V13.S4]; \
	VLD1R.P 4(R9), [V14.S4]; \
	VLD1R.P 4(R9), [V15.S4]

// NEXT is a step of Horner's rule: to = c + u*from.
#define NEXT(c, from, to) \
	VMOV c.B16, to.B16; \
	VFMLA from.S4, V6.S4, to.S4

// GELU sets V0 to GELU(V5); it uses V1-V3 and V6.
#define GELU \
	FABS(5, 6); \
	FMIN(29, 6, 6); \ // a
	FMUL(6, 6, 0); \
	FMUL(27, 0, 0); \
	EXP; \
	FMUL(28, 6, 6); \
	FADD(ONE, 6, 1); \
	FDIV(1, 6, 6); \ // u
	NEXT(V8, V7, V1); \
	NEXT(V9, V1, V2); \
	NEXT(V10, V2, V1); \
	NEXT(V11, V1, V2); \
	NEXT(V12, V2, V1); \
	NEXT(V13, V1, V2); \
	NEXT(V14, V2, V1); \
	NEXT(V15, V1, V2); \ // w
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
