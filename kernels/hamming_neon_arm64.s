//go:build !purego

#include "textflag.h"

// func hammingCodes(dst *uint16, query, codes *uint64, words, n int)
//
// The bits of each byte are added up in V4 over at most 30 steps of 16 bytes
// and the odd word, so that no byte overflows, and then over all bytes.
TEXT ·hammingCodes(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD query+8(FP), R1
	MOVD codes+16(FP), R2
	MOVD words+24(FP), R3
	MOVD n+32(FP), R4

code:
	MOVD R1, R5     // in the query
	LSR $1, R3, R6  // steps left
	MOVD ZR, R7     // the distance

group:
	VEOR V4.B16, V4.B16, V4.B16
	MOVD $30, R8
	CMP R8, R6
	CSEL LT, R6, R8, R8
	SUB R8, R6
	CBZ R8, odd

step:
	VLD1.P 16(R5), [V0.B16]
	VLD1.P 16(R2), [V1.B16]
	VEOR V0.B16, V1.B16, V1.B16
	VCNT V1.B16, V1.B16
	VADD V1.B16, V4.B16, V4.B16
	SUBS $1, R8
	BNE step
	CBZ R6, odd
	VUADDLV V4.B16, V4
	VMOV V4.H[0], R9
	ADD R9, R7
	B group

odd:
	TBZ $0, R3, sum
	VLD1 (R5), [V0.B8]
	VLD1.P 8(R2), [V1.B8]
	VEOR V0.B8, V1.B8, V1.B8
	VCNT V1.B8, V1.B8
	VADD V1.B16, V4.B16, V4.B16

sum:
	VUADDLV V4.B16, V4
	VMOV V4.H[0], R9
	ADD R9, R7
	MOVH.P R7, 2(R0)
	SUBS $1, R4
	BNE code
	RET
