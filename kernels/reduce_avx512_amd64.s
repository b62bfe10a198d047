//go:build !purego

#include "textflag.h"
#include "avx512_amd64.h"

// func momentsAVX512(x []float32, ref float32) (sum, sq float32)
//
// Four pairs of partial sums: an addition takes four cycles, and two can begin
// in each of them. The mask of the last columns protects the partial sums of
// the others.
#define MOMENTS(at, sum, sq, t) \
	VMOVUPS at(SI), t; \
	VSUBPS Z16, t, t; \
	VADDPS t, sum, sum; \
	VFMADD231PS t, t, sq

TEXT ·momentsAVX512(SB), NOSPLIT, $0-40
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), BX
	VBROADCASTSS ref+24(FP), Z16
	VXORPS Z0, Z0, Z0
	VXORPS Z1, Z1, Z1
	VXORPS Z2, Z2, Z2
	VXORPS Z3, Z3, Z3
	VXORPS Z4, Z4, Z4
	VXORPS Z5, Z5, Z5
	VXORPS Z6, Z6, Z6
	VXORPS Z7, Z7, Z7

loop:
	SUBQ $64, BX
	JLT rest
	MOMENTS(0, Z0, Z4, Z8)
	MOMENTS(64, Z1, Z5, Z9)
	MOMENTS(128, Z2, Z6, Z10)
	MOMENTS(192, Z3, Z7, Z11)
	ADDQ $256, SI
	JMP loop

rest:
	ADDQ $64, BX

vector:
	SUBQ $16, BX
	JLT tail
	MOMENTS(0, Z0, Z4, Z8)
	ADDQ $64, SI
	JMP vector

tail:
	MOVQ BX, CX
	ADDQ $16, CX
	MASK(AX, K1)
	VMOVUPS.Z (SI), K1, Z8
	VSUBPS.Z Z16, Z8, K1, Z8
	VADDPS Z8, Z1, Z1
	VFMADD231PS Z8, Z8, Z5
	VADDPS Z1, Z0, Z0
	VADDPS Z3, Z2, Z2
	VADDPS Z2, Z0, Z0
	VADDPS Z5, Z4, Z4
	VADDPS Z7, Z6, Z6
	VADDPS Z6, Z4, Z4
	REDUCE(VADDPS, Z0, Y0, X0, Z8, Y8, X8)
	REDUCE(VADDPS, Z4, Y4, X4, Z8, Y8, X8)
	VMOVSS X0, sum+32(FP)
	VMOVSS X4, sq+36(FP)
	VZEROUPPER
	RET

// func rowMaxAVX512(x []float32) float32
//
// VMAXPS returns its second source if one of the two is NaN. The maximum is the
// second source, so that NaNs are passed over.
TEXT ·rowMaxAVX512(SB), NOSPLIT, $0-28
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), BX
	MOVL $0xFF800000, AX // -Inf
	VPBROADCASTD AX, Z0
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z0, Z3

loop:
	SUBQ $64, BX
	JLT half
	VMOVUPS (SI), Z4
	VMAXPS Z0, Z4, Z0
	VMOVUPS 64(SI), Z5
	VMAXPS Z1, Z5, Z1
	VMOVUPS 128(SI), Z6
	VMAXPS Z2, Z6, Z2
	VMOVUPS 192(SI), Z7
	VMAXPS Z3, Z7, Z3
	ADDQ $256, SI
	JMP loop

half:
	ADDQ $64, BX
	JEQ done
	VMOVUPS (SI), Z4
	VMAXPS Z0, Z4, Z0
	VMOVUPS 64(SI), Z5
	VMAXPS Z1, Z5, Z1

done:
	VMAXPS Z1, Z0, Z0
	VMAXPS Z3, Z2, Z2
	VMAXPS Z2, Z0, Z0
	REDUCE(VMAXPS, Z0, Y0, X0, Z8, Y8, X8)
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET
