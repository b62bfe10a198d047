//go:build !purego

#include "textflag.h"
#include "asm_neon_arm64.h"

// func rowMaxBlocks(x *float32, n int) float32
TEXT ·rowMaxBlocks(SB), NOSPLIT, $0-20
	MOVD x+0(FP), R0
	MOVD n+8(FP), R1
	VLD1.P 64(R0), [V4.S4, V5.S4, V6.S4, V7.S4]
	SUBS $1, R1
	BEQ done
loop:
	VLD1.P 64(R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	FMAX(0, 4, 4)
	FMAX(1, 5, 5)
	FMAX(2, 6, 6)
	FMAX(3, 7, 7)
	SUBS $1, R1
	BNE loop
done:
	FMAX(5, 4, 4)
	FMAX(7, 6, 6)
	FMAX(6, 4, 4)
	FMAXV(4, 0)
	FMOVS F0, ret+16(FP)
	RET

// func f16Blocks(dst *float32, src *byte, n int)
TEXT ·f16Blocks(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
loop:
	VLD1.P 32(R1), [V0.H8, V1.H8]
	FCVTL_S(0, 2)
	FCVTL2_S(0, 3)
	FCVTL_S(1, 4)
	FCVTL2_S(1, 5)
	VST1.P [V2.S4, V3.S4, V4.S4, V5.S4], 64(R0)
	SUBS $1, R2
	BNE loop
	RET

// func bf16Blocks(dst *float32, src *byte, n int)
//
// A bfloat16 is the upper half of a float32: zeros are interleaved.
TEXT ·bf16Blocks(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	VEOR V6.B16, V6.B16, V6.B16
loop:
	VLD1.P 32(R1), [V0.H8, V1.H8]
	VZIP1 V0.H8, V6.H8, V2.H8
	VZIP2 V0.H8, V6.H8, V3.H8
	VZIP1 V1.H8, V6.H8, V4.H8
	VZIP2 V1.H8, V6.H8, V5.H8
	VST1.P [V2.S4, V3.S4, V4.S4, V5.S4], 64(R0)
	SUBS $1, R2
	BNE loop
	RET

// func narrowOctets(dst unsafe.Pointer, pitch int, src *float32, lds, rows, n int)
TEXT ·narrowOctets(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD pitch+8(FP), R1
	MOVD src+16(FP), R2
	MOVD lds+24(FP), R3
	MOVD rows+32(FP), R4
	MOVD n+40(FP), R5
	LSL $2, R3
row:
	MOVD R0, R6
	MOVD R2, R7
	MOVD R5, R8
loop:
	VLD1.P 32(R7), [V0.S4, V1.S4]
	BFCVTN(0, 2)
	BFCVTN2(1, 2)
	VST1.P [V2.H8], 16(R6)
	SUBS $1, R8
	BNE loop
	ADD R1, R0
	ADD R3, R2
	SUBS $1, R4
	BNE row
	RET
