//go:build !purego

#include "textflag.h"
#include "asm_neon_arm64.h"

#define FADD4 \
	FADD(4, 0, 0); \
	FADD(5, 1, 1); \
	FADD(6, 2, 2); \
	FADD(7, 3, 3)

// func finishQuads(dst *float32, ldd int, src *float32, lds, rows, n int, bias, res *float32, ldr int)
TEXT ·finishQuads(SB), NOSPLIT, $0-72
	MOVD dst+0(FP), R0
	MOVD ldd+8(FP), R1
	MOVD src+16(FP), R2
	MOVD lds+24(FP), R3
	MOVD rows+32(FP), R4
	MOVD n+40(FP), R5
	MOVD bias+48(FP), R6
	MOVD res+56(FP), R7
	MOVD ldr+64(FP), R8
	LSL $2, R1
	LSL $2, R3
	LSL $2, R8
row:
	MOVD R0, R10
	MOVD R2, R11
	MOVD R6, R12
	MOVD R7, R13
	SUBS $4, R5, R14
	BLT tail
loop4:
	VLD1.P 64(R11), [V0.S4, V1.S4, V2.S4, V3.S4]
	CBZ R6, bias4
	VLD1.P 64(R12), [V4.S4, V5.S4, V6.S4, V7.S4]
	FADD4
bias4:
	CBZ R7, res4
	VLD1.P 64(R13), [V4.S4, V5.S4, V6.S4, V7.S4]
	FADD4
res4:
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R10)
	SUBS $4, R14
	BGE loop4
tail:
	ADDS $4, R14
	BEQ next
loop1:
	VLD1.P 16(R11), [V0.S4]
	CBZ R6, bias1
	VLD1.P 16(R12), [V4.S4]
	FADD(4, 0, 0)
bias1:
	CBZ R7, res1
	VLD1.P 16(R13), [V4.S4]
	FADD(4, 0, 0)
res1:
	VST1.P [V0.S4], 16(R10)
	SUBS $1, R14
	BNE loop1
next:
	ADD R1, R0
	ADD R3, R2
	ADD R8, R7 // 0 where there is no residual
	SUBS $1, R4
	BNE row
	RET

// func sumsQuads(sum, sq, ref, x *float32, ld, rows, n int)
//
// The outer loop runs over columns, the inner one over rows: the sums of 16
// channels, a cache line of x, stay in registers over all rows.
TEXT ·sumsQuads(SB), NOSPLIT, $0-56
	MOVD sum+0(FP), R0
	MOVD sq+8(FP), R1
	MOVD ref+16(FP), R2
	MOVD x+24(FP), R3
	MOVD ld+32(FP), R4
	MOVD rows+40(FP), R5
	MOVD n+48(FP), R6
	LSL $2, R4
	SUBS $4, R6
	BLT tail
columns4:
	VLD1 (R0), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1 (R1), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P 64(R2), [V20.S4, V21.S4, V22.S4, V23.S4]
	MOVD R3, R7
	MOVD R5, R8
rows4:
	VLD1 (R7), [V0.S4, V1.S4, V2.S4, V3.S4]
	ADD R4, R7
	FSUB(20, 0, 0)
	FSUB(21, 1, 1)
	FSUB(22, 2, 2)
	FSUB(23, 3, 3)
	FADD(0, 4, 4)
	FADD(1, 5, 5)
	FADD(2, 6, 6)
	FADD(3, 7, 7)
	VFMLA V0.S4, V0.S4, V16.S4
	VFMLA V1.S4, V1.S4, V17.S4
	VFMLA V2.S4, V2.S4, V18.S4
	VFMLA V3.S4, V3.S4, V19.S4
	SUBS $1, R8
	BNE rows4
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R0)
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R1)
	ADD $64, R3
	SUBS $4, R6
	BGE columns4
tail:
	ADDS $4, R6
	BEQ done
columns1:
	VLD1 (R0), [V4.S4]
	VLD1 (R1), [V16.S4]
	VLD1.P 16(R2), [V20.S4]
	MOVD R3, R7
	MOVD R5, R8
rows1:
	VLD1 (R7), [V0.S4]
	ADD R4, R7
	FSUB(20, 0, 0)
	FADD(0, 4, 4)
	VFMLA V0.S4, V0.S4, V16.S4
	SUBS $1, R8
	BNE rows1
	VST1.P [V4.S4], 16(R0)
	VST1.P [V16.S4], 16(R1)
	ADD $16, R3
	SUBS $1, R6
	BNE columns1
done:
	RET

// func affineQuads(dst, x, scale, shift *float32, ld, rows, n int)
TEXT ·affineQuads(SB), NOSPLIT, $0-56
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD scale+16(FP), R2
	MOVD shift+24(FP), R3
	MOVD ld+32(FP), R4
	MOVD rows+40(FP), R5
	MOVD n+48(FP), R6
	LSL $2, R4
row:
	MOVD R0, R10
	MOVD R1, R11
	MOVD R2, R12
	MOVD R3, R13
	MOVD R6, R14
loop:
	VLD1.P 16(R11), [V0.S4]
	VLD1.P 16(R12), [V1.S4]
	VLD1.P 16(R13), [V2.S4]
	VFMLA V1.S4, V0.S4, V2.S4
	VST1.P [V2.S4], 16(R10)
	SUBS $1, R14
	BNE loop
	ADD R4, R0
	ADD R4, R1
	SUBS $1, R5
	BNE row
	RET

// func normalizeQuads(dst, x, weight, bias *float32, n int, ref, inv, shift float32)
TEXT ·normalizeQuads(SB), NOSPLIT, $0-52
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD weight+16(FP), R2
	MOVD bias+24(FP), R3
	MOVD n+32(FP), R4
	MOVWU ref+40(FP), R5
	VDUP R5, V4.S4
	MOVWU inv+44(FP), R5
	VDUP R5, V5.S4
	MOVWU shift+48(FP), R5
	VDUP R5, V6.S4
loop:
	VLD1.P 16(R1), [V0.S4]
	VLD1.P 16(R2), [V1.S4]
	VLD1.P 16(R3), [V2.S4]
	FSUB(4, 0, 0)
	VMOV V6.B16, V3.B16
	VFMLA V5.S4, V0.S4, V3.S4
	VFMLA V1.S4, V3.S4, V2.S4
	VST1.P [V2.S4], 16(R0)
	SUBS $1, R4
	BNE loop
	RET

// func rescaleBlocks(o, part, factor *float32, rows, n int)
TEXT ·rescaleBlocks(SB), NOSPLIT, $0-40
	MOVD o+0(FP), R0
	MOVD part+8(FP), R1
	MOVD factor+16(FP), R2
	MOVD rows+24(FP), R3
	MOVD n+32(FP), R4
row:
	VLD1R.P 4(R2), [V8.S4]
	MOVD R4, R5
loop:
	VLD1 (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	VFMLA V8.S4, V0.S4, V4.S4
	VFMLA V8.S4, V1.S4, V5.S4
	VFMLA V8.S4, V2.S4, V6.S4
	VFMLA V8.S4, V3.S4, V7.S4
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R0)
	SUBS $1, R5
	BNE loop
	SUBS $1, R3
	BNE row
	RET
