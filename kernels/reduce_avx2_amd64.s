//go:build !purego

#include "textflag.h"
#include "avx2_amd64.h"

#define MOMENTS(at, sum, sq, t) \
	VMOVUPS at(SI), t; \
	VSUBPS Y15, t, t; \
	VADDPS t, sum, sum; \
	VFMADD231PS t, t, sq

// func momentsAVX2(x []float32, ref float32) (sum, sq float32)
//
// Four pairs of partial sums: an addition takes four cycles, and two can begin
// in each of them.
TEXT ·momentsAVX2(SB), NOSPLIT, $0-40
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), BX
	VBROADCASTSS ref+24(FP), Y15
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7

loop:
	SUBQ $32, BX
	JLT rest
	MOMENTS(0, Y0, Y4, Y8)
	MOMENTS(32, Y1, Y5, Y9)
	MOMENTS(64, Y2, Y6, Y10)
	MOMENTS(96, Y3, Y7, Y11)
	ADDQ $128, SI
	JMP loop

rest:
	ADDQ $32, BX

vector:
	SUBQ $8, BX
	JLT tail
	MOMENTS(0, Y0, Y4, Y8)
	ADDQ $32, SI
	JMP vector

tail:
	MOVQ BX, CX
	ADDQ $8, CX
	MASK(Y9)
	VMASKMOVPS (SI), Y9, Y8
	VSUBPS Y15, Y8, Y8
	VANDPS Y9, Y8, Y8
	VADDPS Y8, Y1, Y1
	VFMADD231PS Y8, Y8, Y5
	VADDPS Y1, Y0, Y0
	VADDPS Y3, Y2, Y2
	VADDPS Y2, Y0, Y0
	VADDPS Y5, Y4, Y4
	VADDPS Y7, Y6, Y6
	VADDPS Y6, Y4, Y4
	REDUCE(VADDPS, Y0, X0, X8)
	REDUCE(VADDPS, Y4, X4, X8)
	VMOVSS X0, sum+32(FP)
	VMOVSS X4, sq+36(FP)
	VZEROUPPER
	RET

// func rowMaxAVX2(x []float32) float32
//
// VMAXPS returns its second source if one of the two is NaN. The maximum is the
// second source, so that NaNs are passed over.
TEXT ·rowMaxAVX2(SB), NOSPLIT, $0-28
	MOVQ x_base+0(FP), SI
	MOVQ x_len+8(FP), BX
	MOVL $0xFF800000, AX // -Inf
	VMOVD AX, X0
	VPBROADCASTD X0, Y0
	VMOVAPS Y0, Y1
	VMOVAPS Y0, Y2
	VMOVAPS Y0, Y3

loop:
	SUBQ $32, BX
	JLT done
	VMOVUPS (SI), Y4
	VMAXPS Y0, Y4, Y0
	VMOVUPS 32(SI), Y5
	VMAXPS Y1, Y5, Y1
	VMOVUPS 64(SI), Y6
	VMAXPS Y2, Y6, Y2
	VMOVUPS 96(SI), Y7
	VMAXPS Y3, Y7, Y3
	ADDQ $128, SI
	JMP loop

done:
	VMAXPS Y1, Y0, Y0
	VMAXPS Y3, Y2, Y2
	VMAXPS Y2, Y0, Y0
	REDUCE(VMAXPS, Y0, X0, X8)
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func normalizeAVX2(dst, x, weight, bias []float32, ref, inv, shift float32)
TEXT ·normalizeAVX2(SB), NOSPLIT, $0-108
	MOVQ dst_base+0(FP), DI
	MOVQ x_base+24(FP), SI
	MOVQ x_len+32(FP), BX
	MOVQ weight_base+48(FP), R8
	MOVQ bias_base+72(FP), R9
	VBROADCASTSS ref+96(FP), Y4
	VBROADCASTSS inv+100(FP), Y5
	VBROADCASTSS shift+104(FP), Y7
	XORQ DX, DX

loop:
	SUBQ $8, BX
	JLT tail
	VMOVUPS (SI)(DX*1), Y0
	VMOVUPS (R8)(DX*1), Y1
	VSUBPS Y4, Y0, Y0
	VFMADD213PS Y7, Y5, Y0
	VFMADD213PS (R9)(DX*1), Y1, Y0
	VMOVUPS Y0, (DI)(DX*1)
	ADDQ $32, DX
	JMP loop

tail:
	MOVQ BX, CX
	ADDQ $8, CX
	JLE done
	MASK(Y6)
	VMASKMOVPS (SI)(DX*1), Y6, Y0
	VMASKMOVPS (R8)(DX*1), Y6, Y1
	VMASKMOVPS (R9)(DX*1), Y6, Y2
	VSUBPS Y4, Y0, Y0
	VFMADD213PS Y7, Y5, Y0
	VFMADD213PS Y2, Y1, Y0
	VMASKMOVPS Y0, Y6, (DI)(DX*1)

done:
	VZEROUPPER
	RET
